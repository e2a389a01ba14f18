// The event routes: two streams for pages, and the log for a portal that was away.

import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import Type from 'typebox'
import type { Secrets } from '../core/derive-key.ts'
import { AppError } from '../core/errors.ts'
import type { Logger } from '../core/logger.ts'
import { documented, PORTAL_ONLY } from '../http/openapi/documented.ts'
import { problems } from '../http/openapi/responses.ts'
import type { Issued } from '../records/revocations.ts'
import type { SubmissionHeads } from '../records/submission-heads.ts'
import type { UploadViews } from '../records/upload-views.ts'
import { type Authorize, type Caller, requireSubmissionId, requireUpload } from './access.ts'
import { EventSchema } from './event-types.ts'
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

const tokenQuery = Type.Object({
  access_token: Type.Optional(Type.String({ description: 'A session token, for clients that cannot set headers' })),
})
const logQuery = Type.Object({
  after: Type.Optional(
    Type.String({ description: 'nextCursor of an earlier response; default: from the oldest event' }),
  ),
  limit: Type.Integer({ minimum: 1, maximum: MAX_PAGE, default: DEFAULT_PAGE }),
})
const nextCursor = Type.String({ description: 'The position to continue from, also if this page is empty' })
const describedPage = Type.Object(
  { items: Type.Array(EventSchema), nextCursor },
  { title: 'EventList', description: 'A page of events' },
)
/** Each event is written as it was stored, which is as webhooks have it: a schema of its members would move and convert them. */
const logPage = Type.Object({ items: Type.Array(Type.Object({}, { additionalProperties: true })), nextCursor })

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
    streamOptions('submission'),
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

  app.get<{ Params: { id: string } }>('/v1/uploads/:id/events', streamOptions('upload'), async (request, reply) => {
    const caller = await deps.authorizeStream(request)
    const { id } = request.params
    const { owner, submissionId } = await requireUpload(deps, caller, id)
    return stream(request, reply, caller, {
      owner,
      submissionId,
      uploadId: id,
      snapshot: () => deps.snapshots.upload(id),
    })
  })

  app.get<{ Querystring: { after?: string; limit: number } }>(
    '/v1/events',
    {
      config: { swaggerTransform: documented({ response: { 200: describedPage } }) },
      schema: {
        tags: ['events'],
        operationId: 'listEvents',
        summary: 'List the events of the last seven days',
        description: 'For a portal that was away: oldest first, of all its submissions.',
        security: PORTAL_ONLY,
        querystring: logQuery,
        response: { 200: logPage, ...problems(['BAD_REQUEST', 'CURSOR_INVALID', 'INDEX_REBUILDING']) },
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

/** What a stream is of: `submission` or `upload`. */
function streamOptions(of: keyof typeof STREAMS) {
  const { codes, operationId, id } = STREAMS[of]
  const response = {
    200: { description: 'The stream', content: { 'text/event-stream': { schema: Type.String() } } },
    ...problems([...codes, 'BAD_REQUEST', 'ID_INVALID', 'SUBMISSION_DELETED', 'PROFILE_UNKNOWN', 'DRAINING']),
  }
  const headers = { 'Last-Event-ID': 'The id of the last event that the caller has: the stream goes on behind it' }
  return {
    // A HEAD route would keep its connection open.
    exposeHeadRoute: false,
    config: { swaggerTransform: documented({ headers }) },
    schema: {
      tags: ['events'],
      operationId,
      summary: `Follow the events of ${of === 'upload' ? 'an upload' : 'a submission'}`,
      description:
        'Server-sent events. The first one, `snapshot`, has the document; then each event has its type as its name, and as data what ' +
        'webhooks have as body. `progress` is not stored. A stream ends after an hour: connect again.',
      params: Type.Object({ id: Type.String({ description: id }) }),
      querystring: tokenQuery,
      response,
    },
  }
}

const STREAMS = {
  submission: {
    operationId: 'streamSubmissionEvents',
    id: 'Chosen by the portal: 1 to 128 of A-Z a-z 0-9 . _ ~ -',
    codes: ['SUBMISSION_UNKNOWN'],
  },
  upload: {
    operationId: 'streamUploadEvents',
    id: 'Given by the service; the end of its tus URL',
    codes: ['UPLOAD_UNKNOWN'],
  },
} as const
