// Sealing, returning and closing: the calls that end a revision of a submission, start the next, and say that it was decided.

import Type from 'typebox'
import { type Auth, submissionOf } from '../auth/authenticate.ts'
import { isUnchanged } from '../http/conditional.ts'
import { PORTAL_ONLY } from '../http/openapi/documented.ts'
import { BODY_CODES, problems } from '../http/openapi/responses.ts'
import type { Api } from '../http/typed-routes.ts'
import { closeSubmission, reopenSubmission } from '../submissions/close-submission.ts'
import { SubmissionDocumentSchema } from '../submissions/document/schemas.ts'
import { returnSubmission } from '../submissions/return-submission.ts'
import { type SealDeps, sealSubmission, withdrawSeal } from '../submissions/seal.ts'
import { SubmissionId } from './submission-schemas.ts'

export type SealApiDeps = SealDeps & { auth: Auth }

const FOUND = ['ID_INVALID', 'SUBMISSION_UNKNOWN', 'SUBMISSION_DELETED', 'PROFILE_UNKNOWN'] as const
const tags = ['handing in']

const SealBody = Type.Object(
  {
    whenComplete: Type.Boolean({
      default: false,
      description: 'If verdicts are pending: seal when they are there and the submission is complete',
    }),
  },
  { title: 'SealRequest', examples: [{ whenComplete: true }], additionalProperties: false },
)

const ReturnBody = Type.Object(
  {
    reason: Type.String({ minLength: 1, maxLength: 4000, description: 'The reason, for people' }),
    repairUntil: Type.Optional(
      Type.Unsafe<string | null>({
        type: ['string', 'null'],
        format: 'date-time',
        description:
          'Until then files of the returned revision, and files rejected after the deadline, can be ' +
          'replaced after the deadline; such files are marked `repaired`',
      }),
    ),
    slots: Type.Optional(
      Type.Array(Type.String({ minLength: 1, maxLength: 64 }), {
        uniqueItems: true,
        maxItems: 64,
        description: 'Slots whose files must be replaced; the page marks them. Default: none',
      }),
    ),
  },
  {
    title: 'ReturnRequest',
    examples: [{ reason: 'หน้า 3 อ่านไม่ออก', repairUntil: '2026-10-07T16:30:00+07:00', slots: ['lesson_plan'] }],
    additionalProperties: false,
  },
)

const CloseBody = Type.Object(
  {
    outcome: Type.Optional(
      Type.Unsafe<string | null>({
        type: ['string', 'null'],
        minLength: 1,
        maxLength: 200,
        description: 'What was decided, as the portal calls it. Sessions see it in the document; events do not have it',
      }),
    ),
    keepUntil: Type.String({
      format: 'date-time',
      description: 'Originals and renditions stay until then, and are removed within a day after it. In the future',
    }),
  },
  {
    title: 'CloseRequest',
    examples: [{ outcome: 'passed', keepUntil: '2027-09-30T00:00:00+07:00' }],
    additionalProperties: false,
  },
)

const removed = { MEDIA_REMOVED: 409 } as const

export function sealApi(api: Api, deps: SealApiDeps): void {
  const { auth } = deps

  api.post(
    '/v1/submissions/:id/seal',
    {
      onRequest: auth.requirePortalOrSession('seal'),
      schema: {
        tags,
        operationId: 'sealSubmission',
        summary: 'Hand a submission in',
        description:
          'Freezes the counting files into the current revision. The time of the last stored byte counts, independent of ' +
          'the time of the verdict and of this call. Unfinished uploads become `cancelled`. Repeating it is 200 again.',
        params: SubmissionId,
        body: SealBody,
        response: {
          200: { ...SubmissionDocumentSchema, 'x-response-description': 'Sealed' },
          202: {
            ...SubmissionDocumentSchema,
            'x-response-description': 'Waiting for verdicts (`pending`) since `sealRequestedAt`',
          },
          ...problems([...BODY_CODES, ...FOUND, 'RATE_LIMITED', 'NO_SPACE', 'SUBMISSION_INCOMPLETE']),
        },
      },
    },
    async (request, reply) => {
      const { owner, id } = submissionOf(auth.caller(request), request.params.id)
      const { document } = await sealSubmission(deps, owner, id, request.body)
      isUnchanged(request, reply, document)
      const waits = request.body.whenComplete && document.state !== 'sealed'
      return await reply.code(waits ? 202 : 200).send(document)
    },
  )

  api.delete(
    '/v1/submissions/:id/seal',
    {
      onRequest: auth.requirePortalOrSession('seal'),
      schema: {
        tags,
        operationId: 'withdrawSeal',
        summary: 'Withdraw a waiting seal',
        description: 'A completed seal cannot be withdrawn: the portal must return the submission.',
        params: SubmissionId,
        response: {
          200: SubmissionDocumentSchema,
          ...problems([...FOUND, 'RATE_LIMITED', 'NO_SPACE', 'SUBMISSION_SEALED'], { SUBMISSION_SEALED: 409 }),
        },
      },
    },
    async (request) => {
      const { owner, id } = submissionOf(auth.caller(request), request.params.id)
      return (await withdrawSeal(deps, owner, id)).document
    },
  )

  api.post(
    '/v1/submissions/:id/return',
    {
      onRequest: auth.requirePortal,
      schema: {
        tags,
        operationId: 'returnSubmission',
        security: PORTAL_ONLY,
        summary: 'Return a submission',
        description:
          'Opens the next revision; accepted files still count, without a new upload. A submission that is not ' +
          'sealed can be returned only with `repairUntil`, if a file was rejected after the deadline.',
        params: SubmissionId,
        body: ReturnBody,
        response: {
          200: SubmissionDocumentSchema,
          ...problems(
            [...BODY_CODES, ...FOUND, 'NO_SPACE', 'SUBMISSION_NOT_SEALED', 'SLOT_UNKNOWN', 'MEDIA_REMOVED'],
            removed,
          ),
        },
      },
    },
    async (request, reply) => {
      const { owner, id } = submissionOf(auth.caller(request), request.params.id)
      const { document } = await returnSubmission(deps, owner, id, request.body)
      isUnchanged(request, reply, document)
      return await reply.send(document)
    },
  )

  api.post(
    '/v1/submissions/:id/close',
    {
      onRequest: auth.requirePortal,
      schema: {
        tags,
        operationId: 'closeSubmission',
        security: PORTAL_ONLY,
        summary: 'Close a submission after the decision',
        description:
          'Its files stay until `keepUntil`; then all originals and renditions are removed, and documents, receipts and attempts ' +
          'stay. Until the removal begins another call changes date and outcome, `DELETE …/close` withdraws it, and a return ' +
          'ends it. Repeating it is 200 again.',
        params: SubmissionId,
        body: CloseBody,
        response: {
          200: SubmissionDocumentSchema,
          ...problems([...BODY_CODES, ...FOUND, 'NO_SPACE', 'SUBMISSION_NOT_SEALED', 'MEDIA_REMOVED'], removed),
        },
      },
    },
    async (request, reply) => {
      const { owner, id } = submissionOf(auth.caller(request), request.params.id)
      const { document } = await closeSubmission(deps, owner, id, request.body)
      isUnchanged(request, reply, document)
      return await reply.send(document)
    },
  )

  api.delete(
    '/v1/submissions/:id/close',
    {
      onRequest: auth.requirePortal,
      schema: {
        tags,
        operationId: 'reopenSubmission',
        security: PORTAL_ONLY,
        summary: 'Withdraw the closing of a submission',
        description: 'Its files stay, as before. Not possible any more once their removal has begun.',
        params: SubmissionId,
        response: {
          200: SubmissionDocumentSchema,
          ...problems([...FOUND, 'NO_SPACE', 'SUBMISSION_NOT_SEALED', 'MEDIA_REMOVED'], removed),
        },
      },
    },
    async (request) => {
      const { owner, id } = submissionOf(auth.caller(request), request.params.id)
      return (await reopenSubmission(deps, owner, id)).document
    },
  )
}
