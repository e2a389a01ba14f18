import { randomBytes } from 'node:crypto'
import { Worker } from 'bullmq'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { allowedHosts } from '../../../src/core/addresses.ts'
import { createMetrics } from '../../../src/core/metrics.ts'
import { NO_TRACING } from '../../../src/core/span.ts'
import { Deliveries } from '../../../src/events/webhooks.ts'
import { type NotifyJob, QUEUE_PREFIX } from '../../../src/jobs/contract.ts'
import { Queues } from '../../../src/jobs/queues.ts'
import { FairShare } from '../../../workers/lanes/fair-share.ts'
import { SHUTDOWN } from '../../../workers/lanes/job-released.ts'
import { createNotifyProcessor, type NotifyDeps, webhookBackoff } from '../../../workers/lanes/notify.ts'
import { sharedByPortal } from '../../../workers/registry.ts'
import { type Environment, openEnvironment } from '../../support/environment.ts'
import { waitFor } from '../../support/http.ts'
import { type Receiver, startReceiver, verify } from '../../support/receiver.ts'

const secret = () => `whsec_${randomBytes(24).toString('base64')}`
/** Of sixteen deliveries at a time. */
const SHARE = 4
const [OLD, NEW] = [secret(), secret()]

let stack: Environment
let queues: Queues
let receiver: Receiver
let worker: Worker | undefined
let metrics: ReturnType<typeof createMetrics>
let serial = 0

beforeAll(async () => {
  stack = await openEnvironment({ listens: false })
  queues = new Queues(stack.connect('jobs'), stack.deps.logger)
})
afterAll(async () => {
  await queues.close()
  await stack.close()
})
beforeEach(async () => {
  receiver = await startReceiver()
  metrics = createMetrics({ processMetrics: false })
})
afterEach(async () => {
  await worker?.close()
  await receiver.close()
  await queues.byLane.notify.obliterate({ force: true })
})

function processor(change: Partial<NotifyDeps> = {}) {
  const { clock, logger } = stack.deps
  return createNotifyProcessor({
    tracing: NO_TRACING,
    redis: stack.deps.redis.hot,
    clock,
    logger,
    metrics,
    deliveries: new Deliveries(stack.deps.store),
    webhooks: { secrets: [NEW, OLD], allowed: allowedHosts(['127.0.0.0/8']) },
    ...change,
  })
}

function work(deliver: ReturnType<typeof processor>): void {
  worker = new Worker<NotifyJob>('notify', deliver, {
    connection: stack.connect('jobs'),
    prefix: QUEUE_PREFIX,
    concurrency: 16,
    settings: { backoffStrategy: webhookBackoff },
  })
}

const startWorker = (change: Partial<NotifyDeps> = {}) => work(processor(change))
/** As in a worker: of a portal only some at a time. */
const startShared = () => work(sharedByPortal(processor({ timeoutMs: 600_000 }), new FairShare(() => SHARE)))

async function send(url: string, change: Partial<NotifyJob> = {}) {
  const jobId = `notify-${++serial}-x`
  const eventId = `evt_${serial}`
  const timestamp = new Date().toISOString()
  const body = JSON.stringify({
    id: eventId,
    type: 'upload.stored',
    data: { submissionId: `s-${serial}`, note: 'เก็บแล้ว' },
  })
  await queues.enqueue('notify', { owner: 'portal', url, eventId, timestamp, body, ...change }, { jobId })
  const state = async (wanted: string) => {
    await waitFor(async () => (await queues.byLane.notify.getJobState(jobId)) === wanted, {
      what: `${jobId} to be ${wanted}`,
    })
    const job = await queues.byLane.notify.getJob(jobId)
    if (job === undefined) throw new Error('the job is gone')
    return job
  }
  const logs = async () => (await queues.byLane.notify.getJobLogs(jobId)).logs
  return { jobId, eventId, timestamp, body, state, logs }
}

const outcomes = async (): Promise<Record<string, number>> =>
  Object.fromEntries((await metrics.webhookDeliveries.get()).values.map(({ labels, value }) => [labels.outcome, value]))
/** How often is not said: what failed is tried again after 5 s, also while the test still looks. */
const kinds = async () => Object.keys(await outcomes())

describe('events of one submission', () => {
  it('are delivered one after the other in their order, and beside those of others', async () => {
    const answers = new Map<string, () => void>()
    const seen = (id: string) => receiver.deliveries.some(({ body }) => body.includes(id))
    receiver.reply = async ({ body }) => {
      const { id } = JSON.parse(body) as { id: string }
      await new Promise<void>((resolve) => answers.set(id, resolve))
      return { status: 204 }
    }
    const event = (id: string, submissionId: string) =>
      send(receiver.url, {
        eventId: id,
        body: JSON.stringify({ id, type: 'submission.complete', data: { submissionId } }),
      })
    await event('first', 'a')
    await event('second', 'a')
    await event('other', 'b')
    startWorker()
    await waitFor(() => answers.has('first') && answers.has('other'), { what: 'both submissions to be told' })
    expect(seen('second')).toBe(false)
    answers.get('first')?.()
    await waitFor(() => answers.has('second'), { what: 'the second event' })
    for (const answer of answers.values()) answer()
  })
})

describe('a webhook', () => {
  it('is signed with the old and the new secret', async () => {
    startWorker()
    const sent = await send(`${receiver.url}/hook?for=portal`)
    await sent.state('completed')
    const [delivery] = receiver.deliveries
    if (delivery === undefined) throw new Error('nothing was delivered')
    expect(verify(delivery, OLD)).toEqual(JSON.parse(sent.body))
    expect(verify(delivery, NEW)).toEqual(JSON.parse(sent.body))
    expect(() => verify(delivery, secret())).toThrow('No matching signature')
    expect(() => verify({ ...delivery, body: `${delivery.body} ` }, NEW)).toThrow('No matching signature')
    expect(delivery.path).toBe('/hook?for=portal')
    expect(delivery.headers['content-type']).toBe('application/json')
    expect(delivery.headers['webhook-id']).toBe(sent.eventId)
    expect(await outcomes()).toEqual({ delivered: 1 })
    expect(await sent.logs()).toEqual([expect.stringContaining('attempt 1: HTTP 204')])
  })

  it('is retried after 5 s, with the same id and a new signature', async () => {
    startWorker()
    receiver.reply = (_, count) => ({ status: count === 1 ? 500 : 200 })
    const sent = await send(receiver.url)
    const job = await sent.state('delayed')
    expect(job.delay).toBeGreaterThanOrEqual(5000)
    expect(job.delay).toBeLessThanOrEqual(5500)
    expect(job.failedReason).toBe('HTTP 500')
    await sent.state('completed')
    expect(receiver.deliveries.map(({ headers }) => headers['webhook-id'])).toEqual([sent.eventId, sent.eventId])
    for (const delivery of receiver.deliveries) verify(delivery, NEW)
    expect(await outcomes()).toEqual({ rejected: 1, delivered: 1 })
  })

  it.each([429, 503])('is retried at the Retry-After of a %i, not sooner', async (status) => {
    startWorker()
    receiver.reply = () => ({ status, headers: { 'retry-after': '120' } })
    const job = await (await send(receiver.url)).state('delayed')
    expect(job.delay).toBeGreaterThanOrEqual(120_000)
  })

  it('is not posted again if its delivery is recorded, although the queue was lost', async () => {
    startWorker()
    const first = await send(`${receiver.url}/once`)
    await first.state('completed')
    await queues.byLane.notify.obliterate({ force: true })
    const { eventId, timestamp, body } = first
    const again = await send(`${receiver.url}/once`, { eventId, timestamp, body })
    expect((await again.state('completed')).returnvalue).toMatchObject({ status: 0 })
    expect((await again.logs())[0]).toContain('delivered before')
    // At another address it is another delivery.
    const elsewhere = await send(`${receiver.url}/elsewhere`, { eventId, timestamp, body })
    expect((await elsewhere.state('completed')).returnvalue).toMatchObject({ status: 204 })
    expect(receiver.deliveries.map(({ path }) => path)).toEqual(['/once', '/elsewhere'])
  })

  it('counts as delivered, even if the record or the job is lost', async () => {
    const note = () => Promise.reject(new Error('the store is away'))
    startWorker({ deliveries: { has: () => Promise.resolve(false), note } })
    const { state } = await send(receiver.url)
    await state('completed')
    expect(receiver.deliveries).toHaveLength(1)
  })

  it('keeps its delivery record for as long as it could be queued again', async () => {
    startWorker()
    const old = await send(receiver.url, { timestamp: '2026-11-01T12:00:00.000Z' })
    const young = await send(receiver.url, { timestamp: '2026-11-09T12:00:00.000Z' })
    for (const { state } of [old, young]) await state('completed')
    const deliveries = new Deliveries(stack.deps.store)
    const since = async (day: string) => (await deliveries.since('portal', Date.parse(day))).size
    const before = await since('2026-11-01T00:00:00Z')
    expect(await deliveries.forget('portal', Date.parse('2026-11-09T00:00:00Z'))).toBe(1)
    expect(await since('2026-11-01T00:00:00Z')).toBe(before - 1)
    expect(await deliveries.forget('portal', Date.parse('2026-11-09T00:00:00Z'))).toBe(0)
  })

  it('does not follow a redirect', async () => {
    startWorker()
    receiver.reply = (delivery) =>
      delivery.path === '/' ? { status: 307, headers: { location: `${receiver.url}/elsewhere` } } : { status: 200 }
    const job = await (await send(receiver.url)).state('delayed')
    expect(job.failedReason).toContain('307')
    expect(new Set(receiver.deliveries.map(({ path }) => path))).toEqual(new Set(['/']))
  })

  it('disables an endpoint that answers 410, for this portal only, with a log line', async () => {
    startWorker()
    receiver.reply = () => ({ status: 410 })
    const first = await send(`${receiver.url}/gone`)
    expect((await first.state('failed')).attemptsMade).toBe(1)
    const second = await send(`${receiver.url}/gone`)
    await second.state('failed')
    expect(receiver.deliveries).toHaveLength(1)
    expect((await second.logs())[0]).toContain('endpoint disabled, it answered 410 Gone at')
    expect(await outcomes()).toEqual({ gone: 1, disabled: 1 })
    receiver.reply = () => ({ status: 200 })
    await (await send(`${receiver.url}/gone`, { owner: 'other' })).state('completed')
    await (await send(`${receiver.url}/alive`)).state('completed')
    const keys = await stack.deps.redis.hot.keys('sn:webhook-gone:*')
    expect(await stack.deps.redis.hot.ttl(keys[0] ?? '')).toBeGreaterThan(86_000)
  })

  it('gives up waiting for a receiver that hangs', async () => {
    startWorker({ timeoutMs: 200 })
    receiver.reply = () => new Promise(() => undefined)
    const job = await (await send(receiver.url)).state('delayed')
    expect(job.failedReason).toBe('no answer in time')
    expect(await kinds()).toEqual(['timeout'])
  })

  it('gives up waiting for a resolver that hangs', async () => {
    startWorker({ timeoutMs: 200, resolve: () => new Promise(() => undefined) })
    const job = await (await send('http://portal.example/')).state('delayed')
    expect(job.failedReason).toBe('no answer in time')
  })

  it('needs only the status, however long the body', async () => {
    startWorker()
    receiver.reply = () => ({ status: 200, body: 'endless' })
    const job = await (await send(receiver.url)).state('completed')
    expect(job.returnvalue).toMatchObject({ status: 200 })
  })

  it('reports a receiver that is not there', async () => {
    startWorker()
    const { port } = receiver
    await receiver.close()
    const job = await (await send(`http://127.0.0.1:${port}/`)).state('delayed')
    expect(job.failedReason).toBe('ECONNREFUSED')
    expect(await kinds()).toEqual(['unreachable'])
  })
})

describe('the address guard', () => {
  it('blocks private addresses, by name or number', async () => {
    const inside = () => Promise.resolve([{ address: '127.0.0.1', family: 4 as const }])
    startWorker({ webhooks: { secrets: [NEW], allowed: allowedHosts([]) }, resolve: inside })
    for (const host of ['127.0.0.1', 'portal.example', '[::1]']) {
      const job = await (await send(`http://${host}:${receiver.port}/`)).state('delayed')
      expect(job.failedReason, host).toContain('not public')
    }
    expect(receiver.deliveries).toEqual([])
    expect(await kinds()).toEqual(['refused'])
  })

  it('connects to the checked address, even if the name resolves differently later', async () => {
    let asked = 0
    startWorker({
      resolve: () => {
        asked += 1
        return Promise.resolve([{ address: '127.0.0.1', family: 4 as const }])
      },
    })
    // A name that no resolver knows: only the pinned address can have led here.
    await (await send(`http://portal.invalid:${receiver.port}/`)).state('completed')
    expect(asked).toBe(1)
    expect(receiver.deliveries[0]?.headers.host).toBe(`portal.invalid:${receiver.port}`)
  })
})

describe('webhooks to a receiver that never answers', () => {
  it('do not delay those of another portal', async () => {
    receiver.reply = ({ path }) => (path === '/dead' ? new Promise<never>(() => undefined) : { status: 204 })
    const dead = await Promise.all(Array.from({ length: 60 }, () => send(`${receiver.url}/dead`, { owner: 'dead' })))
    startShared()
    await waitFor(() => receiver.deliveries.length >= SHARE)
    const sent = await send(`${receiver.url}/alive`, { owner: 'alive' })
    await sent.state('completed')
    expect(receiver.deliveries.filter(({ path }) => path === '/dead')).toHaveLength(SHARE)
    // Standing back costs no attempt.
    const states = await Promise.all(dead.map(({ jobId }) => queues.byLane.notify.getJob(jobId)))
    expect(states.map((job) => job?.attemptsMade)).toEqual(dead.map(() => 0))
    // What hangs is let go, so that the worker can close.
    await receiver.close()
    receiver = await startReceiver()
  })

  it('a worker that stops gives its deliveries back: no attempt, and no fault of the receiver', async () => {
    receiver.reply = () => new Promise(() => undefined)
    const sent = await send(`${receiver.url}/slow`)
    startShared()
    await waitFor(() => receiver.deliveries.length === 1)
    worker?.cancelAllJobs(SHUTDOWN)
    const job = await sent.state('delayed')
    expect(job.attemptsMade).toBe(0)
    expect(await sent.logs()).toEqual([])
    expect(await outcomes()).toEqual({})
  })
})
