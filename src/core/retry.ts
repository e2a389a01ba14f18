// Doing something again that fails for reasons that pass.

import { setTimeout as delay } from 'node:timers/promises'
import { hasCode } from './errors.ts'

export type RetryOptions = {
  /** How long it is tried, in milliseconds; a try that has begun is waited for. */
  holdMs: number
  /** Pauses double from the first to the longest, shortened by chance so that not all come back at once. */
  firstPauseMs: number
  longestPauseMs: number
  /** Whether this may pass by itself. */
  isPassing: (error: unknown) => boolean
}

/** What `work` gives as soon as it succeeds; throws what it threw last. */
export async function retry<T>(work: () => Promise<T>, options: RetryOptions): Promise<T> {
  // Not by the clock on the wall, which may be set meanwhile.
  const deadline = performance.now() + options.holdMs
  for (let pauseMs = options.firstPauseMs; ; pauseMs = Math.min(options.longestPauseMs, pauseMs * 2)) {
    try {
      return await work()
    } catch (error) {
      const pause = pauseMs * (0.5 + Math.random() / 2)
      if (!options.isPassing(error) || performance.now() + pause > deadline) throw error
      await delay(pause)
    }
  }
}

const STORE_HOLD_MS = 20_000

/** Waits out a brown-out of the store: clients survive a pause, not an error. */
export async function retryWhileUnavailable<T>(work: () => Promise<T>, holdMs = STORE_HOLD_MS): Promise<T> {
  const isPassing = (error: unknown) => hasCode(error, 'STORE_UNAVAILABLE')
  return await retry(work, { holdMs, firstPauseMs: 200, longestPauseMs: 3000, isPassing })
}
