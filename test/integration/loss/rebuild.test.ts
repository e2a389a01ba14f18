// What rebuilding Redis from the store promises beside a great loss: that a second loss in the middle of it is noticed, that
// an older Redis is completed and not doubled, that two do not do it at once, and that it does no harm where nothing is lost.

import { afterEach, beforeEach, expect, test } from 'vitest'
import { rebuild } from '../../../src/lifecycle/rebuild.ts'
import { type Environment, openEnvironment } from '../../support/environment.ts'
import { waitFor } from '../../support/http.ts'
import { idOf, tusUser } from '../../support/tus.ts'

const WEBHOOK = {
  WEBHOOK_URL: 'https://portal.example/hook',
  WEBHOOK_SECRET: `whsec_${Buffer.alloc(24, 3).toString('base64')}`,
}

let stack: Environment
beforeEach(async () => {
  stack = await openEnvironment({ appendOnly: true, env: WEBHOOK, webhookDelayMs: 60_000 })
  await stack.deps.rebuilder.heal()
})
afterEach(() => stack.close())

type Page = { items: { id: string; type: string; data: { sequence: number } }[]; nextCursor: string }

/** A whole upload of a submission of its own. */
async function uploaded(): Promise<{ submission: string; id: string }> {
  const submission = await stack.submission()
  const user = tusUser(stack.url, await stack.ticket(submission, 'plan'))
  const bytes = Buffer.from(`%PDF-1.7\n${submission}`)
  const url = await user.create({ length: bytes.length, name: 'a.pdf', body: bytes })
  await waitFor(async () => (await stack.record(url)).state === 'stored')
  return { submission, id: idOf(url) }
}

const events = async (after = ''): Promise<Page> =>
  (await stack.call('GET', `/v1/events?limit=200${after}`)).body as unknown as Page
const listed = async () => {
  const { status, body } = await stack.call('GET', '/v1/submissions?limit=200')
  return { status, code: body['code'], ids: ((body['items'] ?? []) as { id: string }[]).map(({ id }) => id) }
}
const webhooks = async () => await stack.deps.queues.byLane.notify.getJobCounts()

test('a second loss during the rebuild is detected: incomplete indexes are not marked complete', async () => {
  const made = [await uploaded(), await uploaded(), await uploaded()]
  const { deps } = stack
  await deps.redis.hot.flushall()
  const { restore } = deps.uploads
  let calls = 0
  deps.uploads.restore = async (record) => {
    if (++calls === 2) await deps.redis.hot.flushall()
    await restore.call(deps.uploads, record)
  }
  await deps.rebuilder.heal()
  expect(await deps.index.completeness.isComplete()).toBe(false)
  expect(await listed()).toMatchObject({ status: 503, code: 'INDEX_REBUILDING' })
  deps.uploads.restore = restore
  await deps.rebuilder.heal()
  expect((await listed()).ids).toEqual(made.map(({ submission }) => submission))
  expect(await deps.rebuilder.heal()).toBeUndefined()
})

test('a Redis with older data is completed: existing entries stay, missing events are published once', async () => {
  const first = await uploaded()
  const before = await events()
  const older = await stack.redis.snapshot()
  const second = await uploaded()
  const between = await events(`&after=${before.nextCursor}`)
  expect(between.items.length).toBeGreaterThan(0)
  const run = stack.deps.runId.current
  await stack.redis.restart({ dir: older })
  await waitFor(() => stack.deps.runId.current !== run && stack.deps.redis.hot.status === 'ready')
  await waitFor(() => stack.deps.redis.producer.status === 'ready')
  expect(await listed()).toMatchObject({ status: 503, code: 'INDEX_REBUILDING' })
  await stack.deps.rebuilder.heal()
  expect((await listed()).ids.toSorted()).toEqual([first.submission, second.submission].toSorted())

  const ids = ({ items }: Page) => items.map(({ id }) => id)
  const all = await events()
  expect(ids(all)).toEqual([...ids(before), ...ids(between)])
  expect(ids(await events(`&after=${before.nextCursor}`))).toEqual(ids(between))
  expect(ids(await events(`&after=${between.nextCursor}`))).toEqual([])
  // The reconciler finds the same records, and has nothing to tell.
  await stack.deps.reconciler.one(second.id)
  expect(ids(await events())).toEqual(ids(all))
})

test('is done by one process at a time; another waits for it, or leaves it', async () => {
  await uploaded()
  const { deps } = stack
  await deps.redis.hot.flushall()
  const outcomes = await Promise.all([1, 2, 3, 4].map(() => deps.rebuilder.heal()))
  expect(outcomes.filter((outcome) => outcome !== undefined)).toHaveLength(1)
  expect(await deps.index.completeness.isComplete()).toBe(true)
  const asked = await Promise.all([rebuild(deps), rebuild(deps)])
  for (const outcome of asked) expect(outcome).toMatchObject({ submissions: 1, uploads: 1 })
})

test('without a loss it changes nothing, and queues only webhooks that are not queued yet', async () => {
  const { submission, id } = await uploaded()
  const documents = async () =>
    await Promise.all(
      [`/v1/submissions/${submission}`, `/v1/uploads/${id}`].map(async (path) => (await stack.call('GET', path)).body),
    )
  const before = [await documents(), await events(), await stack.deps.redis.hot.zrange('sn:due', 0, -1)]
  const { jobs, events: found } = await rebuild(stack.deps)
  expect(found).toBe((before[1] as Page).items.length)
  expect(jobs).toBe(found)
  const queued = await webhooks()
  await rebuild(stack.deps)
  expect(await webhooks()).toEqual(queued)
  expect([await documents(), await events(), await stack.deps.redis.hot.zrange('sn:due', 0, -1)]).toEqual(before)
})

test('sequence numbers continue above all possibly used ones, also of running requests', async () => {
  const { submission } = await uploaded()
  const { heads, redis, rebuilder } = stack.deps
  // Twenty commits have their numbers and have not been made.
  const given = await Promise.all(Array.from({ length: 20 }, () => heads.nextSequence('portal', submission)))
  await redis.hot.flushall()
  await rebuilder.heal()
  const next = await Promise.all(Array.from({ length: 20 }, () => heads.nextSequence('portal', submission)))
  expect(Math.min(...next)).toBeGreaterThan(Math.max(...given))
})

test('if it fails because the store is unavailable, it can be started again immediately', async () => {
  await uploaded()
  const { deps } = stack
  await deps.redis.hot.flushall()
  const { list } = deps.store
  deps.store.list = () => {
    throw new Error('the store is away')
  }
  await expect(deps.rebuilder.heal()).rejects.toThrow('the store is away')
  deps.store.list = list
  expect(await deps.rebuilder.heal()).toMatchObject({ submissions: 1 })
})

test('webhooks that could not be queued after the rebuild are queued the next time', async () => {
  await uploaded()
  const { deps } = stack
  const { items } = await events()
  await deps.redis.hot.flushall()
  const { enqueue } = deps.queues
  deps.queues.enqueue = (lane, ...rest) =>
    lane === 'notify' ? Promise.reject(new Error('the queue is away')) : enqueue.call(deps.queues, lane, ...rest)
  await expect(deps.rebuilder.heal()).rejects.toThrow('the queue is away')
  expect((await events()).items.map(({ id }) => id)).toEqual(items.map(({ id }) => id))
  expect((await webhooks())['delayed']).toBe(0)
  deps.queues.enqueue = enqueue
  expect(await deps.rebuilder.heal()).toBeUndefined()
  expect((await webhooks())['delayed']).toBe(items.length)
})

test('lists are answered before the event log is complete', async () => {
  const { submission } = await uploaded()
  const { deps } = stack
  await deps.redis.hot.flushall()
  deps.heads.history = () => Promise.reject(new Error('the store is away'))
  await expect(deps.rebuilder.heal()).rejects.toThrow('the store is away')
  expect(await listed()).toMatchObject({ status: 200, ids: [submission] })
  expect((await stack.call('GET', '/v1/events')).body['code']).toBe('INDEX_REBUILDING')
})
