// The order of a queue: the nearest deadline first, and nobody's tenth file before another's first.

import { describe, expect, it } from 'vitest'
import { type JobNeed, jobPriority } from '../../../src/lifecycle/job-priority.ts'

const NOW = Date.parse('2026-05-01T08:00:00Z')
const at = (minutes: number) => new Date(NOW + minutes * 60_000).toISOString()
const priority = (deadline: string | null, ahead: number, lane: JobNeed['lane'] = 'transcode') =>
  jobPriority({ lane, deadline, ahead, nowMs: NOW })

describe('the priority of a job', () => {
  it('is higher, a smaller number, the nearer the deadline', () => {
    const numbers = [at(-30), at(10), at(60), at(60 * 24), null].map((deadline) => priority(deadline, 0))
    expect(numbers).toEqual(numbers.toSorted((a, b) => a - b))
    expect(new Set(numbers).size).toBe(numbers.length)
  })

  it('is never 0, which BullMQ runs before all that have one', () => {
    expect(priority(at(-100_000), 0)).toBe(1)
    expect(priority(null, 0, 'validate')).toBe(1)
  })

  it('falls with every file of the same person that the lane has', () => {
    expect(priority(at(60), 1)).toBeGreaterThan(priority(at(60), 0))
    expect(priority(at(60), 2)).toBeGreaterThan(priority(at(90), 0))
  })

  it('of a verdict knows no deadline: somebody waits for each', () => {
    expect(priority(null, 0, 'validate')).toBe(priority(at(10), 0, 'validate'))
    expect(priority(at(10), 1, 'validate')).toBeGreaterThan(priority(null, 0, 'validate'))
  })

  it('stays within what BullMQ takes', () => {
    expect(priority(null, 1_000_000)).toBeLessThan(2 ** 21)
    expect(priority(at(10_000_000), 0)).toBe(priority(null, 0))
  })
})
