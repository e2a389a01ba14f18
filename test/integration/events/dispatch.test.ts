import { afterAll, afterEach, beforeAll, expect, it } from 'vitest'
import { type DispatchDeps, WebhookDispatch } from '../../../src/events/dispatch.ts'
import { notifyJobId } from '../../../src/events/webhooks.ts'
import type { NotifyJob } from '../../../src/jobs/contract.ts'
import { Queues } from '../../../src/jobs/queues.ts'
import { redisKeys } from '../../../src/records/keys.ts'
import { OWNER } from '../../support/drafts.ts'
import { type Environment, openEnvironment } from '../../support/environment.ts'
import { waitFor } from '../../support/http.ts'

const URL = 'https://portal.example/hook'

let stack: Environment
let queues: Queues
const running: WebhookDispatch[] = []

beforeAll(async () => {
  stack = await openEnvironment({ listens: false, appendOnly: true })
  queues = new Queues(stack.connect('jobs'), stack.deps.logger)
})
afterEach(async () => {
  await Promise.all(running.splice(0).map((dispatch) => dispatch.stop()))
})
afterAll(async () => {
  await queues.close()
  await stack.close()
})

function start(consumer: string, change: Partial<DispatchDeps> = {}): WebhookDispatch {
  const dispatch = new WebhookDispatch({
    redis: stack.deps.redis.hot,
    reader: stack.connect('subscriber'),
    heads: stack.deps.heads,
    queues,
    consumer,
    webhooks: { url: URL, secrets: ['whsec_x'] },
    logger: stack.deps.logger,
    timing: { sweepMs: 100, retryMs: 100 },
    ...change,
  })
  dispatch.start()
  running.push(dispatch)
  return dispatch
}

const jobOf = (eventId: string, url = URL) => queues.byLane.notify.getJob(notifyJobId(eventId, url))
const pending = async () => {
  const [count] = (await stack.deps.redis.hot.xpending(redisKeys.events(OWNER), 'webhooks')) as [number]
  return count
}
const settled = () => waitFor(async () => (await pending()) === 0, { what: 'nothing pending' })

it('queues one job per event, also for events before the first worker, and acknowledges them', async () => {
  await stack.commitHead('S-1')
  const upload = await stack.putUpload('S-1')
  start('worker-a')
  const first = await waitFor(() => jobOf(`evt_${upload.id}_1`))
  expect(first.data).toMatchObject({
    owner: OWNER,
    url: URL,
    eventId: `evt_${upload.id}_1`,
  } satisfies Partial<NotifyJob>)
  expect(JSON.parse(first.data.body)).toMatchObject({ type: 'upload.created', data: { submissionId: 'S-1' } })
  await stack.reach(upload.id, 'stored')
  await waitFor(() => jobOf(`evt_${upload.id}_2`))
  await settled()
})

it('posts to the submission’s own callbackUrl where it has one', async () => {
  const callbackUrl = 'https://other.example/in'
  await stack.commitHead('S-own', { callbackUrl })
  const upload = await stack.putUpload('S-own')
  start('worker-a')
  await waitFor(() => jobOf(`evt_${upload.id}_1`, callbackUrl))
  expect(await jobOf(`evt_${upload.id}_1`)).toBeUndefined()
})

it('queues nothing, and leaves nothing pending, without a webhook address', async () => {
  const before = await queues.byLane.notify.getJobCountByTypes('prioritized')
  await stack.commitHead('S-none')
  await stack.putUpload('S-none')
  start('worker-a', { webhooks: { url: undefined, secrets: [] } })
  const key = redisKeys.events(OWNER)
  const newest = (await stack.deps.redis.hot.xrevrange(key, '+', '-', 'COUNT', 1))[0]?.[0]
  await waitFor(async () => {
    const [group] = (await stack.deps.redis.hot.xinfo('GROUPS', key)) as unknown[][]
    return group?.[group.indexOf('last-delivered-id') + 1] === newest
  })
  await settled()
  expect(await queues.byLane.notify.getJobCountByTypes('prioritized')).toBe(before)
})

it('shares the work among workers without losing an event', async () => {
  await stack.commitHead('S-many')
  const upload = await stack.putUpload('S-many')
  for (const name of ['worker-a', 'worker-b', 'worker-c']) start(name)
  for (let i = 0; i < 100; i++) await stack.note(upload.id, { event: 'upload.playable' })
  for (let version = 1; version <= 101; version++) await waitFor(() => jobOf(`evt_${upload.id}_${version}`))
  await settled()
})

it('keeps an event until its job is queued: if the queue refuses, it is retried', async () => {
  await stack.commitHead('S-refused')
  const upload = await stack.putUpload('S-refused')
  let refusals = 0
  const refusing: DispatchDeps['queues'] = {
    enqueue: (lane, payload, options) => {
      if (refusals++ < 2) return Promise.reject(new Error('the queue is away'))
      return queues.enqueue(lane, payload, options)
    },
  }
  start('worker-a', { queues: refusing })
  await waitFor(() => jobOf(`evt_${upload.id}_1`))
  expect(refusals).toBeGreaterThanOrEqual(3)
  await settled()
})

it('takes over the entries of a worker that died', async () => {
  await stack.commitHead('S-dead')
  const upload = await stack.putUpload('S-dead')
  const key = redisKeys.events(OWNER)
  // A worker read the event and was killed before it could queue the job.
  await stack.deps.redis.hot.xreadgroup('GROUP', 'webhooks', 'worker-dead', 'COUNT', 100, 'STREAMS', key, '>')
  expect(await pending()).toBe(1)
  start('worker-b', { timing: { sweepMs: 50, takeOverMs: 100 } })
  await waitFor(() => jobOf(`evt_${upload.id}_1`))
  await settled()
})

it('continues with its own pending entries after a restart', async () => {
  await stack.commitHead('S-restart')
  const upload = await stack.putUpload('S-restart')
  const key = redisKeys.events(OWNER)
  await stack.deps.redis.hot.xreadgroup('GROUP', 'webhooks', 'worker-r', 'COUNT', 100, 'STREAMS', key, '>')
  start('worker-r')
  await waitFor(() => jobOf(`evt_${upload.id}_1`))
  await settled()
})

it('is not blocked by an entry that is no event, nor by one that cannot be queued', async () => {
  await stack.deps.redis.hot.xadd(redisKeys.events(OWNER), '*', 'e', '{broken')
  await stack.commitHead('S-stuck')
  const stuck = await stack.putUpload('S-stuck')
  await stack.commitHead('S-free')
  const free = await stack.putUpload('S-free')
  start('worker-a', {
    heads: {
      latest: (owner, id) =>
        id === 'S-stuck' ? Promise.reject(new Error('unreadable')) : stack.deps.heads.latest(owner, id),
    },
  })
  await waitFor(() => jobOf(`evt_${free.id}_1`))
  await waitFor(async () => (await pending()) === 1)
  await stack.reach(free.id, 'stored')
  await waitFor(() => jobOf(`evt_${free.id}_2`))
  expect(await jobOf(`evt_${stuck.id}_1`)).toBeUndefined()
})

it('starts again when Redis returns empty', async () => {
  start('worker-a')
  await stack.redis.restart({ dir: await stack.redis.emptyDir() })
  await stack.commitHead('S-after')
  const upload = await stack.putUpload('S-after')
  await waitFor(() => jobOf(`evt_${upload.id}_1`))
})

it('makes job ids that BullMQ accepts, one per event and address', () => {
  const ids = [notifyJobId('evt_a_1', URL), notifyJobId('evt_a_1', 'https://x/'), notifyJobId('flip:a:2', URL)]
  expect(new Set(ids).size).toBe(3)
  for (const id of ids) expect(id).toMatch(/^notify-[^:]+$/)
})
