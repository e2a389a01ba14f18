// The event routes: two streams for pages, and the log for a portal that was away.

// Adds `tags`, `summary` and `produces` to the schema of routes.
import type {} from '@fastify/swagger'
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import Type from 'typebox'
import type { Secrets } from '../core/derive-key.ts'
import { AppError } from '../core/errors.ts'
import type { Logger } from '../core/logger.ts'
import type { Issued } from '../records/revocations.ts'
import type { SubmissionHeads } from '../records/submission-heads.ts'
import type { UploadViews } from '../records/upload-views.ts'
import { type Authorize, type Caller, requireSubmissionId, requireUpload } from './access.ts'
import type { LiveEvents } from './live.ts'
import type { EventLog } from './log.ts'
import type { ProgressWatch } from './progress.ts'
import { EventSession, type SessionTarget } from './sse.ts'
import { SseWriter } from './sse-writer.ts'

export type EventRouteDeps = {
  authorize: Authorize
  /** The same for streams, whose clients may not be able to set headers. */
  authorizeStream: Authorize
  log: EventLog
  live: LiveEvents
  progress: ProgressWatch
  heads: Pick<SubmissionHeads, 'require'>
  views: Pick<UploadViews, 'one'>
  secrets: Secrets
  revocations: { watch(issued: Issued, end: () => void): () => void }
  /** The documents as `GET /v1/submissions/:id` and `GET /v1/uploads/:id` answer them. */
  snapshots: {
    submission(owner: string, submissionId: string): Promise<unknown>
    upload(uploadId: string): Promise<unknown>
  }
  logger: Logger
  /** Aborted when the process starts to drain: open streams end, and pages reconnect to another process. */
  drain?: AbortSignal
  /** Shorter ones for tests. */
  timing?: { heartbeatMs?: number; slowReaderMs?: number; retryMs?: number }
}

const MAX_PAGE = 200
const DEFAULT_PAGE = 100
/** Credentials are checked when a stream opens, so streams are limited in time. */
const MAX_STREAM_MS = 60 * 60_000
const MAX_LAST_EVENT_ID = 400

const idParams = Type.Object({ id: Type.String() })
const tokenQuery = Type.Object({
  access_token: Type.Optional(Type.String({ description: 'A session token, for clients that cannot set headers' })),
})
const logQuery = Type.Object({
  after: Type.Optional(
    Type.String({ description: 'nextCursor of an earlier response; default: from the oldest event' }),
  ),
  limit: Type.Integer({ minimum: 1, maximum: MAX_PAGE, default: DEFAULT_PAGE }),
})
const logPage = Type.Object({
  items: Type.Array(Type.Object({}, { additionalProperties: true })),
  nextCursor: Type.String({ description: 'The position to continue from, also if this page is empty' }),
})

/** Registers `GET /v1/events`, `GET /v1/submissions/:id/events` and `GET /v1/uploads/:id/events`. */
export async function eventRoutes(app: FastifyInstance, deps: EventRouteDeps): Promise<void> {
  const open = new Set<SseWriter>()
  const endAll = () => {
    for (const writer of open) writer.end()
  }
  deps.drain?.addEventListener('abort', endAll, { once: true })
  // The server closes only after its connections.
  app.addHook('preClose', async () => endAll())

  const stream = (request: FastifyRequest, reply: FastifyReply, caller: Caller, target: SessionTarget) => {
    if (deps.drain?.aborted) throw new AppError('DRAINING', { retryAfterSeconds: 1 })
    const { retryMs, ...timing } = deps.timing ?? {}
    // Random, so that the pages of an ended process do not all reconnect at once.
    const writer = new SseWriter({ retryMs: retryMs ?? 1000 + Math.round(Math.random() * 3000), ...timing })
    open.add(writer)
    const lifetime = setTimeout(() => writer.end(), MAX_STREAM_MS).unref()
    // The page connects again, and is refused then.
    const unwatch =
      caller.session === undefined ? undefined : deps.revocations.watch(caller.session.issued, () => writer.end())
    writer.onClose(() => {
      open.delete(writer)
      clearTimeout(lifetime)
      unwatch?.()
    })
    // A half-closed client does not read an endless response.
    request.raw.socket.once('end', () => writer.body.destroy())
    const lastEventId = lastEventIdOf(request)
    const session = new EventSession(deps, { ...target, ...(lastEventId === undefined ? {} : { lastEventId }) }, writer)
    session.run().catch((err: unknown) => deps.logger.error({ err }, 'event stream failed'))
    return reply
      .header('content-type', 'text/event-stream; charset=utf-8')
      .header('cache-control', 'no-cache, no-transform')
      .header('x-accel-buffering', 'no')
      .send(writer.body)
  }

  app.get<{ Params: { id: string } }>(
    '/v1/submissions/:id/events',
    streamOptions('Events of a submission, as server-sent events'),
    async (request, reply) => {
      const caller = await deps.authorizeStream(request)
      const { id } = request.params
      requireSubmissionId(caller, id)
      await deps.heads.require(caller.owner, id)
      return stream(request, reply, caller, {
        owner: caller.owner,
        submissionId: id,
        snapshot: () => deps.snapshots.submission(caller.owner, id),
      })
    },
  )

  app.get<{ Params: { id: string } }>(
    '/v1/uploads/:id/events',
    streamOptions('Events of an upload, as server-sent events'),
    async (request, reply) => {
      const caller = await deps.authorizeStream(request)
      const { id } = request.params
      const { owner, submissionId } = await requireUpload(deps, caller, id)
      return stream(request, reply, caller, {
        owner,
        submissionId,
        uploadId: id,
        snapshot: () => deps.snapshots.upload(id),
      })
    },
  )

  app.get<{ Querystring: { after?: string; limit: number } }>(
    '/v1/events',
    {
      schema: {
        tags: ['events'],
        summary: 'The events of the last seven days, for a portal that was away',
        querystring: logQuery,
        response: { 200: logPage },
      },
    },
    async (request) => {
      const caller = await deps.authorize(request)
      // A session belongs to one submission; the portal's log has all of them.
      if (caller.submissionId !== undefined) throw new AppError('SESSION_SCOPE')
      const { after, limit } = request.query
      return await deps.log.after(caller.owner, after, limit)
    },
  )
}

/** The header as browsers repeat it; invalid values count as absent. */
function lastEventIdOf(request: FastifyRequest): string | undefined {
  const id = request.headers['last-event-id']
  return typeof id === 'string' && id !== '' && id.length <= MAX_LAST_EVENT_ID ? id : undefined
}

function streamOptions(summary: string) {
  // A HEAD route would keep its connection open.
  const exposeHeadRoute = false
  const produces = ['text/event-stream']
  return { exposeHeadRoute, schema: { tags: ['events'], summary, produces, params: idParams, querystring: tokenQuery } }
}
