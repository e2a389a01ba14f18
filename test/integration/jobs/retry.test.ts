// What was given up, begun again by hand: at once, under the next generation, and once.

import { Worker } from 'bullmq'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { QUEUE_PREFIX, uploadJobId } from '../../../src/jobs/contract.ts'
import { Queues } from '../../../src/jobs/queues.ts'
import { LaneJobs } from '../../../src/lifecycle/lane-jobs.ts'
import { findFailed, retryLane, retryWebhooks } from '../../../src/lifecycle/retry.ts'
import { type Environment, openEnvironment } from '../../support/environment.ts'
import { waitFor } from '../../support/http.ts'
import { begun, failed as givenUp } from '../../support/records.ts'

let stack: Environment
let queues: Queues
let laneJobs: LaneJobs
const parts = () => ({ uploads: stack.deps.uploads, queues, laneJobs, redis: stack.deps.redis.hot })

beforeAll(async () => {
  stack = await openEnvironment({ listens: false })
  const producer = stack.connect('producer')
  await waitFor(() => producer.status === 'ready')
  queues = new Queues(producer, stack.deps.logger)
  laneJobs = new LaneJobs({ queues, heads: stack.deps.heads, redis: stack.deps.redis.hot, clock: stack.clock })
})
afterAll(async () => {
  await queues.close()
  await stack.close()
})

it('finds lanes that failed since the given time, and queues each of them once', async () => {
  await stack.commitHead('s')
  const failedAt = '2026-09-30T10:00:00.000Z'
  const { id } = await stack.putUpload('s')
  await stack.reach(id, 'accepted')
  const message = 'no space left'
  const atMs = Date.parse(failedAt)
  await stack.commit(id, (current) => givenUp(begun(current, 'transcode'), 'transcode', { message, atMs }))
  const other = await stack.putUpload('s')
  await stack.reach(other.id, 'accepted')
  await stack.commit(other.id, (current) => begun(current, 'inspect'))
  const failed = await findFailed(parts(), 0)
  expect(failed).toEqual([{ uploadId: id, lane: 'transcode', failedAt, error: 'no space left' }])
  expect(await findFailed(parts(), Date.parse(failedAt) + 1)).toEqual([])

  const [one] = failed
  if (one === undefined) throw new Error('nothing failed')
  const started = await Promise.all([retryLane(parts(), one), retryLane(parts(), one)])
  expect(started.filter(Boolean)).toHaveLength(1)
  expect((await stack.deps.uploads.fromStore(id))?.lanes.transcode).toEqual({ generation: 2, attempts: 0 })
  const job = await queues.byLane.transcode.getJob(uploadJobId('transcode', id, 2))
  expect(job?.data).toMatchObject({ uploadId: id, generation: 2 })
  expect(await findFailed(parts(), 0)).toEqual([])
})

it('retries webhooks that failed since the given time', async () => {
  const { notify } = queues.byLane
  const told = { owner: 'portal', url: 'https://portal.example', eventId: 'evt_1', body: '{}' }
  await notify.add('notify', told, { jobId: 'webhook-1', attempts: 1, priority: 1000 })
  const worker = new Worker('notify', () => Promise.reject(new Error('503')), {
    connection: stack.connect('jobs'),
    prefix: QUEUE_PREFIX,
  })
  await waitFor(async () => (await notify.getJobState('webhook-1')) === 'failed')
  await worker.close()
  expect(await retryWebhooks(parts(), Date.now() + 60_000)).toBe(0)
  expect(await notify.getJobState('webhook-1')).toBe('failed')
  expect(await retryWebhooks(parts(), 0)).toBe(1)
  expect(['waiting', 'prioritized']).toContain(await notify.getJobState('webhook-1'))
})
