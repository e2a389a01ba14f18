// The lock of a job can be lost during its delivery: Redis or the worker hung, or Redis lost its data. The receiver may have
// the webhook by then: its answer is waited for and recorded, whoever runs the job next.

import { afterAll, afterEach, beforeAll, beforeEach, expect, it } from 'vitest'
import { notifyJobId } from '../../../src/events/webhooks.ts'
import type { NotifyJob } from '../../../src/jobs/contract.ts'
import { type Environment, OWNER, openEnvironment } from '../../support/environment.ts'
import { QUICK } from '../../support/environment-worker.ts'
import { waitFor } from '../../support/http.ts'
import { type Receiver, type Reply, startReceiver } from '../../support/receiver.ts'

let stack: Environment
let receiver: Receiver
let serial = 0

beforeAll(async () => {
  const WEBHOOK_SECRET = `whsec_${Buffer.alloc(24, 7).toString('base64')}`
  const env = { WEBHOOK_SECRET, WEBHOOK_ALLOW_PRIVATE: 'true' }
  stack = await openEnvironment({ listens: false, lanes: 'notify', env })
})
beforeEach(async () => {
  receiver = await startReceiver()
})
afterEach(async () => {
  // What the receiver holds is let go, so that the worker can close.
  await receiver.close()
  await stack.stop()
})
afterAll(() => stack?.close())

/** A webhook that its receiver has, and has not answered yet. */
async function underWay() {
  let answer: (reply: Reply) => void = () => undefined
  const first = new Promise<Reply>((resolve) => {
    answer = resolve
  })
  receiver.reply = (_, count) => (count === 1 ? first : { status: 204 })
  const eventId = `evt_${++serial}`
  const timestamp = new Date().toISOString()
  const webhook: NotifyJob = {
    owner: OWNER,
    url: receiver.url,
    eventId,
    timestamp,
    body: JSON.stringify({ id: eventId, type: 'submission.complete', timestamp, data: { submissionId: eventId } }),
  }
  const jobId = notifyJobId(eventId, receiver.url)
  const { queues } = stack.deps
  await queues.enqueue('notify', webhook, { jobId })
  await waitFor(() => receiver.deliveries.length === 1)
  return { webhook, jobId, answer, queue: queues.byLane.notify }
}

/** Its job loses its lock and is run again by the same worker. */
async function runAgain() {
  // The lock of the next run outlasts any machine's slowness.
  await stack.start({ ...QUICK, lockMs: 600_000 })
  const { jobId, queue, answer } = await underWay()
  await stack.deps.redis.hot.del(`${queue.toKey(jobId)}:lock`)
  const job = async () => await queue.getJob(jobId)
  await waitFor(async () => (await job())?.attemptsStarted === 2, { what: 'the job to be run again' })
  const completed = async () => {
    await waitFor(async () => (await queue.getJobState(jobId)) === 'completed', { what: 'the job to be completed' })
    return (await job())?.returnvalue
  }
  return { answer, completed }
}

it('the next run waits for the delivery under way, and does not post what that delivered', async () => {
  const { answer, completed } = await runAgain()
  answer({ status: 204 })
  expect(await completed()).toMatchObject({ status: 0 })
  expect(receiver.deliveries).toHaveLength(1)
})

it('the next run posts what the delivery under way did not bring to the receiver', async () => {
  const { answer, completed } = await runAgain()
  answer({ status: 500 })
  expect(await completed()).toMatchObject({ status: 204 })
  expect(receiver.deliveries).toHaveLength(2)
})

it('where the queue was lost, the delivery is recorded, so that it is not queued again', async () => {
  await stack.start(QUICK)
  const { webhook, jobId, answer, queue } = await underWay()
  await queue.obliterate({ force: true })
  const noticed = () => stack.lines.some((line) => line.includes(`could not renew lock for job ${jobId}`))
  await waitFor(noticed, { what: 'the worker to notice' })
  answer({ status: 204 })
  await waitFor(() => stack.deps.deliveries.has(webhook), { what: 'the delivery to be recorded' })
  expect(receiver.deliveries).toHaveLength(1)
})
