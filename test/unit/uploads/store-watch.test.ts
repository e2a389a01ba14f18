// Whether the store answers, as creations are told: never at the price of a slow creation, and never for long what is not so.

import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { StoreWatch } from '../../../src/uploads/store-watch.ts'

type Head = () => Promise<undefined>

function watch(head: Head) {
  const set = vi.fn()
  const store = { kind: 's3', head } as unknown as ConstructorParameters<typeof StoreWatch>[0]
  const metrics = { objectStoreUp: { set } } as unknown as ConstructorParameters<typeof StoreWatch>[1]
  return { watch: new StoreWatch(store, metrics), set }
}
const after =
  (ms: number): Head =>
  () =>
    new Promise((resolve) => setTimeout(() => resolve(undefined), ms))
const away: Head = () => Promise.reject(new Error('503'))

beforeEach(() => void vi.useFakeTimers())
afterEach(() => void vi.useRealTimers())

/** How long it took, and what it said. */
async function asked(one: StoreWatch): Promise<{ up: boolean; ms: number }> {
  const startedMs = Date.now()
  let answered: { up: boolean; ms: number } | undefined
  void one.reachable().then((up) => {
    answered = { up, ms: Date.now() - startedMs }
  })
  for (let i = 0; i < 500 && answered === undefined; i++) await vi.advanceTimersByTimeAsync(10)
  if (answered === undefined) throw new Error('no answer within 5 s')
  return answered
}

describe('the watch over the store', () => {
  it('says so at once when the store refuses', async () => {
    expect(await asked(watch(away).watch)).toMatchObject({ up: false })
  })
  it('does not let a creation wait for a store that is slow', async () => {
    const { watch: slow } = watch(after(1500))
    for (let i = 0; i < 5; i++) {
      const { up, ms } = await asked(slow)
      expect(up).toBe(true)
      expect(ms).toBeLessThanOrEqual(260)
    }
  })
  it('notices after three seconds that a store says nothing, and believes it only after another look', async () => {
    const { watch: silent, set } = watch(() => new Promise(() => {}))
    expect((await asked(silent)).up).toBe(true)
    await vi.advanceTimersByTimeAsync(3000)
    expect(set).toHaveBeenLastCalledWith(0)
    expect(await asked(silent)).toMatchObject({ up: false })
  })
})
