// `POST /v1/submissions/:id/attempts`: what a page tried while it reached nobody, filed later.

import Type from 'typebox'
import { type Auth, submissionOf } from '../auth/authenticate.ts'
import type { Clock } from '../core/clock.ts'
import type { Attempts } from '../evidence/attempts.ts'
import { attemptsOf, CLAIM_CODES, refusalOf } from '../evidence/claimed-attempts.ts'
import type { KnownOutages } from '../evidence/outages/known-outages.ts'
import { BODY_CODES, problems } from '../http/openapi/responses.ts'
import type { Api } from '../http/typed-routes.ts'
import type { SubmissionHeads } from '../records/submission-heads.ts'
import type { ProfileCatalogue } from '../submissions/profiles/loader.ts'
import { findSlot } from '../submissions/profiles/profile.ts'
import { SubmissionId } from './submission-schemas.ts'

export type ClaimsApiDeps = {
  auth: Auth
  clock: Clock
  heads: SubmissionHeads
  profiles: ProfileCatalogue
  attempts: Attempts
  knownOutages: Pick<KnownOutages, 'at'>
}

const MAX_CLAIMS = 50
const Time = Type.String({ format: 'date-time', description: 'When it was tried, by the server’s clock' })
const Slot = Type.String({ minLength: 1, maxLength: 64 })

const Body = Type.Object(
  {
    attempts: Type.Array(
      Type.Object(
        {
          at: Time,
          slot: Slot,
          code: Type.String({
            pattern: '^[A-Z0-9_]{1,64}$',
            description: 'What was got instead of an answer: `NO_ANSWER`, `HTTP_502`, or a code of this API',
          }),
        },
        { additionalProperties: false },
      ),
      { minItems: 1, maxItems: MAX_CLAIMS },
    ),
  },
  {
    title: 'ClaimedAttempts',
    examples: [{ attempts: [{ at: '2026-09-30T16:41:07.000Z', slot: 'teaching_video', code: 'NO_ANSWER' }] }],
    additionalProperties: false,
  },
)

const Answer = Type.Object(
  {
    items: Type.Array(
      Type.Object(
        {
          at: Type.String(),
          slot: Type.String(),
          kept: Type.Boolean(),
          counts: Type.Boolean({ description: 'As an attempt in time: it lies in an outage of the ledger' }),
          code: Type.Enum([...CLAIM_CODES]),
          outage: Type.Unsafe<string | null>({ type: ['string', 'null'] }),
        },
        { title: 'FiledAttempt' },
      ),
      { description: 'In the order of the request' },
    ),
  },
  {
    title: 'FiledAttempts',
    examples: [
      {
        items: [
          {
            at: '2026-09-30T16:41:07.000Z',
            slot: 'teaching_video',
            kept: true,
            counts: true,
            code: 'CLAIM_COUNTS',
            outage: 'o-1790786400000',
          },
        ],
      },
    ],
    description: 'What became of each',
  },
)

export function claimsApi(api: Api, deps: ClaimsApiDeps): void {
  const { auth, clock, heads, profiles, attempts, knownOutages } = deps
  api.post(
    '/v1/submissions/:id/attempts',
    {
      onRequest: auth.requirePortalOrSession('upload'),
      bodyLimit: 32 * 1024,
      schema: {
        tags: ['receipts'],
        operationId: 'fileAttempts',
        summary: 'File attempts that the service could not see',
        description:
          'What a page tried while nobody answered. Each is kept as `claimed`, and counts as an attempt before the deadline only while ' +
          'it lies in an outage of the ledger, also one that is noted later. Claims of the future, of more than 31 days ago and for ' +
          'unknown slots are not kept. Of one slot one a minute is kept. Filing the same again changes nothing.',
        params: SubmissionId,
        body: Body,
        response: {
          200: Answer,
          ...problems([
            ...BODY_CODES,
            'ID_INVALID',
            'SUBMISSION_UNKNOWN',
            'SUBMISSION_DELETED',
            'RATE_LIMITED',
            'NO_SPACE',
          ]),
        },
      },
    },
    async (request) => {
      const caller = auth.caller(request)
      const { owner, id } = submissionOf(caller, request.params.id)
      const head = await heads.require(owner, id)
      const profile = profiles.get(head.profile)
      const nowMs = clock.now()
      const judged = request.body.attempts.map((claim) => ({
        claim,
        refusal: refusalOf(claim, nowMs, (slot) => profile !== undefined && findSlot(profile, slot) !== undefined),
      }))
      const kept = judged.flatMap(({ claim, refusal }) => (refusal === undefined ? [claim] : []))
      const subject = caller.kind === 'session' ? caller.subject : null
      await attempts.file({ owner, submissionId: id }, attemptsOf(kept, subject, nowMs))
      const items = judged.map(async ({ claim: { at, slot }, refusal }) => {
        const outage = refusal === undefined ? await knownOutages.at(Date.parse(at)) : undefined
        const counts = outage !== undefined
        const code = refusal ?? (counts ? 'CLAIM_COUNTS' : 'CLAIM_OUTSIDE_OUTAGE')
        return { at, slot, kept: refusal === undefined, counts, code, outage: outage?.id ?? null }
      })
      return { items: await Promise.all(items) }
    },
  )
}
