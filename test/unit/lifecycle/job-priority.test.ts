// The order of a queue: short work and near deadlines first, nobody's tenth file before another's first, and nobody for ever.

import { describe, expect, it } from 'vitest'
import { costSeconds } from '../../../src/lifecycle/job-cost.ts'
import { type JobNeed, jobPriority } from '../../../src/lifecycle/job-priority.ts'
import type { Measured } from '../../../src/records/upload-record.ts'

const NOW = Date.parse('2026-05-01T08:00:00Z')
const at = (minutes: number) => new Date(NOW + minutes * 60_000).toISOString()
const FILM_SECONDS = 900
const priority = (changes: Partial<JobNeed> = {}) =>
  jobPriority({ lane: 'transcode', deadline: at(60), ahead: 0, costSeconds: FILM_SECONDS, nowMs: NOW, ...changes })
const later = (minutes: number, changes: Partial<JobNeed> = {}) =>
  priority({ deadline: at(minutes + 60), ...changes, nowMs: NOW + minutes * 60_000 })

describe('the priority of a job', () => {
  it('is higher, a smaller number, the nearer the deadline, within a day', () => {
    const numbers = [at(-30), at(60), at(600), null].map((deadline) => priority({ deadline }))
    expect(numbers).toEqual(numbers.toSorted((a, b) => a - b))
    expect(new Set(numbers).size).toBe(numbers.length)
    expect(priority({ deadline: at(10_000_000) })).toBe(priority({ deadline: null }))
  })

  it('is higher for short work, whatever its deadline', () => {
    expect(priority({ costSeconds: 2, deadline: null })).toBeLessThan(priority())
    expect(later(30, { costSeconds: 2, deadline: null })).toBeLessThan(priority())
  })

  it('has an age limit: a waiting film comes before short work of two days later', () => {
    const oldest = priority({ deadline: null, costSeconds: 100_000 })
    expect(later(49 * 60, { costSeconds: 1 })).toBeGreaterThan(oldest)
    const greedy = priority({ deadline: null, costSeconds: 100_000, ahead: 1_000_000 })
    expect(later(97 * 60, { costSeconds: 1 })).toBeGreaterThan(greedy)
  })

  it('is lower with every file of the same person in the lane', () => {
    expect(priority({ ahead: 1 })).toBeGreaterThan(priority())
    expect(priority({ ahead: 2 })).toBeGreaterThan(priority({ deadline: at(90) }))
  })

  it('of a verdict does not depend on the deadline', () => {
    const verdict = { lane: 'validate', costSeconds: 1 } as const
    expect(priority({ ...verdict, deadline: null })).toBe(priority(verdict))
    expect(priority({ ...verdict, ahead: 1 })).toBeGreaterThan(priority({ ...verdict, deadline: null }))
  })

  it('is never 0, which BullMQ would run first, and never above its maximum', () => {
    for (const nowMs of [0, NOW, Date.parse('2045-01-01T00:00:00Z'), Date.parse('2100-01-01T00:00:00Z')]) {
      const number = priority({ nowMs, ahead: 1_000_000 })
      expect(number).toBeGreaterThan(0)
      expect(number).toBeLessThan(2 ** 21)
    }
  })
})

describe('the expected duration of a job', () => {
  const film = (changes: Partial<Measured>): Measured => ({
    kind: 'video',
    container: 'mp4',
    durationSeconds: 720,
    width: 1280,
    height: 720,
    framesPerSecond: 30,
    videoCodec: 'h264',
    ...changes,
  })
  const cost = (measured: Measured | null) => costSeconds({ measured, receivedBytes: 1_000_000 }, 'transcode')

  it('is seconds for pages and clips, minutes for films that must be encoded', () => {
    expect(cost({ kind: 'pdf', container: 'pdf', pages: 3 })).toBeLessThan(5)
    expect(cost(film({ durationSeconds: 1, videoCodec: 'vp8' }))).toBeLessThan(5)
    expect(cost(film({}))).toBeLessThan(20)
    expect(cost(film({ videoCodec: 'av1', width: 3840, height: 2160 }))).toBeGreaterThan(600)
  })

  it('is short if nothing is known, and always for a verdict', () => {
    expect(cost(null)).toBeLessThan(5)
    expect(costSeconds({ measured: film({}), receivedBytes: 2 ** 33 }, 'validate')).toBeLessThan(5)
  })
})
