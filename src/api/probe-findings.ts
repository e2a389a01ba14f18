// `POST /v1/outages`: what a probe on another host saw, and the services could not: a dead balancer, an expired certificate.

import Type from 'typebox'
import type { SecurityLog } from '../audit/security-log.ts'
import type { ProbeAuth } from '../auth/probe-auth.ts'
import { type Clock, isoTime } from '../core/clock.ts'
import type { KnownOutages } from '../evidence/outages/known-outages.ts'
import { type OutageLedger, outageId } from '../evidence/outages/outage-ledger.ts'
import { badRequest } from '../http/errors.ts'
import { PROBE_ONLY } from '../http/openapi/documented.ts'
import { BODY_CODES, publicProblems } from '../http/openapi/responses.ts'
import type { Api } from '../http/typed-routes.ts'

export type ProbeApiDeps = {
  probeAuth: ProbeAuth
  clock: Clock
  outages: Pick<OutageLedger, 'note'>
  knownOutages: Pick<KnownOutages, 'forget'>
  securityLog: Pick<SecurityLog, 'record'>
}

/** A probe knows the server's time to a second or two. */
const AHEAD_MS = 2000
const OLDEST_MS = 31 * 86_400_000
const MAX_FINDINGS = 50

const Time = Type.String({ format: 'date-time', description: 'By the server’s clock' })
const Body = Type.Object(
  {
    outages: Type.Array(
      Type.Object(
        { from: Time, to: Time, reason: Type.String({ minLength: 1, maxLength: 300, description: 'What it got' }) },
        { additionalProperties: false },
      ),
      { minItems: 1, maxItems: MAX_FINDINGS },
    ),
  },
  {
    title: 'OutageFindings',
    examples: [{ outages: [{ from: '2026-09-30T16:40:00.000Z', to: '2026-09-30T16:44:30.000Z', reason: 'HTTP 502' }] }],
    additionalProperties: false,
  },
)
const Answer = Type.Object(
  {
    items: Type.Array(
      Type.Object({
        id: Type.String(),
        noted: Type.Boolean({ description: 'False: it was in the ledger already' }),
      }),
      { description: 'In the order of the request' },
    ),
  },
  { title: 'FiledOutages', description: 'What became of each' },
)

export function probeApi(api: Api, { probeAuth, clock, outages, knownOutages, securityLog }: ProbeApiDeps): void {
  api.post(
    '/v1/outages',
    {
      onRequest: probeAuth.require,
      bodyLimit: 64 * 1024,
      schema: {
        tags: ['status'],
        operationId: 'fileOutages',
        security: PROBE_ONLY,
        summary: 'File outages that a probe saw from outside',
        description: 'With a key of `PROBE_KEYS`. Filing the same again changes nothing.',
        body: Body,
        response: {
          200: Answer,
          ...publicProblems([...BODY_CODES, 'API_KEY_INVALID', 'TOO_MANY_WRONG_CREDENTIALS', 'NO_SPACE']),
        },
      },
    },
    async (request) => {
      const probe = probeAuth.nameOf(request)
      const nowMs = clock.now()
      const found = request.body.outages.map((one, i) => {
        const [fromMs, toMs] = [Date.parse(one.from), Date.parse(one.to)]
        const path = `/outages/${i}`
        if (!(fromMs < toMs)) throw badRequest({ in: 'body', path, message: 'must end after its beginning' })
        if (toMs > nowMs + AHEAD_MS) throw badRequest({ in: 'body', path, message: 'must not end in the future' })
        if (fromMs < nowMs - OLDEST_MS) throw badRequest({ in: 'body', path, message: 'is more than 31 days ago' })
        return { fromMs, toMs, reason: one.reason }
      })
      const items: { id: string; noted: boolean }[] = []
      for (const { fromMs, toMs, reason } of found) {
        const id = outageId(fromMs, `outside-${probe}`)
        const noted = await outages.note({
          id,
          from: isoTime(fromMs),
          to: isoTime(toMs),
          affected: 'all',
          seenBy: 'probe',
          probe,
          reason,
        })
        items.push({ id, noted })
        if (noted)
          await securityLog.record({
            event: 'outage.note',
            actor: { by: `probe ${probe}`, from: request.ip },
            on: `outage ${id}`,
          })
      }
      knownOutages.forget()
      return { items }
    },
  )
}
