import { expect, it } from 'vitest'
import { Pacer } from '../../../src/core/pacer.ts'

it('lets concurrent callers make so many calls a second, after a tenth of a second of them at once', async () => {
  const pacer = new Pacer(1000)
  const started = performance.now()
  await Promise.all(Array.from({ length: 100 }, () => pacer.turn(3)))
  // A timer may fire a millisecond early.
  expect(performance.now() - started).toBeGreaterThanOrEqual(198)
})
