// `POST /v1/receipts/verify`: for whoever holds a receipt, as a file, as text or on paper. No authentication.

import Type from 'typebox'
import type { RateLimiter } from '../auth/rate-limit.ts'
import { type CheckDeps, checkById, checkReceipt } from '../evidence/check-receipt.ts'
import { badRequest } from '../http/errors.ts'
import { BODY_CODES, publicProblems } from '../http/openapi/responses.ts'
import type { Api } from '../http/typed-routes.ts'
import { BilingualSchema } from '../submissions/profiles/schema.ts'
import { Claims, Kind, Text, TextOrNull } from './receipt-schemas.ts'

export type VerifyApiDeps = Omit<CheckDeps, 'count'> & { rates: Pick<RateLimiter, 'check'> }

/** A receipt as long as can be, the claims beside it, and some room. */
const BODY_LIMIT_BYTES = 768 * 1024

const VerifyBody = Type.Object(
  {
    receipt: Type.Optional(Type.String({ minLength: 1, description: 'The receipt' })),
    kind: Type.Optional(Type.String()),
    claims: Type.Optional(Type.Record(Type.String(), Type.Unknown())),
    keys: Type.Optional(Type.String()),
    check: Type.Optional(Type.String()),
    id: Type.Optional(Type.String({ minLength: 1, maxLength: 512, description: 'The id of a printed receipt' })),
  },
  {
    title: 'VerifyRequest',
    examples: [{ id: 'what-follows-the-hash-in-the-address' }],
    additionalProperties: false,
    description:
      '`receipt`, alone or in the document that `GET …/receipt` returned: then `kind` and `claims` are compared with what was ' +
      'signed. Or `id`: what follows `#` in the address of a printed receipt’s QR code.',
  },
)

const Verified = Type.Object(
  {
    valid: Type.Boolean(),
    code: Type.Enum(['RECEIPT_VALID', 'RECEIPT_CONFIRMED']),
    kind: Kind,
    claims: Claims,
    key: Type.Object({ kid: Text, withdrawnFrom: TextOrNull }),
    current: Type.Optional(
      Type.Object(
        {
          state: Type.Enum(['open', 'sealed', 'returned', 'deleted', 'unknown']),
          revision: Type.Unsafe<number | null>({ type: ['integer', 'null'] }),
        },
        {
          description:
            'Of a `submission`: how it stands now, with its newest revision. A receipt of an earlier revision stays true.',
        },
      ),
    ),
    labels: Type.Record(Type.String(), BilingualSchema, { description: 'Labels of the slots, by their ids' }),
  },
  { title: 'VerifiedReceipt', description: 'A receipt that is valid' },
)

export function verifyApi(api: Api, deps: VerifyApiDeps): void {
  const checks: CheckDeps = {
    ...deps,
    count: (owner, submissionId) => deps.rates.check('check', { owner, submissionId, subject: null }),
  }

  api.post(
    '/v1/receipts/verify',
    {
      bodyLimit: BODY_LIMIT_BYTES,
      schema: {
        tags: ['receipts'],
        operationId: 'verifyReceipt',
        summary: 'Verify a receipt',
        description:
          'No authentication. A changed receipt is refused. Where its key was withdrawn, a receipt from before that date is ' +
          'valid only if the records say the same (`RECEIPT_CONFIRMED`). By the `id` of a printed receipt the claims are those ' +
          'of our records, without names of files.',
        security: [],
        body: VerifyBody,
        response: {
          200: Verified,
          ...publicProblems([
            ...BODY_CODES,
            'RECEIPT_INVALID',
            'RECEIPT_KEY_WITHDRAWN',
            'RECEIPT_NOT_CONFIRMED',
            'SUBMISSION_UNKNOWN',
            'SUBMISSION_DELETED',
            'RATE_LIMITED',
            'REDIS_UNAVAILABLE',
          ]),
        },
      },
    },
    async (request, reply) => {
      const { receipt, id, kind, claims } = request.body
      if ((receipt === undefined) === (id === undefined))
        throw badRequest({ in: 'body', path: '', message: 'must have either receipt or id' })
      const checked =
        id !== undefined
          ? await checkById(checks, id.trim())
          : await checkReceipt(checks, { receipt: String(receipt).trim(), kind, claims })
      const answer = { valid: true, ...checked, kind: checked.claims.kind }
      return await reply.header('cache-control', 'no-store').send(answer)
    },
  )
}
