// CORS headers for all routes, including errors: pages must be able to read refusals.
// A preflight needs no credentials. (@fastify/cors writes to Fastify's reply, which neither the tus endpoint's answers nor
// those to addresses that cannot be decoded pass through.)

import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'

const METHODS = 'GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS'
const ALLOWED_HEADERS =
  'Authorization, Content-Type, Tus-Resumable, Upload-Length, Upload-Offset, Upload-Metadata, Upload-Defer-Length, ' +
  'Upload-Concat, Upload-Checksum, X-HTTP-Method-Override, X-Requested-With, X-Request-Id, Last-Event-ID, ' +
  'If-None-Match, If-Match, Range, Traceparent, Tracestate'
const EXPOSED_HEADERS =
  'Location, Upload-Offset, Upload-Length, Upload-Metadata, Upload-Defer-Length, Upload-Concat, Upload-Expires, ' +
  'Tus-Resumable, Tus-Version, Tus-Extension, Tus-Max-Size, Tus-Checksum-Algorithm, Retry-After, ETag, X-Request-Id, ' +
  'Content-Range, Content-Disposition, Date'
/** Of the IETF draft of resumable uploads. */
const DRAFT_ALLOWED_HEADERS = 'Upload-Draft-Interop-Version, Upload-Complete, Upload-Incomplete, Content-Disposition'
const DRAFT_EXPOSED_HEADERS = 'Upload-Draft-Interop-Version, Upload-Complete, Upload-Incomplete, Upload-Limit'
const PREFLIGHT_SECONDS = 7200

/**
 * `origins`: exact origins, or `*`. Writes to the raw response, so that hijacked replies have the headers too.
 *
 * @param draft pages may send uploads by the IETF draft
 */
export function registerCors(app: FastifyInstance, origins: readonly string[], draft = false): void {
  if (origins.length === 0) return
  const allowed = draft ? `${ALLOWED_HEADERS}, ${DRAFT_ALLOWED_HEADERS}` : ALLOWED_HEADERS
  app.addHook('onRequest', (request, reply, done) => {
    if (!allowOrigin(request, reply, origins)) return done()
    if (draft) reply.raw.setHeader('Access-Control-Expose-Headers', `${EXPOSED_HEADERS}, ${DRAFT_EXPOSED_HEADERS}`)
    if (request.method !== 'OPTIONS' || request.headers['access-control-request-method'] === undefined) return done()
    const { raw } = reply
    raw.setHeader('Access-Control-Allow-Methods', METHODS)
    raw.setHeader('Access-Control-Allow-Headers', allowed)
    raw.setHeader('Access-Control-Max-Age', String(PREFLIGHT_SECONDS))
    reply.hijack()
    raw.writeHead(204).end()
  })
}

/** Sets the headers for an allowed origin; returns whether it is one. Also for responses without hooks. */
export function allowOrigin(request: FastifyRequest, { raw }: FastifyReply, origins: readonly string[]): boolean {
  if (origins.length === 0) return false
  const any = origins.includes('*')
  if (!any) raw.setHeader('Vary', 'Origin')
  const { origin } = request.headers
  if (origin === undefined || !(any || origins.includes(origin))) return false
  raw.setHeader('Access-Control-Allow-Origin', any ? '*' : origin)
  raw.setHeader('Access-Control-Expose-Headers', EXPOSED_HEADERS)
  return true
}
