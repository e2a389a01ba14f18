// The tus endpoint: /files and /files/{id}. Fastify passes the raw request and response before it reads the
// body. The order here is: method, ticket, headers, protocol.

import type { Socket } from 'node:net'
import { DataStore } from '@tus/server'
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import { bearerOf } from '../auth/authenticate.ts'
import { ticketIssued } from '../auth/issued.ts'
import { AppError } from '../core/errors.ts'
import { isUploadId, shardOfSubmission, shardOfUpload } from '../core/ids.ts'
import { publicUrl } from '../http/public-url.ts'
import { answer } from './answer.ts'
import { noteAttempt } from './attempt.ts'
import { CHECKSUM_ALGORITHMS } from './checksum.ts'
import { createFinal, isFinalConcat } from './concat.ts'
import { appendDraft, endDraft } from './draft-append.ts'
import { draftRequest } from './draft-request.ts'
import { patchUpload } from './patch.ts'
import { readUpload } from './read.ts'
import { TusRequestContext } from './request-context.ts'
import { RequestSpan } from './request-span.ts'
import { checkHeaders, TusRequest } from './tus-request.ts'
import { TUS_EXTENSIONS, TusProtocol, tusError } from './tus-server.ts'
import type { TusMethod } from './tus-words.ts'
import type { UploadDeps } from './upload-deps.ts'

/** PUT is only for X-HTTP-Method-Override. */
const ROUTED = ['POST', 'OPTIONS', 'GET', 'HEAD', 'PATCH', 'DELETE', 'PUT']
const METHODS = ['POST', 'HEAD', 'PATCH', 'DELETE', 'OPTIONS', 'GET'] as const

/** The document describes them in openapi.ts: they read no schema. */
export function uploadRoutes(app: FastifyInstance, deps: UploadDeps): void {
  const protocol = new TusProtocol(new DataStore())
  // Bodies are read by the data path, never by Fastify.
  app.removeAllContentTypeParsers()
  app.addContentTypeParser('*', (_request, _payload, done) => done(null))
  // Pipelined requests of a connection are served in order.
  const last = new WeakMap<Socket, Promise<void>>()
  const handler = (request: FastifyRequest, reply: FastifyReply) => {
    const { socket } = request.raw
    const before = last.get(socket)
    const served =
      before === undefined
        ? serve(deps, protocol, request, reply)
        : before.then(() => serve(deps, protocol, request, reply))
    last.set(socket, served)
    return served
  }
  app.route({
    method: ROUTED,
    url: '/files',
    schema: { hide: true },
    handler,
  })
  // A wildcard: ids with slashes are refused here, not by the router.
  app.route({
    method: ROUTED,
    url: '/files/*',
    schema: { hide: true },
    handler,
  })
}

async function serve(deps: UploadDeps, protocol: TusProtocol, request: FastifyRequest, reply: FastifyReply) {
  const { metrics } = deps
  reply.hijack()
  const { raw } = request
  const path = (request.params as { '*'?: string })['*'] ?? ''
  const draft = deps.config.uploads.speaksDraft ? draftRequest(raw, methodOf(request)) : undefined
  const method = draft === undefined ? methodOf(request) : draft.method
  const tus = new TusRequest(raw, reply.raw, {
    // An unknown method is refused below.
    method: method ?? 'GET',
    id: path === '' ? null : path,
    baseUrl: publicUrl(deps.config, request),
    ...(draft === undefined ? {} : { draft, headers: draft.headers }),
  })
  const span = new RequestSpan(deps.tracing, tus)
  tus.answer['X-Request-Id'] = request.id
  metrics.uploadRequests.inc({ method: tus.method })
  const atMs = deps.clock.now()
  try {
    if (method === undefined) throw new AppError('METHOD_NOT_ALLOWED')
    const outcome = await run(deps, protocol, tus, span)
    if (outcome === 'answered') return
    const { status, headers } = outcome
    const id = uploadIdOf(headers)
    if (tus.error !== undefined) report(deps, tus, tus.error, request)
    noteAttempt(deps, tus, id, atMs)
    answer(tus, status, headers, deps.admission.draining)
    span.end(tus.res.headersSent ? status : undefined, tus.id ?? id, tus.error)
  } catch (thrown) {
    const error = asSeenBy(tus, tusError(thrown))
    tus.error = error
    report(deps, tus, error, request)
    noteAttempt(deps, tus, null, atMs)
    answer(tus, error.status, {}, deps.admission.draining)
    // Of an upload that it could not find out about.
    if (tus.ticket !== null) span.begin(tus.ticket.trace)
    span.end(tus.res.headersSent ? error.status : undefined, tus.id, error)
  }
}

async function run(deps: UploadDeps, protocol: TusProtocol, tus: TusRequest, span: RequestSpan) {
  const { method, id } = tus
  if (method === 'OPTIONS') {
    const max = String(deps.config.uploads.maxBytes)
    tus.draft?.limit(deps.config.uploads.maxBytes)
    return {
      status: 204,
      headers: {
        'Tus-Version': '1.0.0',
        'Tus-Extension': TUS_EXTENSIONS.join(','),
        'Tus-Max-Size': max,
        'Tus-Checksum-Algorithm': CHECKSUM_ALGORITHMS.join(','),
      },
    }
  }
  if (id === null ? method !== 'POST' : method === 'POST') throw new AppError('METHOD_NOT_ALLOWED')
  // Ids that were not issued here need no look-up, nor do ids with a wrong format.
  if (id !== null && !isUploadId(id, deps.config.secrets.uploadId)) throw new AppError('UPLOAD_UNKNOWN')
  if (tus.draft?.refusal !== undefined) throw tus.draft.refusal
  checkHeaders(tus)
  await authorize(deps, tus)
  if (method === 'POST') tus.trace = span.begin(tus.ticket?.trace)
  if (method === 'GET') {
    await readUpload(deps, tus)
    return 'answered' as const
  }
  if (method === 'POST' && isFinalConcat(tus.headers.get('upload-concat'))) {
    const finalId = await createFinal(deps, tus)
    return { status: 201, headers: { Location: `${tus.baseUrl}/files/${finalId}` } }
  }
  if (method === 'PATCH' && id !== null) {
    if (tus.draft !== undefined) return { status: 201, headers: await appendDraft(deps, tus, id, span) }
    return { status: 204, headers: await patchUpload(deps, tus, id, span) }
  }
  const outcome = await protocol.serve(tus, new TusRequestContext(deps, tus))
  if (tus.error !== undefined) {
    tus.error = asSeenBy(tus, tus.error)
    return { status: tus.error.status, headers: {} }
  }
  if (tus.draft === undefined) return outcome
  const created = method === 'POST' ? uploadIdOf(outcome.headers) : null
  if (created !== null) await endDraft(deps, tus, created, Number(outcome.headers['upload-offset'] ?? 0), span)
  return method === 'HEAD' ? { ...outcome, status: 204 } : outcome
}

/** "If the header is present, the actual request method MUST be ignored": for clients that cannot send PATCH. */
function methodOf(request: FastifyRequest): TusMethod | undefined {
  const given = request.headers['x-http-method-override']
  const method = typeof given === 'string' ? given.toUpperCase() : request.method
  return METHODS.find((known) => known === method)
}

/** The ticket's signature, submission and slot are checked on every request, its expiry only when it creates. */
async function authorize(deps: UploadDeps, tus: TusRequest): Promise<void> {
  if (deps.config.tickets.auth === 'none') return
  const token = bearerOf(tus.raw)
  if (token === undefined) throw new AppError('TICKET_INVALID', { headers: { 'WWW-Authenticate': 'Bearer' } })
  // A final concatenation only completes existing uploads.
  const creates = tus.method === 'POST' && !isFinalConcat(tus.headers.get('upload-concat'))
  const ticket = await deps.tokens.verifyTicket(token, { checkExpiry: creates })
  tus.ticket = ticket
  // Before its upload is looked at: a revoked ticket must not end another's request.
  if (await deps.revocations.isRevoked(ticketIssued(ticket))) throw new AppError('TICKET_REVOKED')
  // The id shows a ticket for another submission; Redis or the record show one for another slot.
  if (tus.id !== null && shardOfUpload(tus.id) !== shardOfSubmission(ticket.owner, ticket.submission))
    throw new AppError('TICKET_SCOPE')
}

/**
 * The status depends on how clients react: after 5xx to HEAD tus-js-client starts again from byte 0, so
 * system errors are 423 there, and also for PATCH, where 423 is retried.
 */
function asSeenBy({ method, draft }: TusRequest, error: AppError): AppError {
  const seen = draft?.seen(error)
  if (seen !== undefined) return seen
  const ours = error.status >= 500 && error.code !== 'NO_SPACE' && error.code !== 'TRANSFER_CODING_UNSUPPORTED'
  if (!ours || (method !== 'HEAD' && method !== 'PATCH')) return error
  return new AppError(error.code, {
    status: 423,
    details: error.details,
    headers: error.headers,
    retryAfterSeconds: error.retryAfterSeconds ?? 1,
    cause: error.cause,
  })
}

/** The upload id in the response to a creation. */
function uploadIdOf(headers: Record<string, string>): string | null {
  const location = headers['location'] ?? headers['Location']
  return location?.split('/').pop() ?? null
}

function report(deps: UploadDeps, tus: TusRequest, error: AppError, request: FastifyRequest): void {
  deps.metrics.uploadErrors.inc({ code: error.code, status: String(error.status) })
  const line = { uploadId: tus.id ?? undefined, method: tus.method, code: error.code, status: error.status }
  if (error.code === 'INTERNAL') request.log.error({ ...line, err: error.cause ?? error }, 'tus request failed')
  else if (error.cause !== undefined) request.log.warn({ ...line, err: error.cause }, 'tus request refused')
  else request.log.info(line, 'tus request refused')
}
