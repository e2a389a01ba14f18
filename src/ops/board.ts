// The queue dashboard under /queues: off without a password, read-only unless configured otherwise.

import { createBullBoard } from '@bull-board/api'
import { BullMQAdapter } from '@bull-board/api/bullMQAdapter'
import { FastifyAdapter } from '@bull-board/fastify'
import type { FastifyInstance } from 'fastify'
import { LANE_DESCRIPTIONS, LANES } from '../jobs/contract.ts'
import { guarded } from './access.ts'
import type { OpsDeps } from './ops-deps.ts'
import { redact } from './redact.ts'

const PATH = '/queues'
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
