import { expect, it } from 'vitest'
import { applyControls } from '../../../workers/lane-controller.ts'

function lane(name: string, concurrency: number) {
  const worker = {
    name,
    concurrency,
    paused: false,
    isPaused: () => worker.paused,
    async pause() {
      worker.paused = true
    },
    async resume() {
      worker.paused = false
    },
  }
  return worker
}

it('sets the concurrency, returns to the configured one, and starts no jobs while it drains', async () => {
  const [validate, transcode] = [lane('validate', 8), lane('transcode', 1)]
  const applied = applyControls([validate, transcode])
  await applied.apply({ admission: null, draining: true, concurrency: { validate: 2 } })
  expect(applied.lanes()).toEqual({ validate: 2, transcode: 1 })
  expect([validate.paused, transcode.paused]).toEqual([true, true])
  await applied.apply({ admission: null, draining: false, concurrency: {} })
  expect(applied.lanes()).toEqual({ validate: 8, transcode: 1 })
  expect([validate.paused, transcode.paused]).toEqual([false, false])
})
