// One upload as an OpenTelemetry collector sees it: from the portal's request for a ticket to the last webhook, over the
// service's and the worker's processes.

import { randomBytes } from 'node:crypto'
import { readFile, writeFile } from 'node:fs/promises'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { type CollectedSpan, type Collector, startCollector, treeOf } from '../support/collector.ts'
import { waitFor } from '../support/http.ts'
import { type Corpus, createCorpus } from '../support/media/corpus.ts'
import { pdf } from '../support/media/pdfs.ts'
import { type Receiver, startReceiver } from '../support/receiver.ts'
import { findTraces } from '../support/traces.ts'
import { idOf, send, tusUser } from '../support/tus.ts'
import { API_KEY, type Installation, startInstallation } from './support/installation.ts'

/** A file for the tree, for people; unset: none is written. */
const TREE = process.env['TRACE_TREE']
const TRACE_ID = '0af7651916cd43dd8448eb211c80319c'
const PORTAL_SPAN = 'b7ad6b7169203331'
const SUBMISSION = 'national-id-1103700000001'
const SUBJECT = 'สมศรี ใจดี'
const FILENAME = 'แผนการสอน สมศรี.pdf'
const COLLECTOR_TOKEN = 'collector-token-0123456789'
const WEBHOOK_SECRET = `whsec_${randomBytes(24).toString('base64')}`
const WEBHOOK_PATH = '/hooks/credential-in-a-path'

let collector: Collector
let receiver: Receiver
let corpus: Corpus
let stack: Installation
let ticket: string
let uploadId: string

beforeAll(async () => {
  corpus = await createCorpus()
  collector = await startCollector()
  receiver = await startReceiver()
  stack = await startInstallation({
    env: {
      OTEL_EXPORTER_OTLP_ENDPOINT: collector.url,
      OTEL_EXPORTER_OTLP_HEADERS: `authorization=Bearer%20${COLLECTOR_TOKEN}`,
      WEBHOOK_URL: `${receiver.url}${WEBHOOK_PATH}`,
      WEBHOOK_SECRET,
      WEBHOOK_ALLOW_PRIVATE: 'true',
    },
  })
  await handIn()
  await waitFor(() => deliveredTypes().includes('upload.ready'), { what: 'the last webhook' })
  // What was not sent yet is sent before they end.
  await stack.stopWorkers()
  await stack.service.kill('SIGTERM')
})
afterAll(async () => {
  await stack?.close()
  await receiver?.close()
  await collector?.close()
  await corpus?.remove()
})

/** As a portal that is traced itself, and a teacher whose line breaks once. */
async function handIn(): Promise<void> {
  const { url } = stack.service
  await stack.submission(SUBMISSION)
  const asked = await send(
    'POST',
    `${url}/v1/submissions/${SUBMISSION}/tickets`,
    {
      Authorization: `Bearer ${API_KEY}`,
      'Content-Type': 'application/json',
      traceparent: `00-${TRACE_ID}-${PORTAL_SPAN}-01`,
    },
    Buffer.from(JSON.stringify({ slot: 'lesson_plan', subject: SUBJECT })),
  )
  expect(asked.status, asked.text).toBe(201)
  ticket = JSON.parse(asked.text).ticket
  const teacher = tusUser(url, ticket)
  const bytes = await readFile(await pdf(corpus, 'plan.pdf'))
  const address = await teacher.create({ length: bytes.length, name: FILENAME })
  uploadId = idOf(address)
  const half = Math.floor(bytes.length / 2)
  expect((await teacher.patch(address, 0, bytes.subarray(0, half))).status).toBe(204)
  expect((await teacher.patch(address, half, bytes.subarray(half))).status).toBe(204)
}

function deliveredTypes(): string[] {
  return receiver.deliveries.map(({ body }) => JSON.parse(body).type)
}

function only(name: string, attributes: Record<string, unknown> = {}): CollectedSpan {
  const found = spansNamed(name, attributes)
  expect(found.map((span) => span.name)).toEqual([name])
  return found[0] as CollectedSpan
}

function spansNamed(name: string, attributes: Record<string, unknown> = {}): CollectedSpan[] {
  const fits = (span: CollectedSpan) =>
    Object.entries(attributes).every(([key, value]) => span.attributes[key] === value)
  return collector.spans.filter((span) => span.name === name && fits(span))
}

const parentOf = ({ parentId }: CollectedSpan) => collector.spans.find(({ id }) => id === parentId)

/** The names from a span up to the portal’s. */
function pathOf(span: CollectedSpan | undefined): string[] {
  return span === undefined ? [] : [span.name, ...pathOf(parentOf(span))]
}

describe('the trace of an upload', () => {
  test('is one, begins at the portal’s own span, and no span of it is missing', async () => {
    const tree = treeOf(collector.spans, PORTAL_SPAN)
    if (TREE !== undefined) await writeFile(TREE, `${tree.join('\n')}\n`)
    expect([...new Set(collector.spans.map(({ traceId }) => traceId))]).toEqual([TRACE_ID])
    // Each one hangs on the portal's.
    expect(tree).toHaveLength(collector.spans.length)
    expect(collector.spans.every(({ failed }) => !failed)).toBe(true)
  })

  test('goes from the ticket over creation, last bytes and completion to each lane', () => {
    const upToPatch = ['PATCH /files/*', 'POST /files', 'POST /v1/submissions/:id/tickets']
    const upToValidate = ['process validate', 'complete upload', ...upToPatch]
    expect(pathOf(only('process validate'))).toEqual(upToValidate)
    expect(pathOf(only('process inspect'))).toEqual(['process inspect', ...upToValidate])
    expect(pathOf(only('process transcode'))).toEqual(['process transcode', ...upToValidate])
    const patches = spansNamed('PATCH /files/*')
    expect(patches.map(({ attributes }) => attributes['songngan.upload.id'])).toEqual([uploadId, uploadId])
    expect(parentOf(only('complete upload'))).toEqual(patches.toSorted((a, b) => b.startMs - a.startMs)[0])
  })

  test('has every webhook delivery below what it tells of, and the receiver gets its context', () => {
    const deliveries = spansNamed('POST')
    expect(deliveries).toHaveLength(receiver.deliveries.length)
    for (const { headers, body } of receiver.deliveries) {
      const [, traceId, spanId, flags] = String(headers['traceparent']).split('-')
      expect([traceId, flags]).toEqual([TRACE_ID, '01'])
      const span = deliveries.find(({ id }) => id === spanId)
      const cause = {
        'upload.created': 'PATCH /files/*',
        'upload.stored': 'PATCH /files/*',
        'upload.accepted': 'process validate',
        'upload.playable': 'process transcode',
        'upload.ready': 'process transcode',
      }[JSON.parse(body).type as string]
      expect(pathOf(span).slice(0, 3)).toEqual(['POST', 'process notify', cause])
    }
  })

  test('is told by service and worker with the attributes of the conventions', () => {
    expect(only('POST /v1/submissions/:id/tickets')).toMatchObject({
      service: 'songngan',
      kind: 2,
      attributes: {
        'http.request.method': 'POST',
        'http.route': '/v1/submissions/:id/tickets',
        'http.response.status_code': 201,
        'url.path': '/v1/submissions/REDACTED/tickets',
        'url.scheme': 'http',
      },
    })
    expect(only('process validate')).toMatchObject({
      service: 'songngan-worker',
      kind: 5,
      attributes: {
        'messaging.system': 'bullmq',
        'messaging.destination.name': 'validate',
        'messaging.message.id': `validate-${uploadId}-g1`,
        'songngan.upload.id': uploadId,
        'songngan.job.outcome': 'done',
      },
    })
    expect(only('process notify', { 'songngan.event.type': 'upload.ready' })).toMatchObject({
      attributes: { 'songngan.upload.id': uploadId, 'songngan.job.outcome': 'delivered', 'songngan.job.attempt': 1 },
    })
    expect(spansNamed('POST')[0]).toMatchObject({
      kind: 3,
      attributes: {
        'http.request.method': 'POST',
        'http.response.status_code': 204,
        'server.address': '127.0.0.1',
        'server.port': receiver.port,
        'url.full': `${receiver.url}/REDACTED`,
      },
    })
  })

  test('has no name of a person or file in it, no ticket and no secret', () => {
    const kept = collector.requests.map(({ path, body }) => ({ place: path, bytes: Buffer.from(body) }))
    expect(kept.length).toBeGreaterThan(0)
    const texts = { SUBMISSION, SUBJECT, FILENAME, API_KEY, WEBHOOK_SECRET, WEBHOOK_PATH, ticket, COLLECTOR_TOKEN }
    expect(findTraces(kept, texts)).toEqual([])
    // It looks: the upload's id is there.
    expect(findTraces(kept, { uploadId })).not.toEqual([])
  })

  test('reaches the collector with its headers', () => {
    expect(collector.requests[0]).toMatchObject({
      path: '/v1/traces',
      headers: { authorization: `Bearer ${COLLECTOR_TOKEN}`, 'content-type': 'application/json' },
    })
  })
})
