// `GET /v1/status`: whether files are taken now, and when the service could not be used. Public, for portals and pages.

import Type from 'typebox'
import { type Clock, isoTime } from '../core/clock.ts'
import type { Affected } from '../evidence/outages/fleet-outages.ts'
import type { KnownOutages } from '../evidence/outages/known-outages.ts'
import { publicProblems } from '../http/openapi/responses.ts'
import type { Api } from '../http/typed-routes.ts'

export type StatusApiDeps = {
  clock: Clock
  knownOutages: Pick<KnownOutages, 'all'>
  /** What this process sees; `affected` null: everything works. */
  presentState: { now(): Promise<{ affected: Affected | null; reason: string | null }> }
}

const RECENT_MS = 7 * 86_400_000
const MAX_RECENT = 50

const AffectedSchema = Type.Enum(['all', 'store', 'redis', 'creations'], {
  description:
    'What could not be done: `all`, nothing: no service was there; `store`, `redis`: uploads waited; `creations`: only new ' +
    'uploads were refused, those that had begun went on',
})
const Time = Type.String({ format: 'date-time' })

const Status = Type.Object(
  {
    status: Type.Enum(['open', 'closed', 'unavailable'], {
      description: '`closed`: new uploads are refused; `unavailable`: all uploads wait',
    }),
    at: Time,
    affected: Type.Union([AffectedSchema, Type.Null()]),
    reason: Type.Unsafe<string | null>({
      type: ['string', 'null'],
      description: 'Of who closed new uploads, for people',
    }),
    outages: Type.Array(
      Type.Object({ id: Type.String(), from: Time, to: Time, affected: AffectedSchema }, { title: 'Outage' }),
      {
        description: 'Of the last seven days, newest first; an outage is listed a minute or two after its end',
      },
    ),
  },
  {
    title: 'Status',
    examples: [
      {
        status: 'open',
        at: '2026-09-30T09:00:00.000Z',
        affected: null,
        reason: null,
        outages: [
          { id: 'o-1', from: '2026-09-29T16:40:00.000Z', to: '2026-09-29T16:44:30.000Z', affected: 'creations' },
        ],
      },
    ],
    description: 'The same for everybody',
  },
)

export function statusApi(api: Api, { clock, knownOutages, presentState }: StatusApiDeps): void {
  api.get(
    '/v1/status',
    {
      schema: {
        tags: ['status'],
        operationId: 'getStatus',
        summary: 'Tell whether files are taken now, and recent outages',
        description: 'No authentication; may be cached for ten seconds. The same for every portal.',
        security: [],
        response: { 200: Status, ...publicProblems([]) },
      },
    },
    async (_request, reply) => {
      const nowMs = clock.now()
      const [{ affected, reason }, outages] = await Promise.all([presentState.now(), knownOutages.all()])
      const recent = outages.filter(({ to }) => Date.parse(to) >= nowMs - RECENT_MS).slice(-MAX_RECENT)
      return await reply.header('cache-control', 'public, max-age=10, stale-if-error=600').send({
        status: affected === null ? 'open' : affected === 'creations' ? 'closed' : 'unavailable',
        at: isoTime(nowMs),
        affected,
        reason,
        outages: recent.toReversed().map(({ id, from, to, affected: what }) => ({ id, from, to, affected: what })),
      })
    },
  )
}
