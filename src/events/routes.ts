// The event routes: two streams for pages, and the log for a portal that was away.

// Adds `tags`, `summary` and `produces` to what a route's schema may say.
import type {} from '@fastify/swagger'
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import Type from 'typebox'
import { AppError } from '../core/errors.ts'
import type { IdSecrets } from '../core/ids.ts'
import type { Logger } from '../core/logger.ts'
import type { SubmissionHeads } from '../records/submission-heads.ts'
import type { UploadViews } from '../records/upload-views.ts'
import { type Authorize, requireSubmissionId, requireUpload } from './access.ts'
import type { LiveEvents } from './live.ts'
import type { EventLog } from './log.ts'
import type { ProgressWatch } from './progress.ts'
import { EventSession, type SessionTarget } from './sse.ts'
import { SseWriter } from './sse-writer.ts'

export type EventRouteDeps = {
  authorize: Authorize
  log: EventLog
  live: LiveEvents
  progress: ProgressWatch
  heads: Pick<SubmissionHeads, 'require'>
  views: Pick<UploadViews, 'one'>
  secrets: IdSecrets
  /** The documents as `GET /v1/submissions/:id` and `GET /v1/uploads/:id` answer them. */
  snapshots: {
    submission(owner: string, submissionId: string): Promise<unknown>
    upload(uploadId: string): Promise<unknown>
  }
  logger: Logger
  /** Aborted when the process begins to drain: open streams end, their pages come back to another process. */
  drain?: AbortSignal
  /** Shorter ones for tests. */
  timing?: { heartbeatMs?: number; slowReaderMs?: number; retryMs?: number }
}

const MAX_PAGE = 200
const DEFAULT_PAGE = 100
/** Credentials are checked when a stream opens: none outlives them for longer than this. */
const MAX_STREAM_MS = 60 * 60_000
const MAX_LAST_EVENT_ID = 400

const idParams = Type.Object({ id: Type.String() })
const tokenQuery = Type.Object({
  access_token: Type.Optional(Type.String({ description: 'A session token, where no header can be set' })),
})
const logQuery = Type.Object({
  after: Type.Optional(Type.String({ description: 'nextCursor of an earlier answer; absent: from the oldest' })),
  limit: Type.Integer({ minimum: 1, maximum: MAX_PAGE, default: DEFAULT_PAGE }),
})
const logPage = Type.Object({
  items: Type.Array(Type.Object({}, { additionalProperties: true })),
  nextCursor: Type.String({ description: 'Go on from here, also when this page was empty' }),
})

/** Registers `GET /v1/events`, `GET /v1/submissions/:id/events` and `GET /v1/uploads/:id/events`. */
export async function eventRoutes(app: FastifyInstance, deps: EventRouteDeps): Promise<void> {
  const open = new Set<SseWriter>()
  const endAll = () => {
    for (const writer of open) writer.end()
  }
  deps.drain?.addEventListener('abort', endAll, { once: true })
  // A listener closes only when its connections do.
  app.addHook('preClose', async () => endAll())

  const stream = (request: FastifyRequest, reply: FastifyReply, target: SessionTarget) => {
    if (deps.drain?.aborted) throw new AppError('DRAINING', { retryAfterSeconds: 1 })
    const { retryMs, ...timing } = deps.timing ?? {}
    // Spread out, so that the pages of a process that ends do not all come back in one instant.
    const writer = new SseWriter({ retryMs: retryMs ?? 1000 + Math.round(Math.random() * 3000), ...timing })
    open.add(writer)
    const lifetime = setTimeout(() => writer.end(), MAX_STREAM_MS).unref()
    writer.onClose(() => {
      open.delete(writer)
      clearTimeout(lifetime)
    })
    // A reader whose side has ended reads no more; an answer that never ends is not what it waits for.
    request.raw.socket.once('end', () => writer.body.destroy())
    const lastEventId = lastEventIdOf(request)
    const session = new EventSession(deps, { ...target, ...(lastEventId === undefined ? {} : { lastEventId }) }, writer)
    session.run().catch((err: unknown) => deps.logger.error({ err }, 'event stream'))
    return reply
      .header('content-type', 'text/event-stream; charset=utf-8')
      .header('cache-control', 'no-cache, no-transform')
      .header('x-accel-buffering', 'no')
      .send(writer.body)
  }

  app.get<{ Params: { id: string } }>(
    '/v1/submissions/:id/events',
    {
      // A HEAD made from this route would hold its connection open.
      exposeHeadRoute: false,
      schema: {
        tags: ['events'],
        summary: 'What happens in a submission, as server-sent events',
        produces: ['text/event-stream'],
        params: idParams,
        querystring: tokenQuery,
      },
    },
    async (request, reply) => {
      const caller = await deps.authorize(request)
      const { id } = request.params
      requireSubmissionId(caller, id)
      await deps.heads.require(caller.owner, id)
      return stream(request, reply, {
        owner: caller.owner,
        submissionId: id,
        snapshot: () => deps.snapshots.submission(caller.owner, id),
      })
    },
  )

  app.get<{ Params: { id: string } }>(
    '/v1/uploads/:id/events',
    {
      exposeHeadRoute: false,
      schema: {
        tags: ['events'],
        summary: 'What happens to an upload, as server-sent events',
        produces: ['text/event-stream'],
        params: idParams,
        querystring: tokenQuery,
      },
    },
    async (request, reply) => {
      const caller = await deps.authorize(request)
      const { id } = request.params
      const { owner, submissionId } = await requireUpload(deps, caller, id)
      return stream(request, reply, {
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
      // A session reads one submission; the portal's log holds them all.
      if (caller.submissionId !== undefined) throw new AppError('SESSION_SCOPE')
      const { after, limit } = request.query
      return await deps.log.after(caller.owner, after, limit)
    },
  )
}

/** The header as a browser sends it again by itself; what is not a name of ours is as unknown as any other. */
function lastEventIdOf(request: FastifyRequest): string | undefined {
  const id = request.headers['last-event-id']
  return typeof id === 'string' && id !== '' && id.length <= MAX_LAST_EVENT_ID ? id : undefined
}
