// Parts of the console that need no browser, loaded as they are served.

import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { runbookPage } from '../../../src/ops/console/runbook.ts'

const FOLDER = join(import.meta.dirname, '../../../src/ops/console/assets')
const asset = async <Module>(name: string) => (await import(join(FOLDER, name))) as Module

const { byteScale, niceScale, timeSteps } = await asset<{
  byteScale: (max: number) => { end: number; steps: number[] }
  niceScale: (max: number) => { end: number; steps: number[] }
  timeSteps: (fromMs: number, toMs: number, count: number) => number[]
}>('scale.js')
const { bytesInWords, numberInWords, timeInWords } = await asset<{
  bytesInWords: (bytes: number) => string
  numberInWords: (n: number) => string
  timeInWords: (seconds: number) => string
}>('words.js')

const { doorOf } = await asset<{ doorOf: (day: object) => { mood: string; words: string } }>('day.js')

type Trouble = { door: string; words: string; chapter: string | null }
const { troubleOfError, troubleOfRefusal } = await asset<{
  troubleOfError: (error: unknown, at: string | undefined) => Trouble
  troubleOfRefusal: (refusal: string | null) => Trouble | null
}>('trouble.js')

describe('the door', () => {
  const intake = (accepting: string[], draining: string[]) => ({ admission: null, intake: { accepting, draining } })
  it.each([
    ['good', 'Open for new uploads', intake(['a:1'], [])],
    ['warn', 'Open; draining b:1', intake(['a:1'], ['b:1'])],
    ['bad', 'No new uploads: every service drains (a:1, b:1)', intake([], ['a:1', 'b:1'])],
    ['bad', 'No new uploads: no service runs', intake([], [])],
    ['bad', 'New uploads closed: moving disks', { ...intake(['a:1'], []), admission: { reason: 'moving disks' } }],
  ])('is %s: %s', (mood, words, day) => {
    expect(doorOf(day)).toEqual({ mood, words })
  })
})

type Line = { part: string; mood: string; words: string; chapter: string | null }
const { linesOf } = await asset<{ linesOf: (pulse: object, day: object | undefined) => Line[] }>('health.js')

describe('health', () => {
  const GIB = 1024 ** 3
  const lane = { paused: false, waiting: 0, active: 0, delayed: 0, failed: 0, oldestWaitingSeconds: 0 }
  const service = { role: 'service', name: 'a:1', instance: 'a:9464', loopShare: 0.2, freeBytes: 60 * GIB }
  const worker = { ...service, role: 'worker', name: 'w:1', instance: 'w:9464', lanes: { validate: 2, notify: 1 } }
  const hour = { delivered: 12, repeated: 0, failed: 0 }
  const well = {
    instance: 'a:9464',
    admission: null,
    intake: { accepting: ['a:9464'], draining: [] },
    processes: { alive: [service, worker], silent: [] },
    lanes: { validate: lane, notify: lane },
    webhooks: { lastHour: hour, lastTenMinutes: hour },
  }
  const pulse = {
    redis: { up: true, milliseconds: 2 },
    store: { kind: 's3', up: true, milliseconds: 40 },
    freeBytes: 50 * GIB,
    alerts: { state: 'on', firing: [] },
  }
  const wrong = (how: { pulse?: object; day?: object }) =>
    linesOf({ ...pulse, ...how.pulse }, { ...well, ...how.day }).filter(({ mood }) => mood !== 'good')

  it('has a good line for each part', () => {
    const lines = linesOf(pulse, well)
    expect(lines.map(({ part }) => part)).toEqual([
      'Redis',
      'Store',
      'Disk',
      'Services',
      'Workers',
      'Webhooks',
      'Alerts',
    ])
    expect(new Set(lines.map(({ mood }) => mood))).toEqual(new Set(['good']))
  })

  it('says what is not known without Redis, and nothing good of it', () => {
    const lines = linesOf({ ...pulse, redis: { up: false, milliseconds: 1000, error: 'no answer' } }, undefined)
    expect(lines.filter(({ mood }) => mood === 'unknown').map(({ part }) => part)).toEqual([
      'Services',
      'Workers',
      'Webhooks',
    ])
  })

  it.each<[string, string, string, { pulse?: object; day?: object }]>([
    ['bad', 'Redis', 'does not answer', { pulse: { redis: { up: false, milliseconds: 1, error: 'x' } } }],
    ['bad', 'Redis', 'takes no writes: OOM', { pulse: { redis: { up: false, refused: true, error: 'OOM' } } }],
    ['bad', 'Store', 'does not answer: x', { pulse: { store: { kind: 's3', up: false, error: 'x' } } }],
    ['warn', 'Store', 'slow: 1500 ms', { pulse: { store: { kind: 's3', up: true, milliseconds: 1500 } } }],
    ['warn', 'Disk', '9.0 GiB free at least (a:9464)', { pulse: { freeBytes: 9 * GIB } }],
    ['bad', 'Services', 'none runs', { day: { intake: { accepting: [], draining: [] } } }],
    [
      'bad',
      'Services',
      'all drain, none accepts new uploads: a:9464',
      { day: { intake: { accepting: [], draining: ['a:9464'] } } },
    ],
    [
      'bad',
      'Services',
      'closed by operator ops: moving',
      { day: { admission: { by: 'operator ops', reason: 'moving' } } },
    ],
    [
      'warn',
      'Services',
      'no heartbeat from b:2',
      { day: { processes: { alive: [service, worker], silent: [{ role: 'service', name: 'b:2' }] } } },
    ],
    [
      'bad',
      'Services',
      'wrong clock: a:1',
      { day: { processes: { alive: [{ ...service, clockSkewMs: -20_000 }, worker], silent: [] } } },
    ],
    ['bad', 'Workers', 'none runs: no verdicts', { day: { processes: { alive: [service], silent: [] } } }],
    [
      'bad',
      'Workers',
      'a verdict has waited 1 min 1 s',
      { day: { lanes: { validate: { ...lane, waiting: 1, oldestWaitingSeconds: 61 }, notify: lane } } },
    ],
    [
      'bad',
      'Workers',
      'no worker runs inspect: 3 wait',
      { day: { lanes: { inspect: { ...lane, waiting: 3 }, notify: lane } } },
    ],
    ['warn', 'Workers', '2 failed in validate', { day: { lanes: { validate: { ...lane, failed: 2 }, notify: lane } } }],
    [
      'bad',
      'Webhooks',
      '129 wait for a retry, 12 delivered in an hour',
      { day: { lanes: { notify: { ...lane, delayed: 129 } } } },
    ],
    [
      'bad',
      'Webhooks',
      '9 of 10 failed in ten minutes',
      { day: { webhooks: { lastHour: hour, lastTenMinutes: { delivered: 1, repeated: 0, failed: 9 } } } },
    ],
    [
      'bad',
      'Alerts',
      'HEAD takes 4s',
      {
        pulse: {
          alerts: {
            state: 'on',
            firing: [{ severity: 'page', summary: 'HEAD takes 4s', chapter: 'answers-are-slow' }],
          },
        },
      },
    ],
  ])('%s: %s %s', async (mood, part, words, how) => {
    const [line, ...others] = wrong(how)
    expect([line?.mood, line?.part, line?.words, others]).toEqual([mood, part, words, []])
    const anchor = line?.chapter?.toLowerCase().replaceAll(' ', '-')
    expect(await runbookPage()).toContain(`<h2 id="${anchor}">`)
  })
})

describe('trouble', () => {
  it('with Redis is not "open", says what it means, and has a chapter in the runbook', async () => {
    const away = troubleOfError(Object.assign(new Error('503'), { code: 'REDIS_UNAVAILABLE' }), undefined)
    const refusal = troubleOfRefusal('OOM command not allowed')
    for (const trouble of [away, refusal]) {
      expect(trouble?.words).toMatch(/Redis .*Uploads wait.* What was received is stored\.$/)
      expect(await runbookPage()).toContain(`>${trouble?.chapter}</h2>`)
    }
    expect(away.door).toBe('Not known: Redis is away')
    expect(refusal).toMatchObject({
      door: 'Uploads wait: Redis takes no writes',
      words: expect.stringContaining('OOM'),
    })
    expect(troubleOfRefusal(null)).toBeNull()
  })

  it('with the process itself is not "open" either', () => {
    expect(troubleOfError(new TypeError('Failed to fetch'), '2026-09-30T16:01:23')).toEqual({
      door: 'Not known',
      words: 'No numbers from this process: TypeError: Failed to fetch. Numbers as of 16:01:23.',
      chapter: null,
    })
  })
})

describe('scales', () => {
  it('end at a round number at or above the highest bar', () => {
    expect(niceScale(0)).toEqual({ end: 1, steps: [0, 1] })
    for (const max of [0.3, 1, 7, 99, 100, 101, 8_300_000]) {
      const { end, steps } = niceScale(max)
      expect(end).toBeGreaterThanOrEqual(max)
      expect(end).toBeLessThanOrEqual(max * 1.7)
      expect(steps.length).toBeGreaterThanOrEqual(3)
      expect(steps.length).toBeLessThanOrEqual(6)
      expect(steps.at(-1)).toBeCloseTo(end)
    }
  })

  it('of bytes have round numbers of the unit that they are written in', () => {
    expect(byteScale(0)).toEqual({ end: 1, steps: [0, 1] })
    expect(byteScale(700).end).toBe(800)
    expect(byteScale(7 * 1024 ** 2).steps.map(bytesInWords)).toEqual([
      '0 B',
      '2.0 MiB',
      '4.0 MiB',
      '6.0 MiB',
      '8.0 MiB',
    ])
  })

  it('mark round times within the period, as many as fit', () => {
    const from = Date.parse('2026-09-30T16:01:23Z')
    const steps = timeSteps(from, from + 600_000, 5)
    expect(steps).toHaveLength(5)
    for (const at of steps) {
      expect(at % 120_000).toBe(0)
      expect(at).toBeGreaterThanOrEqual(from)
    }
    expect(timeSteps(from, from + 86_400_000, 6).length).toBeLessThanOrEqual(6)
  })
})

describe('words', () => {
  it('are short enough to be read from a distance', () => {
    expect([0, 950, 3_700_000, 1023.6 * 1024, 123 * 1024 ** 3].map(bytesInWords)).toEqual([
      '0 B',
      '950 B',
      '3.5 MiB',
      '1.0 MiB',
      '123 GiB',
    ])
    expect([0, 0.24, 8.6, 1234.4].map(numberInWords)).toEqual(['0', '0.2', '8.6', '1,234'])
    expect([0, 0.5, 42, 66, 1800, 7500, 300_000].map(timeInWords)).toEqual([
      '0 s',
      '0.5 s',
      '42 s',
      '1 min 6 s',
      '30 min',
      '2 h 5 min',
      '3 d 11 h',
    ])
  })
})
