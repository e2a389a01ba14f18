import { describe, expect, it } from 'vitest'
import { JOB_OPTIONS } from '../../../src/jobs/contract.ts'
import { DeliveryError, RETRY_DELAYS_MS, retryAfterMs, webhookBackoff } from '../../../workers/notify/schedule.ts'

const delayAfter = async (attempts: number, error = new DeliveryError('HTTP 500')) =>
  await webhookBackoff(attempts, 'webhook', error)

describe('webhookBackoff', () => {
  it('follows the schedule of Standard Webhooks, plus at most a tenth', async () => {
    const minutes = [1 / 12, 5, 30, 120, 300, 600, 840, 1200, 1440]
    expect(RETRY_DELAYS_MS).toEqual(minutes.map((n) => n * 60_000))
    for (const [i, planned] of RETRY_DELAYS_MS.entries()) {
      const delay = await delayAfter(i + 1)
      expect(delay).toBeGreaterThanOrEqual(planned)
      expect(delay).toBeLessThanOrEqual(planned * 1.1)
    }
  })

  it('spreads retries of deliveries that failed at the same time', async () => {
    const delays = new Set(await Promise.all(Array.from({ length: 20 }, () => delayAfter(3))))
    expect(delays.size).toBeGreaterThan(10)
  })

  it('never retries sooner than the receiver asked, nor more than a day later because of it', async () => {
    expect(await delayAfter(1, new DeliveryError('HTTP 503', { retryAfterMs: 90_000 }))).toBeGreaterThanOrEqual(90_000)
    expect(await delayAfter(3, new DeliveryError('HTTP 429', { retryAfterMs: 1000 }))).toBeGreaterThanOrEqual(
      30 * 60_000,
    )
    expect(await delayAfter(1, new DeliveryError('HTTP 503', { retryAfterMs: 9e9 }))).toBeLessThanOrEqual(
      1.1 * 86_400_000,
    )
  })

  it('has a pause for every attempt that the queue contract allows', async () => {
    expect(JOB_OPTIONS.notify.backoff).toEqual({ type: 'webhook' })
    const attempts = JOB_OPTIONS.notify.attempts ?? 1
    expect(attempts).toBeGreaterThanOrEqual(RETRY_DELAYS_MS.length + 1)
    expect(await delayAfter(attempts - 1)).toBeGreaterThanOrEqual(86_400_000)
  })
})

describe('retryAfterMs', () => {
  const now = Date.parse('2026-11-21T10:00:00Z')
  it.each([
    ['120', 120_000],
    [' 7 ', 7000],
    ['Sat, 21 Nov 2026 10:00:30 GMT', 30_000],
    ['99999999', 86_400_000],
    ['0', undefined],
    ['-5', undefined],
    ['soon', undefined],
    ['Sat, 21 Nov 2026 09:00:00 GMT', undefined],
    [undefined, undefined],
  ])('%s → %s', (value, expected) => {
    expect(retryAfterMs(value, now)).toBe(expected)
  })
})
