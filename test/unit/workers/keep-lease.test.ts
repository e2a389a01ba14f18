// A lease does not run out while its holder is at work, though the store is away for a moment.

import { afterEach, beforeEach, expect, it, vi } from 'vitest'
import { AppError } from '../../../src/core/errors.ts'
import { createLogger } from '../../../src/core/logger.ts'
import type { LaneLease, LaneLeases } from '../../../src/lifecycle/lane-leases.ts'
import { keepLease } from '../../../workers/lanes/keep-lease.ts'

const LEASE = { leaseMs: 60_000 } as LaneLease

beforeEach(() => {
  vi.useFakeTimers()
})
afterEach(() => {
  vi.useRealTimers()
})

function keeping() {
  const renew = vi.fn<LaneLeases['renew']>().mockResolvedValue(true)
  const onLost = vi.fn()
  const end = keepLease(
    { leases: { renew } as unknown as LaneLeases },
    LEASE,
    onLost,
    createLogger({ name: 'test', level: 'silent' }),
  )
  return { renew, onLost, end }
}

it('is renewed at each third of its life, until its run ends', async () => {
  const { renew, onLost, end } = keeping()
  await vi.advanceTimersByTimeAsync(19_000)
  expect(renew).not.toHaveBeenCalled()
  await vi.advanceTimersByTimeAsync(42_000)
  expect(renew).toHaveBeenCalledTimes(3)
  end()
  await vi.advanceTimersByTimeAsync(600_000)
  expect(renew).toHaveBeenCalledTimes(3)
  expect(onLost).not.toHaveBeenCalled()
})

it('is renewed soon after an outage of the store, however long that was', async () => {
  const { renew, onLost, end } = keeping()
  renew.mockRejectedValue(new AppError('STORE_UNAVAILABLE'))
  await vi.advanceTimersByTimeAsync(300_000)
  renew.mockReset().mockResolvedValue(true)
  await vi.advanceTimersByTimeAsync(5000)
  expect(renew).toHaveBeenCalledTimes(1)
  expect(onLost).not.toHaveBeenCalled()
  end()
})

it('ends as well while a renewal is under way', async () => {
  const { renew, end } = keeping()
  let answer = (_: boolean) => {}
  renew.mockReturnValueOnce(
    new Promise((resolve) => {
      answer = resolve
    }),
  )
  await vi.advanceTimersByTimeAsync(20_000)
  end()
  answer(true)
  await vi.advanceTimersByTimeAsync(600_000)
  expect(renew).toHaveBeenCalledTimes(1)
})

it('that is lost is said once', async () => {
  const { renew, onLost } = keeping()
  renew.mockResolvedValue(false)
  await vi.advanceTimersByTimeAsync(600_000)
  expect(onLost).toHaveBeenCalledTimes(1)
})
