// Spans of requests, by OpenTelemetry's conventions for HTTP. Left out are the caller's address and program, and queries:
// they tell who it is, or are credentials.

import type { IncomingHttpHeaders } from 'node:http'
import type { FastifyReply, FastifyRequest } from 'fastify'
import type { Span, Tracing } from '../core/span.ts'
import { readTraceparent } from '../core/trace-context.ts'
import { httpError } from './errors.ts'

export type TracedRequest = {
  method: string
  /** The pattern, such as `/files/*`. */
  route: string
  /** What of the address may be shown. */
  path: string
  scheme: string
  headers: IncomingHttpHeaders
  /** Unix milliseconds by this machine's clock. */
  startMs: number
}

/**
 * Begins the span of a request from somebody who is known here: strangers get none, so they can neither fill a collector
 * nor write into others' traces. The caller's own `traceparent` is the parent.
 *
 * @param known where the request belongs besides: the parent if the caller names none, else linked
 */
export function startServerSpan(
  tracing: Tracing,
  { method, route, path, scheme, headers, startMs }: TracedRequest,
  known?: string | undefined,
): Span {
  const own = readTraceparent(headers['traceparent'])
  const attributes = {
    'http.request.method': method,
    'http.route': route,
    'url.path': path,
    'url.scheme': scheme,
  }
  const place = { parent: own ?? known, link: own === undefined ? undefined : known }
  return tracing.start(`${method} ${route}`, { kind: 'server', startMs, attributes, ...place })
}

/** @param code of the refusal. By the conventions only 5xx are errors of a server; what is refused is the caller's. */
export function endServerSpan(span: Span, status: number, code?: string): void {
  span.set({ 'http.response.status_code': status, 'songngan.problem.code': code })
  span.end(status >= 500 ? (code ?? String(status)) : undefined)
}

/**
 * Hooks that trace one of Fastify's routes. `begin` comes after the caller's authentication.
 *
 * @param path what of the address may be shown
 */
export function traceRoute(tracing: Tracing, path: string) {
  const spans = new WeakMap<FastifyRequest, { span: Span; code?: string }>()
  return {
    async begin(request: FastifyRequest, reply: FastifyReply): Promise<void> {
      if (!tracing.on) return
      const { method, protocol: scheme, headers, routeOptions } = request
      const startMs = Date.now() - reply.elapsedTime
      const span = startServerSpan(tracing, { method, route: routeOptions.url ?? path, path, scheme, headers, startMs })
      spans.set(request, { span })
    },
    /** W3C traceparent of the request's span; undefined: no traces. */
    traceOf: (request: FastifyRequest): string | undefined => spans.get(request)?.span.traceparent,
    async onError(request: FastifyRequest, _reply: FastifyReply, error: Error): Promise<void> {
      const traced = spans.get(request)
      if (traced !== undefined) traced.code = httpError(error).code
    },
    async onResponse(request: FastifyRequest, { statusCode }: FastifyReply): Promise<void> {
      const traced = spans.get(request)
      if (traced !== undefined) endServerSpan(traced.span, statusCode, traced.code)
    },
  }
}
