// The order of a queue: the nearest deadline first, and nobody's tenth file before another's first.

import { describe, expect, it } from 'vitest'
import { lanePriority } from '../../../workers/lanes/priority.ts'

const NOW = Date.parse('2026-05-01T08:00:00Z')
const at = (minutes: number) => new Date(NOW + minutes * 60_000).toISOString()

describe('the priority of a job', () => {
  it('is higher, a smaller number, the nearer the deadline', () => {
    const numbers = [at(-30), at(10), at(60), at(60 * 24), null].map((deadline) => lanePriority(deadline, 0, NOW))
    expect(numbers).toEqual(numbers.toSorted((a, b) => a - b))
    expect(new Set(numbers).size).toBe(numbers.length)
  })

  it('is never 0, which BullMQ runs before all that have one', () => {
    expect(lanePriority(at(-100_000), 0, NOW)).toBe(1)
  })

  it('falls with every file of the same person that is in work', () => {
    expect(lanePriority(at(60), 1, NOW)).toBeGreaterThan(lanePriority(at(60), 0, NOW))
    expect(lanePriority(at(60), 2, NOW)).toBeGreaterThan(lanePriority(at(90), 0, NOW))
  })

  it('stays within what BullMQ takes', () => {
    expect(lanePriority(null, 30_000, NOW)).toBeLessThan(2 ** 21)
    expect(lanePriority(at(10_000_000), 0, NOW)).toBe(lanePriority(null, 0, NOW))
  })
})
