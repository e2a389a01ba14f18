import { afterEach, beforeEach, expect, it, vi } from 'vitest'
import { startReconciling } from '../../../src/lifecycle/reconcile.ts'

const MINUTE_MS = 60_000

beforeEach(() => {
  vi.useFakeTimers()
})
afterEach(() => {
  vi.useRealTimers()
})

it('reconciles at once and every minute, and waits for a run that takes longer', async () => {
  const ends: (() => void)[] = []
  const tick = vi.fn(() => new Promise<number>((resolve) => ends.push(() => resolve(0))))
  const stop = startReconciling({ tick }, { warn: vi.fn() } as never)
  await vi.advanceTimersByTimeAsync(5 * MINUTE_MS)
  expect(tick).toHaveBeenCalledTimes(1)
  ends[0]?.()
  await vi.advanceTimersByTimeAsync(MINUTE_MS)
  expect(tick).toHaveBeenCalledTimes(2)
  stop()
  ends[1]?.()
  await vi.advanceTimersByTimeAsync(5 * MINUTE_MS)
  expect(tick).toHaveBeenCalledTimes(2)
})

it('goes on after a run that failed', async () => {
  const warn = vi.fn()
  const tick = vi.fn(() => Promise.reject(new Error('Redis is away')))
  const stop = startReconciling({ tick }, { warn } as never)
  await vi.advanceTimersByTimeAsync(MINUTE_MS)
  stop()
  expect([tick.mock.calls.length, warn.mock.calls.length]).toEqual([2, 2])
})
