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
/** The page's own files and nothing else: no fonts from elsewhere, no frame around it. */
const CSP =
  "default-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; object-src 'none'; frame-ancestors 'none'"

/** Registers the dashboard, or what says how to switch it on. */
export async function queueBoard(app: FastifyInstance, deps: OpsDeps): Promise<void> {
  // A scope of its own: the board brings an error handler, a view engine and static files.
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
          // Jobs follow from records; what is shown of one is redacted and must not be stored back.
          before: ({ route }) =>
            BY_HAND.test(route)
              ? { allow: false, status: 403, message: 'Jobs are made from records, not by hand.' }
              : undefined,
          // Formatters see a job's data; its logs and errors come through here too.
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
        // The portal API wants a key that no operator has in a browser: the console shows the upload.
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

/** Jobs on uploads name one; a webhook's event id holds it (`evt_<upload>_<version>`). */
function uploadIdOf(data: { uploadId?: unknown; eventId?: unknown }): string | undefined {
  if (typeof data.uploadId === 'string') return data.uploadId
  return typeof data.eventId === 'string' ? /^evt_([a-z2-7]{40})_/.exec(data.eventId)?.[1] : undefined
}
