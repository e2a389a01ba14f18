import { describe, expect, it } from 'vitest'
import { figures } from '../../../../tools/bench/metrics/patch.ts'
import type { Contender, Metric, Sample } from '../../../../tools/bench/model.ts'
import { chart } from '../../../../tools/bench/output/chart.ts'
import { table } from '../../../../tools/bench/output/table.ts'
import { redisCpu } from '../../../../tools/bench/servers/running.ts'
import { median, rowsOf } from '../../../../tools/bench/stats.ts'

const metric: Metric = {
  name: 'm',
  title: 'What is measured',
  note: 'a note',
  figures: [
    { key: 'a', label: 'seconds', digits: 2, better: 'less', charted: true },
    { key: 'b', label: 'bytes', digits: 0, better: 'less' },
  ],
  rounds: 3,
  limitMs: 1,
  suits: () => true,
  measure: () => Promise.resolve([]),
}

function contender(name: string, store: 'local' | 's3' = 'local'): Contender {
  const command = () => ({ program: '', args: [], env: {} })
  return { name, kind: 'given', store, tickets: false, durable: 'no', command }
}

function sample(name: string, a: number, rest: Partial<Sample> = {}): Sample {
  return { metric: 'm', name, store: 'local', round: 1, figures: { a, b: null }, ...rest }
}

const machine = { cpu: 'a CPU', cores: 2, memoryGib: 1, kernel: '6', node: 'v20', fileSystem: 'ext4' }

describe('medians and ratios', () => {
  it.each([
    [[3, 1, 2], 2],
    [[4, 1, 2, 3], 2.5],
    [[7], 7],
    [[], Number.NaN],
  ])('of %j is %d', (values, expected) => {
    expect(median(values)).toBe(expected)
  })

  it('compares with each reference on the same store', () => {
    const samples = [
      sample('us', 1),
      sample('us', 9),
      sample('us', 3),
      sample('ref', 2),
      sample('ref', 2),
      sample('us', 8, { store: 's3' }),
      sample('ref', 4, { store: 's3' }),
      sample('us', 100, { metric: 'another' }),
    ]
    const rows = rowsOf(metric, [contender('us'), contender('us', 's3'), contender('ref')], samples, ['ref'])
    expect(rows.map(({ name, store, medians, rounds }) => [name, store, medians['a'], rounds])).toEqual([
      ['us', 'local', 3, 3],
      ['us', 's3', 8, 1],
      ['ref', 'local', 2, 2],
    ])
    expect(rows.map(({ ratios }) => ratios)).toEqual([{ ref: 1.5 }, {}, {}])
    expect(rows.map(({ range }) => range)).toEqual([
      { least: 1, most: 9 },
      { least: 8, most: 8 },
      { least: 2, most: 2 },
    ])
  })

  it('compares a variant that only we have with the only one the other has', () => {
    const samples = [
      sample('us', 4, { variant: 'here' }),
      sample('us', 6, { variant: 'there' }),
      sample('ref', 2, { variant: 'here' }),
    ]
    const rows = rowsOf(metric, [contender('us'), contender('ref')], samples, ['ref'])
    expect(rows.map(({ variant, ratios }) => [variant, ratios['ref']])).toEqual([
      ['here', 2],
      ['there', 3],
      ['here', undefined],
    ])
  })

  it('says null where no round could tell', () => {
    const [row] = rowsOf(metric, [contender('us')], [sample('us', 1)], [])
    expect(row?.medians).toEqual({ a: 1, b: null })
  })
})

describe('figures of a PATCH', () => {
  it('are differences, for one GiB', () => {
    const before = { server: { user: 1, kernel: 2 }, redisSeconds: 0.5, s3Seconds: null }
    const after = { server: { user: 1.25, kernel: 2.5 }, redisSeconds: 0.75, s3Seconds: null }
    expect(figures(before, after, { gib: 0.5, wall: 1, peakBytes: 3 * 1024 ** 2 })).toEqual({
      cpu: 1.5,
      user: 0.5,
      kernel: 1,
      wall: 2,
      peakMib: 3,
      redis: 0.5,
      s3: null,
    })
  })

  it('has the CPU time of Redis as Redis says it', () => {
    const info = '# CPU\r\nused_cpu_sys:1.500000\r\nused_cpu_user:2.250000\r\nused_cpu_sys_children:9.0\r\n'
    expect(redisCpu(info)).toBe(3.75)
  })
})

describe('the table', () => {
  it('aligns, and leaves out what nobody could tell', () => {
    const samples = [sample('us', 1), sample('a longer name', 20.5)]
    const contenders = [contender('us'), contender('a longer name')]
    const rows = rowsOf(metric, contenders, samples, ['us'])
    expect(table(metric, rows, ['us'])).toBe(
      [
        'What is measured',
        '',
        '  server         store  seconds   × us  rounds',
        '  us             local     1.00      –       1',
        '  a longer name  local    20.50  20.50       1',
        '',
        '  (a note)',
        '',
      ].join('\n'),
    )
  })
})

describe('the chart', () => {
  it('has a bar for each row of a charted figure, in proportion, and words for those who cannot see it', () => {
    const rows = rowsOf(
      metric,
      [contender('songngan'), contender('a<b')],
      [sample('songngan', 2), sample('a<b', 4)],
      [],
    )
    const svg = chart([{ metric, rows }], { machine, startedAt: '2025-01-02T03:04:05Z' })
    const widths = [...svg.matchAll(/<rect class="(\w+)"[^>]* width="([\d.]+)"/g)]
    expect(widths.map(([, kind]) => kind)).toEqual(['ours', 'other'])
    expect(Number(widths[1]?.[2])).toBeCloseTo(2 * Number(widths[0]?.[2]), 0)
    expect(svg).toContain('songngan 2.00, a&#60;b 4.00.')
    expect(svg).not.toContain('bytes')
    expect(svg).not.toContain('a<b')
  })
})
