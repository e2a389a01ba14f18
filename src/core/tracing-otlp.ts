// Traces by OpenTelemetry's SDK, sent as OTLP over HTTP in JSON. Loaded only where a collector is configured.

import {
  type Link,
  ROOT_CONTEXT,
  type SpanContext,
  SpanKind,
  SpanStatusCode,
  TraceFlags,
  trace,
} from '@opentelemetry/api'
import { OTLPTraceExporter } from '@opentelemetry/exporter-trace-otlp-http'
import { resourceFromAttributes } from '@opentelemetry/resources'
import {
  AlwaysOffSampler,
  AlwaysOnSampler,
  BatchSpanProcessor,
  ParentBasedSampler,
  type Sampler,
  type SpanExporter,
  TraceIdRatioBasedSampler,
  TracerProvider,
} from '@opentelemetry/sdk-trace'
import type { Config } from './config.ts'
import type { Logger } from './logger.ts'
import type { Span, SpanStart, Tracing } from './span.ts'
import { formatTraceparent, parseTraceparent } from './trace-context.ts'
import { withTimeout } from './with-timeout.ts'

type Settings = NonNullable<Config['tracing']>

const KINDS = {
  server: SpanKind.SERVER,
  client: SpanKind.CLIENT,
  consumer: SpanKind.CONSUMER,
  internal: SpanKind.INTERNAL,
} satisfies Record<SpanStart['kind'], SpanKind>

/** A process has eight seconds to close, and what it received comes first. */
const FLUSH_MS = 2000
const REPORT_MS = 60_000
/** Of each span some kilobytes at most: what a collector that is away may cost. */
const MAX_QUEUED = 2048

export function startOtlpTracing(
  settings: Settings,
  service: { name: string; instance: string },
  logger: Pick<Logger, 'warn'>,
): Tracing {
  const exporter = new OTLPTraceExporter({
    url: new URL('v1/traces', settings.endpoint.replace(/\/*$/, '/')).href,
    headers: settings.headers,
  })
  const provider = new TracerProvider({
    sampler: samplerOf(settings),
    resource: resourceFromAttributes({
      'service.name': settings.serviceName ?? service.name,
      'service.namespace': 'songngan',
      'service.instance.id': service.instance,
      ...settings.resource,
    }),
    spanProcessors: [
      new BatchSpanProcessor({ exporter: reporting(exporter, settings.endpoint, logger), maxQueueSize: MAX_QUEUED }),
    ],
  })
  const tracer = provider.getTracer('songngan')
  return {
    on: true,
    start(name, { kind, parent, link, startMs, attributes = {} }) {
      const parentContext = contextOf(parent)
      const linked = contextOf(link)
      const links: Link[] = linked === undefined ? [] : [{ context: linked }]
      const context = parentContext === undefined ? ROOT_CONTEXT : trace.setSpanContext(ROOT_CONTEXT, parentContext)
      const options = { kind: KINDS[kind], attributes, links, ...(startMs === undefined ? {} : { startTime: startMs }) }
      return wrapped(tracer.startSpan(name, options, context))
    },
    async close() {
      await withTimeout(provider.shutdown(), FLUSH_MS, () =>
        logger.warn('traces: the collector did not take the last spans in time'),
      ).catch((err: unknown) => logger.warn({ err }, 'traces: the last spans were not sent'))
    },
  }
}

function wrapped(span: ReturnType<ReturnType<TracerProvider['getTracer']>['startSpan']>): Span {
  const { traceId, spanId, traceFlags } = span.spanContext()
  return {
    traceparent: formatTraceparent({ traceId, spanId, sampled: (traceFlags & TraceFlags.SAMPLED) !== 0 }),
    set: (attributes) => void span.setAttributes(attributes),
    end(errorType) {
      if (errorType !== undefined) {
        span.setAttribute('error.type', errorType)
        span.setStatus({ code: SpanStatusCode.ERROR })
      }
      span.end()
    },
  }
}

function contextOf(traceparent: string | undefined): SpanContext | undefined {
  const context = parseTraceparent(traceparent)
  if (context === undefined) return undefined
  const { traceId, spanId, sampled } = context
  return { traceId, spanId, traceFlags: sampled ? TraceFlags.SAMPLED : TraceFlags.NONE, isRemote: true }
}

function samplerOf({ sampler, ratio }: Settings): Sampler {
  const roots = {
    always_on: () => new AlwaysOnSampler(),
    always_off: () => new AlwaysOffSampler(),
    traceidratio: () => new TraceIdRatioBasedSampler(ratio),
  }
  const name = sampler.replace('parentbased_', '') as keyof typeof roots
  const root = roots[name]()
  return sampler.startsWith('parentbased_') ? new ParentBasedSampler({ root }) : root
}

/** Says at most once a minute that spans are lost, and how many. */
function reporting(exporter: SpanExporter, endpoint: string, logger: Pick<Logger, 'warn'>): SpanExporter {
  let lost = 0
  let saidAtMs = Number.NEGATIVE_INFINITY
  return {
    export(spans, done) {
      exporter.export(spans, (result) => {
        if (result.error !== undefined) {
          lost += spans.length
          if (performance.now() - saidAtMs > REPORT_MS) {
            saidAtMs = performance.now()
            const { host } = new URL(endpoint)
            logger.warn({ err: result.error, host, lost }, 'traces: the collector does not take spans; they are lost')
            lost = 0
          }
        }
        done(result)
      })
    },
    shutdown: () => exporter.shutdown(),
  }
}
