// The audit of a rehearsal: every way in which something can be wrong has to show.

import { createHash } from 'node:crypto'
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { afterEach, describe, expect, it } from 'vitest'
import { strays } from '../../../../tools/rehearse/audit/processes.ts'
import { auditStore } from '../../../../tools/rehearse/audit/store.ts'
import { auditUploads } from '../../../../tools/rehearse/audit/uploads.ts'
import { wasHeld } from '../../../../tools/rehearse/faults.ts'
import type { UploadOutcome } from '../../../../tools/rehearse/generator/messages.ts'
import { goalsOf, type Measured, slopeOf } from '../../../../tools/rehearse/goals.ts'
import { SCENARIOS, type Scenario } from '../../../../tools/rehearse/scenarios.ts'
import { byLane, LivingCounter } from '../../../../tools/rehearse/watch/service-counters.ts'
import type { Finding } from '../../../../tools/surge/verify.ts'
import { startChild } from '../../../support/children.ts'

const ID = 'a'.repeat(40)
const BYTES = Buffer.from('these are the bytes')
const outcome: UploadOutcome = {
  plan: {
    number: 7,
    arrivesMs: 0,
    kind: 'video',
    damage: 'none',
    fileBytes: BYTES.length,
    real: false,
    line: { name: '4G', bytesPerSecond: 1, breaks: [] },
  },
  sha256: createHash('sha256').update(BYTES).digest('hex'),
  submissionId: 's',
  arrivedMs: 0,
  endedMs: 9,
  url: `http://127.0.0.1/files/${ID}`,
  resumes: 0,
  breaks: 0,
  restarts: 0,
  sentBytes: 9,
  gaveUp: 0,
}
const finding: Finding = {
  end: 'served',
  why: undefined,
  duplicates: 0,
  state: 'ready',
  problems: [],
  verdictMs: 250,
  readyMs: 900,
}

describe('uploads', () => {
  const audit = (found: Partial<Finding> = {}, out: Partial<UploadOutcome> = {}, verdicts = [1]) =>
    auditUploads([{ ...outcome, ...out }], [{ ...finding, ...found }], () => verdicts)
  const damaged = { plan: { ...outcome.plan, damage: 'noIndex' as const } }

  it('all is well', () => {
    expect(audit()).toMatchObject({ served: 1, payloadBytes: BYTES.length, errors: [] })
    expect(audit({ state: 'rejected', problems: ['INCOMPLETE_FILE'] }, damaged)).toMatchObject({
      misjudged: 0,
      rejections: { INCOMPLETE_FILE: 1 },
      errors: [],
    })
  })
  it.each([
    ['lost', audit({ end: 'lost', why: 'gone' }), '1 lost: #7 gone'],
    ['duplicated', audit({ duplicates: 1 }), '1 duplicated: #7'],
    ['unfinished', audit({ end: 'unfinished', why: 'late' }), '1 unfinished: #7 late'],
    ['restartedFromZero', audit({}, { restarts: 1 }), '1 restarted from byte 0: #7'],
    ['undecided', audit({}, {}, []), '1 without a verdict: #7 is ready'],
    ['undecided', audit({ state: 'checking' }), '1 without a verdict: #7 is checking'],
    ['misjudged', audit({ state: 'rejected', problems: ['X'] }), '1 misjudged: #7 video none rejected X'],
    ['misjudged', audit({ state: 'accepted' }, damaged), '1 misjudged: #7 video noIndex accepted '],
  ] as const)('%s', (count, found, words) => {
    expect(found[count]).toBe(1)
    expect(found.errors).toEqual([words])
  })
  it('permanently refused, by code', () => {
    expect(audit({ end: 'refused', why: 'no' }, { failure: 'no', failureCode: 'SLOT_FULL' }).refused).toEqual({
      SLOT_FULL: 1,
    })
  })
})

describe('store', () => {
  const made: string[] = []
  afterEach(() => Promise.all(made.splice(0).map((path) => rm(path, { recursive: true }))))

  const found = async (files: Record<string, Buffer | string>, unfinished: string[] = []) => {
    const root = await mkdtemp(join(tmpdir(), 'audit-'))
    made.push(root)
    for (const [name, content] of Object.entries(files)) {
      await mkdir(dirname(join(root, name)), { recursive: true })
      await writeFile(join(root, name), content)
    }
    return await auditStore(
      root,
      [outcome],
      unfinished.map((folder) => join(root, folder)),
    )
  }
  const own = `uploads/0a1b2c/${ID}`

  it('all is well', async () => {
    const files = {
      [`${own}/data`]: BYTES,
      [`${own}/record-000001.json`]: '{}',
      [`${own}/out/t/video.mp4`]: 'x',
    }
    expect(await found({ ...files, 'submissions/x/1': '{}' })).toEqual({ objects: 4, hashed: 1, errors: [] })
  })
  it.each(['one-t0', 'data-joined', 'data-0a1b'])('one object is as good: %s', async (name) => {
    expect((await found({ [`${own}/${name}`]: BYTES })).errors).toEqual([])
  })
  it('segments count up to where the next one begins', async () => {
    const late = Buffer.concat([BYTES.subarray(0, 8), Buffer.from('a late writer')])
    const files = { [`${own}/data`]: late, [`${own}/seg-00000000000008-t1`]: BYTES.subarray(8) }
    expect((await found(files)).errors).toEqual([])
  })
  it('other bytes, or none', async () => {
    const wrong = [`1 files without the bytes that were sent: ${ID}`]
    expect((await found({ [`${own}/data`]: 'other bytes are here' })).errors).toEqual(wrong)
    expect((await found({})).errors).toEqual(wrong)
  })
  it('what belongs to nobody', async () => {
    const stranger = `uploads/0a1b2c/${'b'.repeat(40)}/data`
    const good = { [`${own}/data`]: BYTES }
    expect((await found({ ...good, [stranger]: 'x' })).errors).toEqual([`1 orphan objects: ${stranger}`])
    expect((await found({ ...good, [`${own}/tail-1-t`]: 'x' })).errors).toEqual([`1 orphan objects: ${own}/tail-1-t`])
    expect((await found({ ...good, 'staging/half': 'x' }, ['staging'])).errors).toHaveLength(1)
  })
})

it('finds processes by a mark in their environment', async () => {
  const mark = `REHEARSAL_TEST=${process.pid}`
  const child = await startChild('sleep', ['30'], { env: { REHEARSAL_TEST: String(process.pid) } })
  try {
    expect(strays([mark], []).map(({ pid }) => pid)).toEqual([child.pid])
    expect(strays([mark], [child.pid])).toEqual([])
  } finally {
    await child.stop()
  }
})

describe('goals', () => {
  const scenario = SCENARIOS[0] as Scenario
  const spread = { count: 1, p50: 1, p95: 1, p99: 1, max: 1 }
  const good: Measured = {
    lost: 0,
    duplicated: 0,
    restartedFromZero: 0,
    unfinished: 0,
    refused: 0,
    undecided: 0,
    misjudged: 0,
    strays: 0,
    storeErrors: 0,
    verdictP95Ms: 9999,
    payloadBytes: 100,
    receivedBytes: 105,
    latencies: { POST: spread, HEAD: spread },
    heldLatencies: {},
    peakRssBytes: {},
    series: {},
  }
  const missed = (change: Partial<Measured>, row = scenario) =>
    goalsOf(row, { ...good, ...change }).flatMap(({ met, name }) => (met ? [] : [name]))

  it('are met', () => expect(missed({})).toEqual([]))
  it.each([
    ['lost', { lost: 1 }],
    ['duplicated', { duplicated: 1 }],
    ['restarted from byte 0', { restartedFromZero: 1 }],
    ['unfinished', { unfinished: 1 }],
    ['permanently refused', { refused: 1 }],
    ['without a verdict', { undecided: 1 }],
    ['misjudged', { misjudged: 1 }],
    ['errors in the store', { storeErrors: 1 }],
    ['leftover processes', { strays: 1 }],
    ['bytes received / payload', { receivedBytes: 106 }],
    ['POST p95', { latencies: { POST: { ...spread, p95: 500 }, HEAD: spread } }],
    ['HEAD p99', { latencies: { POST: spread, HEAD: { ...spread, p99: 1000 } } }],
    ['last byte → verdict p95', { verdictP95Ms: 10_000 }],
    ['HEAD while Redis is unavailable, longest', { heldLatencies: { HEAD: { ...spread, max: 22_000 } } }],
    ['peak RSS, service 2', { peakRssBytes: { 'service 2': 300 * 1024 ** 2 } }],
  ])('missed: %s', (name, change) => {
    expect(missed(change)).toEqual([name])
  })
  it('requests held while the bucket fails have limits of their own', () => {
    const brownout = SCENARIOS.find(({ name }) => name === 's3-brownout') as Scenario
    const held = (method: string, max: number) => missed({ heldLatencies: { [method]: { ...spread, max } } }, brownout)
    expect(held('HEAD', 5900)).toEqual([])
    expect(held('HEAD', 6000)).toEqual(['HEAD while the bucket fails, longest'])
    expect(held('PATCH', 25_900)).toEqual([])
    expect(held('PATCH', 26_000)).toEqual(['PATCH while the bucket fails, longest'])
  })
  it('answers are held while Redis or the bucket is away, and for no other reason', () => {
    const mark = { name: 'x', fromMs: 10_000, toMs: 14_000, held: true }
    const at = (seconds: number, ms: number) => wasHeld([mark], [seconds, ms])
    expect([at(9, 50), at(12, 50), at(18, 5000), at(18, 50)]).toEqual([false, true, true, false])
    expect(wasHeld([{ ...mark, held: false }], [12, 50])).toBe(false)
  })
  it('memory that grows is seen where it must not', () => {
    const points = Array.from({ length: 100 }, (_, i) => [i, 100 + i] as const)
    const series = { 'RSS MiB: service': points, 'RSS MiB: redis': points }
    const soak = SCENARIOS.find(({ name }) => name === 'soak') as Scenario
    expect(missed({ series: { 'RSS MiB: service': [...points] } }, soak)).toEqual(['growth, service'])
    expect(missed({ series: series as never }, scenario)).toEqual([])
  })
  it('a slope is that of the straight line', () => {
    expect(
      slopeOf([
        [0, 1],
        [1, 3],
        [2, 5],
      ]),
    ).toBeCloseTo(2)
    expect(slopeOf([[1, 1]])).toBe(0)
  })
})

describe('counters of services', () => {
  it('live on when a process begins anew', () => {
    const counter = new LivingCounter()
    for (const value of [5, 9, undefined, 2, 4]) counter.note('a', value)
    counter.note('b', 10)
    expect(counter.total).toBe(23)
  })
  it('add up by lane', () => {
    const text =
      'jobs{queue="validate",state="waiting"} 3\njobs{queue="validate",state="active"} 1\njobs{queue="notify",state="waiting"} 2\n'
    expect(byLane(text, 'jobs', ({ state }) => state === 'waiting')).toEqual({ validate: 3, notify: 2 })
  })
})
