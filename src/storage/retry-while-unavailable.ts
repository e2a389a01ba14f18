// Retries during a short failure of the store: clients survive a pause, not an error.

import { setTimeout as delay } from 'node:timers/promises'
import { AppError } from '../core/errors.ts'

export const STORE_HOLD_MS = 20_000
const FIRST_PAUSE_MS = 200
const LONGEST_PAUSE_MS = 3000

/** Repeats `work` while the store is unavailable, at most for `holdMs`; then throws the last error. */
export async function retryWhileUnavailable<T>(work: () => Promise<T>, holdMs = STORE_HOLD_MS): Promise<T> {
  // Monotonic: the wall clock may be changed meanwhile.
  const deadline = performance.now() + holdMs
  for (let attempt = 0; ; attempt++) {
    try {
      return await work()
    } catch (error) {
      const pause = Math.min(LONGEST_PAUSE_MS, FIRST_PAUSE_MS * 2 ** attempt) * (0.5 + Math.random() / 2)
      const passing = error instanceof AppError && error.code === 'STORE_UNAVAILABLE'
      if (!passing || performance.now() + pause > deadline) throw error
      await delay(pause)
    }
  }
}
