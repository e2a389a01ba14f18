// When a webhook is retried: the schedule that Standard Webhooks recommends, with jitter, or later if the receiver asks
// for it.

import type { BackoffStrategy } from 'bullmq'

const SECOND = 1000
const MINUTE = 60 * SECOND
const HOUR = 60 * MINUTE

/** Pause after the first, second, … failed attempt. The first attempt is made immediately. @internal */
export const RETRY_DELAYS_MS: readonly number[] = [
  5 * SECOND,
  5 * MINUTE,
  30 * MINUTE,
  2 * HOUR,
  5 * HOUR,
  10 * HOUR,
  14 * HOUR,
  20 * HOUR,
  24 * HOUR,
]

const LONGEST_DELAY_MS = 24 * HOUR
/** Random share added to a pause, so that a receiver after an outage does not get all retries at the same time. */
const JITTER = 0.1

/** A delivery that may succeed later. Its message goes into the job's log: no response text, no secrets. */
export class DeliveryError extends Error {
  /** The receiver's Retry-After. */
  readonly retryAfterMs: number | undefined
  constructor(message: string, options: { retryAfterMs?: number | undefined; cause?: unknown } = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause })
    this.name = 'DeliveryError'
    this.retryAfterMs = options.retryAfterMs
  }
}

/** Milliseconds to wait after `attemptsMade` attempts (1 after the first). Never sooner than the receiver asked. */
export const webhookBackoff: BackoffStrategy = (attemptsMade, _type, error) => {
  const planned = RETRY_DELAYS_MS[attemptsMade - 1] ?? LONGEST_DELAY_MS
  const asked = error instanceof DeliveryError ? (error.retryAfterMs ?? 0) : 0
  const delayMs = Math.min(Math.max(planned, asked), LONGEST_DELAY_MS)
  return Math.round(delayMs * (1 + JITTER * Math.random()))
}

/** Retry-After (RFC 9110, 10.2.3), seconds or a date, as milliseconds from now; undefined if it is not usable. */
export function retryAfterMs(value: string | undefined, nowMs: number): number | undefined {
  if (value === undefined) return undefined
  const text = value.trim()
  const ms = /^\d+$/.test(text) ? Number(text) * SECOND : Date.parse(text) - nowMs
  return Number.isFinite(ms) && ms > 0 ? Math.min(ms, LONGEST_DELAY_MS) : undefined
}
