// The queue dashboard under /queues: off without a password, read-only unless configured otherwise.

import { createBullBoard } from '@bull-board/api'
import { BullMQAdapter } from '@bull-board/api/bullMQAdapter'
import { FastifyAdapter } from '@bull-board/fastify'
import type { FastifyInstance } from 'fastify'
import type { SecurityEventName } from '../audit/security-events.ts'
import { LANE_DESCRIPTIONS, LANES } from '../jobs/contract.ts'
import { guarded, operatorOf } from './access.ts'
import type { OpsDeps } from './ops-deps.ts'
import { redact } from './redact.ts'

const PATH = '/queues'
/** The page asks for the same jobs every few seconds. */
const READ_EVERY_MS = 15 * 60_000
const BY_HAND = /\/(add|update-data)$/
/** Only files of this page: no external fonts, no frames. */
const CSP =
  "default-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; object-src 'none'; frame-ancestors 'none'"

/** Registers the dashboard, or a page that explains how to switch it on. */
export async function queueBoard(app: FastifyInstance, deps: OpsDeps): Promise<void> {
  // In its own scope: the board registers an error handler, a view engine and static files.
  await guarded(app, deps, { paths: [PATH, `${PATH}/*`], what: 'The queue dashboard' }, async (scope) => {
    scope.addHook('onRequest', async (_request, reply) => {
      void reply.header('content-security-policy', CSP)
    })
    noteUse(scope, deps)
    const adapter = new FastifyAdapter()
    adapter.setBasePath(PATH)
    createBullBoard({
      serverAdapter: adapter,
      queues: boardQueues(deps),
      options: {
        uiConfig: { boardTitle: 'Songngan', hideDocsLink: true, pollingInterval: { showSetting: true } },
        handlerHooks: {
          // Jobs are derived from records; job data is shown redacted and must not be written back.
          before: ({ route }) =>
            BY_HAND.test(route)
              ? {
                  allow: false,
                  status: 403,
                  message: 'Jobs cannot be created or edited here: they are derived from records.',
                }
              : undefined,
          // The board's formatters see only job data; logs and errors are redacted here too.
          after: (_context, result) => ({ ...result, body: redact(result.body) as typeof result.body }),
        },
      },
    })
    await scope.register(adapter.registerPlugin(), { prefix: PATH })
  })
}

/** Each change, allowed or not, is an event, and so is reading jobs: they have file names in them. */
function noteUse(scope: FastifyInstance, { securityLog }: OpsDeps): void {
  scope.addHook('onSend', async (request, reply) => {
    const { url: route = '' } = request.routeOptions
    if (!route.startsWith(`${PATH}/api/`)) return
    const { queueName, jobId } = request.params as { queueName?: string; jobId?: string }
    const { activeQueue } = request.query as { activeQueue?: string }
    const lane = queueName ?? activeQueue
    const actor = operatorOf(request)
    const on = jobId === undefined ? `lane ${lane ?? 'all'}` : `job ${lane}/${jobId}`
    const { method } = request
    const { statusCode } = reply
    if (method === 'GET' || method === 'HEAD') {
      if (statusCode < 400 && (jobId ?? activeQueue) !== undefined)
        await securityLog.recordNowAndThen({ event: 'personal.read', actor, on }, READ_EVERY_MS)
      return
    }
    const result = statusCode < 400 ? 'ok' : statusCode < 500 ? 'refused' : 'failed'
    const what = `queue dashboard: ${method} ${route.slice(`${PATH}/api/`.length)}`
    await securityLog.record({ event: eventOf(route), result, actor, on, what })
  })
}

/** By the last word of the route. @internal */
export function eventOf(route: string): SecurityEventName {
  const words = route.split('/').filter((word) => !word.startsWith(':'))
  const action = words.at(-1) ?? ''
  if (action === 'pause') return 'lane.pause'
  if (action === 'resume') return 'lane.resume'
  if (action === 'concurrency') return 'lane.concurrency'
  if (['empty', 'obliterate', 'clean', 'remove'].includes(action)) return 'queue.remove'
  return ['retry', 'promote', 'run'].includes(action) ? 'queue.retry' : 'queue.change'
}

function boardQueues({ queues, config }: OpsDeps): BullMQAdapter[] {
  const { ops } = config
  return LANES.map((lane) => {
    const adapter = new BullMQAdapter(queues.byLane[lane], {
      readOnlyMode: ops.readOnly,
      allowRetries: !ops.readOnly,
      description: LANE_DESCRIPTIONS[lane],
      externalJobUrl: ({ data }) => {
        const uploadId = uploadIdOf(data)
        // Links to the console, since operators have no API key in the browser.
        return uploadId === undefined
          ? { displayText: 'Console', href: '/console' }
          : { displayText: 'Upload', href: `/console#find=${uploadId}` }
      },
    })
    adapter.setFormatter('data', redact)
    adapter.setFormatter('returnValue', redact)
    return adapter
  })
}

/** The upload of a job; webhooks have it in their event id (`evt_<upload>_<version>`). */
function uploadIdOf(data: { uploadId?: unknown; eventId?: unknown }): string | undefined {
  if (typeof data.uploadId === 'string') return data.uploadId
  return typeof data.eventId === 'string' ? /^evt_([a-z2-7]{40})_/.exec(data.eventId)?.[1] : undefined
}
