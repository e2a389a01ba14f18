// Which requests are traced, and where in which trace.

import { randomBytes } from 'node:crypto'
import type { Job } from 'bullmq'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { allowedHosts } from '../../../src/core/addresses.ts'
import { notifyJobId } from '../../../src/events/webhooks.ts'
import type { NotifyJob } from '../../../src/jobs/contract.ts'
import { createNotifyProcessor } from '../../../workers/lanes/notify.ts'
import { type CollectedSpan, type Collector, startCollector } from '../../support/collector.ts'
import { type Environment, openEnvironment, PORTAL_KEY } from '../../support/environment.ts'
import { waitFor } from '../../support/http.ts'
import { startReceiver } from '../../support/receiver.ts'
import { send, tusUser } from '../../support/tus.ts'

const TRACE = '0af7651916cd43dd8448eb211c80319c'
const SPAN = 'b7ad6b7169203331'

let collector: Collector
let stack: Environment

beforeEach(async () => {
  collector = await startCollector()
})
afterEach(async () => {
  await stack.close()
  await collector.close()
})

const open = async (env: Record<string, string> = {}) => {
  stack = await openEnvironment({ env: { OTEL_EXPORTER_OTLP_ENDPOINT: collector.url, ...env } })
}

/** What the collector has after everything is sent. */
async function spans(): Promise<CollectedSpan[]> {
  await stack.deps.tracing.close()
  return collector.spans.toSorted((a, b) => a.startMs - b.startMs)
}

const ask = (headers: Record<string, string>, body: object) =>
  send(
    'POST',
    `${stack.url}/v1/submissions/s-1/tickets`,
    { Authorization: `Bearer ${PORTAL_KEY}`, 'Content-Type': 'application/json', ...headers },
    Buffer.from(JSON.stringify(body)),
  )

describe('spans of requests', () => {
  test('strangers get none, whatever trace they name', async () => {
    await open()
    const traceparent = `00-${TRACE}-${SPAN}-01`
    const stranger = tusUser(stack.url, 'no.such.ticket')
    expect((await ask({ Authorization: 'Bearer wrong', traceparent }, { slot: 'clip' })).status).toBe(401)
    expect((await stranger.post({ length: 4, headers: { traceparent } })).status).toBe(401)
    expect((await stranger.patch(`${stack.url}/files/x`, 0, Buffer.from('abcd'), { traceparent })).status).toBe(404)
    expect(await spans()).toEqual([])
  })

  test('a refused ticket tells its code, and is no error of the service', async () => {
    await open()
    await stack.put('s-1')
    expect((await ask({ traceparent: 'nonsense' }, { slot: 'nowhere' })).status).toBe(404)
    expect(await spans()).toMatchObject([
      {
        name: 'POST /v1/submissions/:id/tickets',
        parentId: undefined,
        failed: false,
        attributes: { 'http.response.status_code': 404, 'songngan.problem.code': 'SLOT_UNKNOWN' },
      },
    ])
  })

  test('without tickets an upload is a trace of its own; a client that is traced is the parent, and linked', async () => {
    await open({ AUTH: 'none' })
    const user = tusUser(stack.url, null)
    const url = await user.create({ length: 8 })
    expect((await user.patch(url, 0, Buffer.from('abcd'))).status).toBe(204)
    const traceparent = `00-${TRACE}-${SPAN}-01`
    expect((await user.patch(url, 4, Buffer.from('efgh'), { traceparent })).status).toBe(204)
    // Completion goes on after the answer.
    const { validate } = stack.deps.queues.byLane
    await waitFor(async () => (await validate.getJobCountByTypes('prioritized')) === 1, {
      what: 'the verdict to be queued',
    })
    await new Promise((resolve) => setImmediate(resolve))
    const [created, first, second, completed] = await spans()
    expect([created?.name, first?.name, second?.name, completed?.name]).toEqual([
      'POST /files',
      'PATCH /files/*',
      'PATCH /files/*',
      'complete upload',
    ])
    expect(first).toMatchObject({ traceId: created?.traceId, parentId: created?.id, links: [] })
    expect(second).toMatchObject({ traceId: TRACE, parentId: SPAN, links: [created?.id] })
    expect(completed).toMatchObject({ traceId: TRACE, parentId: second?.id })
    expect(first?.attributes).toMatchObject({ 'http.request.body.size': 4, 'http.response.status_code': 204 })
  })

  test('a webhook about a submission does not tell its id, which may be the number of a person', async () => {
    await open()
    const receiver = await startReceiver()
    receiver.reply = () => ({ status: 503 })
    const { redis, clock, logger, metrics, deliveries, tracing } = stack.deps
    const webhooks = { secrets: [`whsec_${randomBytes(24).toString('base64')}`], allowed: allowedHosts([], true) }
    const deliver = createNotifyProcessor({ redis: redis.hot, clock, logger, metrics, deliveries, tracing, webhooks })
    const eventId = 'evt_portal_1103700000001_2'
    const data = { sequence: 2, submissionId: '1103700000001', revision: 1, state: 'sealed' }
    const job = {
      id: notifyJobId(eventId, receiver.url),
      data: {
        owner: 'portal',
        url: `${receiver.url}/1103700000001`,
        eventId,
        timestamp: '2026-09-30T16:30:00.000Z',
        body: JSON.stringify({ id: eventId, type: 'submission.sealed', timestamp: '2026-09-30T16:30:00.000Z', data }),
      },
      attemptsMade: 1,
      opts: { telemetry: { metadata: JSON.stringify({ traceparent: `00-${TRACE}-${SPAN}-01` }) } },
      log: async () => 0,
    } as unknown as Job<NotifyJob>
    await expect(deliver(job)).rejects.toThrow('HTTP 503')
    await receiver.close()
    const [run, request] = await spans()
    expect(run).toMatchObject({
      name: 'process notify',
      traceId: TRACE,
      parentId: SPAN,
      failed: true,
      attributes: {
        'songngan.event.type': 'submission.sealed',
        'songngan.job.attempt': 2,
        'error.type': 'DeliveryError',
      },
    })
    expect(request).toMatchObject({
      name: 'POST',
      parentId: run?.id,
      failed: true,
      attributes: { 'http.response.status_code': 503, 'error.type': '503', 'http.request.resend_count': 1 },
    })
    expect(collector.requests.map(({ body }) => body).join()).not.toContain('1103700000001')
  })

  test('off, records and tickets say nothing of traces', async () => {
    stack = await openEnvironment({ env: { AUTH: 'none' } })
    const user = tusUser(stack.url, null)
    const url = await user.create({ length: 4, headers: { traceparent: `00-${TRACE}-${SPAN}-01` } })
    expect((await user.patch(url, 0, Buffer.from('abcd'))).status).toBe(204)
    const id = url.split('/').at(-1) ?? ''
    expect(JSON.stringify(await stack.latest(id))).not.toContain('trace')
  })
})
