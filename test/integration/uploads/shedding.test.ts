// What is refused under pressure is creations, and only for a reason; what runs goes on.

import { afterAll, afterEach, beforeAll, expect, onTestFinished, test, vi } from 'vitest'
import { Admission, LATE_LOOP_MS } from '../../../src/uploads/admission.ts'
import { pdfBytes, sha256 } from '../../support/bytes.ts'
import { type Environment, openEnvironment } from '../../support/environment.ts'
import { waitFor } from '../../support/http.ts'
import { overBothStores } from '../../support/over-both-stores.ts'
import type { TusUser } from '../../support/tus.ts'
import { type Neighbour, startNeighbour } from './neighbour.ts'
import { expectProblem } from './problem.ts'

/** Stops this thread, which is also the service's, without using the processor. */
function hang(ms: number): void {
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, ms)
}

overBothStores((kind) => {
  let stack: Environment
  let neighbour: Neighbour
  let user: TusUser

  beforeAll(async () => {
    stack = await openEnvironment({ store: kind })
    neighbour = await startNeighbour(stack)
  })
  afterEach(async () => {
    vi.restoreAllMocks()
    stack.deps.admission.setClosed(null)
    await neighbour.step()
  })
  afterAll(async () => {
    await neighbour.finish()
    await stack.close()
  })

  /** An upload that was begun before, and goes on and ends whatever `pressure` there is on creations. */
  async function expectShed(code: string, pressure: () => unknown): Promise<void> {
    const bytes = pdfBytes(30_000)
    user = await stack.user('plan')
    const url = await user.create({ length: bytes.length, name: 'a.pdf' })
    await pressure()
    const refused = await user.post({ length: 10, name: 'b.pdf' })
    expectProblem(refused, 503, code)
    expect(Number(refused.headers['retry-after'])).toBeGreaterThan(0)
    expect(refused.headers.location).toBeUndefined()
    expect((await user.patch(url, 0, bytes.subarray(0, 10_000))).status).toBe(204)
    expect(await user.offset(url)).toBe(10_000)
    expect((await user.patch(url, 10_000, bytes.subarray(10_000))).status).toBe(204)
    expect(await stack.storedSha256(url)).toBe(sha256(bytes))
  }

  test('an operator closed the admission', () =>
    expectShed('ADMISSION_CLOSED', () => stack.deps.admission.setClosed({ reason: 'พักระบบ', retryAfterSeconds: 30 })))

  test('no disk space for the declared length', async () => {
    const free = vi.spyOn(stack.deps.store, 'freeBytes')
    await expectShed('NO_SPACE', async () => {
      free.mockResolvedValue(100)
      // It was asked a moment ago, and is not asked for every creation.
      await waitFor(async () => (await user.post({ length: 10, name: 'b.pdf' })).status === 503)
    })
    free.mockRestore()
    await waitFor(async () => (await user.post({ length: 10, name: 'b.pdf' })).status === 201)
  })

  test('not because of a number of running uploads', async () => {
    const users = await Promise.all(Array.from({ length: 20 }, () => stack.user('film')))
    const created = await Promise.all(
      users.flatMap((one) => Array.from({ length: 10 }, () => one.post({ length: 1000, name: 'a.mp4' }))),
    )
    expect(new Set(created.map(({ status }) => status))).toEqual(new Set([201]))
  })

  // The last one of this process: one that drains does not come back.
  test('draining', () => expectShed('DRAINING', () => stack.deps.admission.drain()))

  test('not because the event loop was blocked while the service started', async () => {
    const { store, metrics, clock, redis } = stack.deps
    const admission = new Admission({
      store,
      metrics,
      clock,
      redis: redis.hot,
      expiryMs: stack.deps.config.uploads.expiryMs,
      lateLoopMs: LATE_LOOP_MS,
    })
    onTestFinished(() => admission.close())
    for (let turn = 0; turn < 4; turn++) {
      hang(350)
      await new Promise((resolve) => setImmediate(resolve))
    }
    await admission.check(10)
  })

  test('a late event loop, as long as it is late', async () => {
    // On its own: where it counts, a busy machine would fail the others.
    await neighbour.finish()
    await stack.close()
    stack = await openEnvironment({ store: kind, lateLoopMs: LATE_LOOP_MS })
    neighbour = await startNeighbour(stack)
    await expectShed('OVERLOADED', async () => {
      for (let turn = 0; turn < 8; turn++) {
        hang(280)
        await new Promise((resolve) => setImmediate(resolve))
      }
    })
    await waitFor(async () => (await user.post({ length: 10, name: 'b.pdf' })).status === 201)
  })
})
