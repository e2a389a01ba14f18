// An OpenTelemetry collector: takes OTLP over HTTP in JSON, and keeps every span.

import { createServer, type IncomingHttpHeaders } from 'node:http'
import type { AddressInfo } from 'node:net'

export type CollectedSpan = {
  traceId: string
  id: string
  /** Undefined: the first one of its trace. */
  parentId: string | undefined
  name: string
  /** As in OTLP: 1 internal, 2 server, 3 client, 4 producer, 5 consumer. */
  kind: number
  service: string
  attributes: Record<string, unknown>
  /** Ids of linked spans. */
  links: string[]
  startMs: number
  endMs: number
  failed: boolean
}

type Value = { stringValue?: string; intValue?: number | string; doubleValue?: number; boolValue?: boolean }
type Attributes = { key: string; value: Value }[]
type OtlpSpan = {
  traceId: string
  spanId: string
  parentSpanId?: string
  name: string
  kind: number
  startTimeUnixNano: string
  endTimeUnixNano: string
  attributes?: Attributes
  links?: { spanId: string }[]
  status?: { code?: number }
}
type Otlp = { resourceSpans: { resource: { attributes: Attributes }; scopeSpans: { spans: OtlpSpan[] }[] }[] }

const FAILED = 2

export type Collector = Awaited<ReturnType<typeof startCollector>>

export async function startCollector() {
  const spans: CollectedSpan[] = []
  const requests: { path: string; headers: IncomingHttpHeaders; body: string }[] = []
  const server = createServer((request, response) => {
    const chunks: Buffer[] = []
    request.on('data', (chunk: Buffer) => void chunks.push(chunk))
    request.on('end', () => {
      const body = Buffer.concat(chunks).toString('utf8')
      requests.push({ path: request.url ?? '', headers: request.headers, body })
      spans.push(...spansIn(JSON.parse(body) as Otlp))
      response.writeHead(200, { 'content-type': 'application/json' }).end('{}')
    })
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    spans,
    requests,
    close: () =>
      new Promise<void>((resolve) => {
        server.close(() => resolve())
        server.closeAllConnections()
      }),
  }
}

function spansIn({ resourceSpans }: Otlp): CollectedSpan[] {
  return resourceSpans.flatMap(({ resource, scopeSpans }) => {
    const service = String(valuesOf(resource.attributes)['service.name'])
    return scopeSpans.flatMap(({ spans }) =>
      spans.map((span) => ({
        traceId: span.traceId,
        id: span.spanId,
        parentId: span.parentSpanId || undefined,
        name: span.name,
        kind: span.kind,
        service,
        attributes: valuesOf(span.attributes ?? []),
        links: (span.links ?? []).map(({ spanId }) => spanId),
        startMs: Number(BigInt(span.startTimeUnixNano) / 1_000_000n),
        endMs: Number(BigInt(span.endTimeUnixNano) / 1_000_000n),
        failed: span.status?.code === FAILED,
      })),
    )
  })
}

function valuesOf(attributes: Attributes): Record<string, unknown> {
  return Object.fromEntries(
    attributes.map(({ key, value }) => [
      key,
      value.stringValue ??
        (value.intValue === undefined ? (value.doubleValue ?? value.boolValue) : Number(value.intValue)),
    ]),
  )
}

/** The spans below one, as lines for people: when it began, what it is, how long it took. */
export function treeOf(spans: readonly CollectedSpan[], rootId: string): string[] {
  const firstMs = Math.min(...spans.map(({ startMs }) => startMs))
  const below = (parentId: string, indent: string): string[] => {
    const children = spans.filter((span) => span.parentId === parentId).toSorted((a, b) => a.startMs - b.startMs)
    return children.flatMap((span, i) => {
      const isLast = i === children.length - 1
      const at = `${String(span.startMs - firstMs).padStart(6)} ms `
      const took = `${span.endMs - span.startMs} ms`
      const line = `${at}${indent}${isLast ? '└─' : '├─'} ${span.name} (${span.service}, ${took})`
      return [line, ...below(span.id, `${indent}${isLast ? '   ' : '│  '}`)]
    })
  }
  return below(rootId, '')
}
