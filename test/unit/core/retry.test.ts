import { describe, expect, it, vi } from 'vitest'
import { AppError } from '../../../src/core/errors.ts'
import { retry, retryWhileUnavailable } from '../../../src/core/retry.ts'
import { withTimeout } from '../../../src/core/with-timeout.ts'

const away = new AppError('STORE_UNAVAILABLE')
const SHORT = { firstPauseMs: 1, longestPauseMs: 2, isPassing: (error: unknown) => error === away }
const never = new Promise<string>(() => undefined)

describe('retry', () => {
  it('repeats the call until it succeeds', async () => {
    const work = vi.fn().mockRejectedValueOnce(away).mockRejectedValueOnce(away).mockResolvedValue('done')
    expect(await retry(work, { ...SHORT, holdMs: 60_000 })).toBe('done')
    expect(work).toHaveBeenCalledTimes(3)
  })

  it('throws a permanent error immediately', async () => {
    const work = vi.fn().mockRejectedValueOnce(away).mockRejectedValue(new Error('for good'))
    await expect(retry(work, { ...SHORT, holdMs: 60_000 })).rejects.toThrow('for good')
    expect(work).toHaveBeenCalledTimes(2)
  })

  it('throws the last error when the time is over, and starts no pause that would end later', async () => {
    const work = vi.fn().mockRejectedValue(away)
    await expect(retry(work, { ...SHORT, holdMs: 0 })).rejects.toBe(away)
    expect(work).toHaveBeenCalledTimes(1)
  })

  it('of a store retries only while the store is unavailable', async () => {
    const full = new AppError('NO_SPACE')
    await expect(retryWhileUnavailable(() => Promise.reject(full))).rejects.toBe(full)
    await expect(retryWhileUnavailable(() => Promise.reject(away), 0)).rejects.toBe(away)
  })
})

describe('withTimeout', () => {
  it('returns or throws the result of work that ends in time', async () => {
    const late = vi.fn()
    expect(await withTimeout(Promise.resolve('result'), 60_000, late)).toBe('result')
    await expect(withTimeout(Promise.reject(away), 60_000, late)).rejects.toBe(away)
    expect(late).not.toHaveBeenCalled()
  })

  it('returns or throws the given result if the work takes longer', async () => {
    expect(await withTimeout(never, 1, () => 'late')).toBe('late')
    const thrown = withTimeout(never, 1, () => {
      throw new Error('too late')
    })
    await expect(thrown).rejects.toThrow('too late')
  })
})
