// A clock that stands still until a test moves it.

import type { Clock } from '../../src/core/clock.ts'

export type TestClock = Clock & { ms: number }

/** Now, and no fixed date: Redis expires keys by its own clock, which a test cannot move. Whole seconds, as tokens count. */
export const START = Math.floor(Date.now() / 1000) * 1000

export function testClock(): TestClock {
  const clock = { ms: START, now: () => clock.ms }
  return clock
}

/** Moves a clock of this file; the others move of themselves. */
export function tick(clock: Clock, ms: number): void {
  if ('ms' in clock) (clock as TestClock).ms += ms
}
