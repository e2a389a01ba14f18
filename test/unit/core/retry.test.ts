import { describe, expect, it, vi } from 'vitest'
import { AppError } from '../../../src/core/errors.ts'
import { retry, retryWhileUnavailable } from '../../../src/core/retry.ts'
import { withTimeout } from '../../../src/core/with-timeout.ts'

const away = new AppError('STORE_UNAVAILABLE')
const SHORT = { firstPauseMs: 1, longestPauseMs: 2, isPassing: (error: unknown) => error === away }
const never = new Promise<string>(() => undefined)

describe('retry', () => {
  it('does it again until it succeeds', async () => {
    const work = vi.fn().mockRejectedValueOnce(away).mockRejectedValueOnce(away).mockResolvedValue('done')
    expect(await retry(work, { ...SHORT, holdMs: 60_000 })).toBe('done')
    expect(work).toHaveBeenCalledTimes(3)
  })

  it('throws at once what does not pass', async () => {
    const work = vi.fn().mockRejectedValueOnce(away).mockRejectedValue(new Error('for good'))
    await expect(retry(work, { ...SHORT, holdMs: 60_000 })).rejects.toThrow('for good')
    expect(work).toHaveBeenCalledTimes(2)
  })

  it('throws what it threw last when the time is over, and begins no pause that would end later', async () => {
    const work = vi.fn().mockRejectedValue(away)
    await expect(retry(work, { ...SHORT, holdMs: 0 })).rejects.toBe(away)
    expect(work).toHaveBeenCalledTimes(1)
  })

  it('of a store waits for nothing but its coming back', async () => {
    const full = new AppError('NO_SPACE')
    await expect(retryWhileUnavailable(() => Promise.reject(full))).rejects.toBe(full)
    await expect(retryWhileUnavailable(() => Promise.reject(away), 0)).rejects.toBe(away)
  })
})

describe('withTimeout', () => {
  it('gives or throws what the work does in time', async () => {
    const late = vi.fn()
    expect(await withTimeout(Promise.resolve('result'), 60_000, late)).toBe('result')
    await expect(withTimeout(Promise.reject(away), 60_000, late)).rejects.toBe(away)
    expect(late).not.toHaveBeenCalled()
  })

  it('gives or throws what is said of work that takes longer', async () => {
    expect(await withTimeout(never, 1, () => 'late')).toBe('late')
    const thrown = withTimeout(never, 1, () => {
      throw new Error('too late')
    })
    await expect(thrown).rejects.toThrow('too late')
  })
})
