import { describe, expect, it } from 'vitest'
import { createMetrics } from '../../../src/core/metrics.ts'
import { settingsFor } from '../../../src/ops/control-watch.ts'
import { decodeControls } from '../../../src/ops/controls.ts'
import { countsSince } from '../../../src/ops/counters.ts'
import { fittedCurve } from '../../../src/ops/curve.ts'
import { percentile } from '../../../src/ops/dashboard.ts'
import { textsIn, withLines, wordsOf } from '../../../src/ops/find/words.ts'
import { laneView } from '../../../src/ops/lane-view.ts'
import { merged } from '../../../src/ops/rollup.ts'

describe('the curve of expected arrivals', () => {
  const deadline = 100 * 60_000

  it('matches past arrivals, rises, and ends at the deadline', () => {
    const curve = fittedCurve(deadline, { fromMs: 0, nowMs: 60 * 60_000, arrived: 500 })
    expect(curve?.between(0, 60 * 60_000)).toBeCloseTo(500)
    const perTenMinutes = [0, 3, 6, 9].map((i) => curve?.between(i * 600_000, (i + 1) * 600_000) ?? 0)
    expect(perTenMinutes).toEqual(perTenMinutes.toSorted((a, b) => a - b))
    expect(curve?.between(deadline - 60_000, deadline)).toBeGreaterThan(300)
    expect(curve?.between(deadline, deadline + 600_000)).toBe(0)
  })

  it('is empty without arrivals', () => {
    expect(fittedCurve(deadline, { fromMs: 0, nowMs: 1000, arrived: 0 })).toBeUndefined()
    expect(fittedCurve(deadline, { fromMs: 1000, nowMs: 1000, arrived: 5 })).toBeUndefined()
  })
})

describe('a lane', () => {
  const counts = { waiting: 2, prioritized: 10, active: 3, delayed: 4, failed: 1, completed: 9 }
  const stats = { counts, oldestWaitingSeconds: 20 }
  const done = {
    'job:inspect:done': 20,
    'job:inspect:dropped': 10,
    'job:inspect:retried': 99,
    'job:notify:done': 7,
  }
  const running = { paused: false, concurrency: null }

  it('is drained after the waiting jobs divided by their rate', () => {
    const view = laneView('inspect', stats, running, done, 60)
    expect(view).toMatchObject({
      waiting: 12,
      active: 3,
      delayed: 4,
      failed: 1,
      donePerMinute: 30,
      drainSeconds: 30,
    })
  })

  it('that is paused or stalled has no drain time; one without jobs is drained', () => {
    expect(laneView('inspect', stats, { ...running, paused: true }, done, 60).drainSeconds).toBeNull()
    expect(laneView('inspect', stats, running, {}, 60).drainSeconds).toBeNull()
    const none = { counts: { ...counts, waiting: 0, prioritized: 0, active: 0 }, oldestWaitingSeconds: 0 }
    expect(laneView('inspect', none, running, {}, 60).drainSeconds).toBe(0)
  })
})

describe('counts', () => {
  it('are differences since the last sample; refusals do not include normal protocol responses', async () => {
    const metrics = createMetrics({ processMetrics: false })
    const counted = countsSince(metrics)
    metrics.uploadsCreated.inc(2)
    metrics.uploadErrors.inc({ code: 'OVERLOADED', status: 503 })
    metrics.uploadErrors.inc({ code: 'REDIS_UNAVAILABLE', status: 423 })
    metrics.uploadErrors.inc({ code: 'OFFSET_MISMATCH', status: 409 })
    metrics.uploadVerdict.observe(0.4)
    metrics.uploadVerdict.observe(3)
    metrics.jobDuration.observe({ queue: 'validate', outcome: 'done' }, 0.1)
    const first = await counted()
    expect(first).toMatchObject({
      created: 2,
      'refused:OVERLOADED': 1,
      'held:REDIS_UNAVAILABLE': 1,
      verdicts: 2,
      'verdict:0.5': 1,
      'verdict:5': 2,
      'job:validate:done': 1,
    })
    expect(Object.keys(first).filter((name) => name.includes('OFFSET'))).toEqual([])
    expect(percentile(first, 0.5)).toBe(0.5)
    expect(percentile(first, 0.95)).toBe(5)
    expect(percentile({}, 0.95)).toBeNull()
    metrics.uploadsCreated.inc()
    expect(await counted()).toEqual({ created: 1 })
  })

  it('of buckets are added up', () => {
    const bucket = (atMs: number, created: number) => ({ atMs, counts: { created } })
    expect(merged([bucket(0, 1), bucket(5, 2), bucket(10, 4)], 2)).toEqual([bucket(0, 3), bucket(10, 4)])
  })
})

describe('control settings', () => {
  const at = (ms: number) => new Date(ms).toISOString()

  it('to drain apply to processes that were running at that time', () => {
    const state = decodeControls({
      'drain:a:1': JSON.stringify({ by: 'me', at: at(5000) }),
      'concurrency:transcode': JSON.stringify({ by: 'me', at: at(1), jobs: 2 }),
      'concurrency:gone': JSON.stringify({ by: 'me', at: at(1), jobs: 9 }),
      later: 'not for this version',
    })
    expect(settingsFor(state, 'a:1', 4000)).toEqual({
      admission: null,
      draining: true,
      concurrency: { transcode: 2 },
    })
    expect(settingsFor(state, 'a:1', 6000).draining).toBe(false)
    expect(settingsFor(state, 'b:1', 4000).draining).toBe(false)
  })
})

describe('search words', () => {
  it('are in lower case, unique, and come from all metadata of the portal', () => {
    expect(wordsOf('  Somchai  CHAI somchai ')).toEqual(['somchai', 'chai'])
    expect(wordsOf('   ')).toEqual([])
    expect(textsIn({ school: 'บ้านหนอง', n: 7, deep: [{ a: 'x' }, null] })).toEqual(['บ้านหนอง', '7', 'x'])
    // One letter, written as one character or as two.
    expect(withLines('', ['Cafe\u0301'])).toBe('caf\u00e9')
    expect(withLines('s-1\nann', ['ANN', 'film.mp4', null, ''])).toBe('s-1\nann\nfilm.mp4')
  })

  it('are limited in number: the id stays, the oldest others are dropped', () => {
    let lines = ''
    for (let i = 0; i < 1000; i++) lines = withLines(lines, ['the-id', `file number ${i} of many.mp4`])
    expect(lines.length).toBeLessThanOrEqual(6000)
    expect(lines.startsWith('the-id\n')).toBe(true)
    expect(lines).toContain('file number 999 ')
    expect(lines).not.toContain('file number 0 ')
  })
})
