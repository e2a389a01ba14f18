// Receipts of uploads and attempts, and the keys that they are verified with.

import Type from 'typebox'
import { type Auth, submissionOf } from '../auth/authenticate.ts'
import type { Config } from '../core/config.ts'
import { AppError } from '../core/errors.ts'
import type { Attempts } from '../evidence/attempts.ts'
import { isPosition } from '../evidence/attempts-in-order.ts'
import type { KnownOutages } from '../evidence/outages/known-outages.ts'
import type { ReceiptKeys } from '../evidence/receipt-keys.ts'
import { attemptClaims, type Receipts, uploadClaims } from '../evidence/receipts.ts'
import { problems, publicProblems } from '../http/openapi/responses.ts'
import { publicUrl } from '../http/public-url.ts'
import type { Api } from '../http/typed-routes.ts'
import type { SubmissionHeads } from '../records/submission-heads.ts'
import type { UploadRecords } from '../records/upload-records.ts'
import type { UploadViews } from '../records/upload-views.ts'
import { Claims, Kind, Signed, Text, TextOrNull } from './receipt-schemas.ts'
import { SubmissionId } from './submission-schemas.ts'
import { UploadId, viewOf } from './uploads.ts'

export type ReceiptsApiDeps = {
  config: Pick<Config, 'http' | 'secrets'>
  auth: Auth
  heads: SubmissionHeads
  views: UploadViews
  uploads: UploadRecords
  attempts: Attempts
  receipts: Receipts
  receiptKeys: ReceiptKeys
  knownOutages: Pick<KnownOutages, 'at'>
}

const UploadReceipt = Type.Object(
  {
    kind: Kind,
    receipt: Signed,
    claims: Claims,
    keys: Type.String({ description: 'URL of the public keys' }),
  },
  { title: 'UploadReceipt', description: 'The receipt of an upload' },
)

const Declared = Type.Unsafe<{ filename: string | null; type: string | null; bytes: number | null } | null>({
  type: ['object', 'null'],
  properties: { filename: TextOrNull, type: TextOrNull, bytes: { type: ['integer', 'null'] } },
})

const AttemptItem = Type.Object(
  {
    id: Text,
    at: Type.String({ format: 'date-time', description: 'Server time' }),
    slot: TextOrNull,
    subject: TextOrNull,
    declared: Declared,
    outcome: Type.Enum(['accepted', 'refused', 'claimed'], {
      description: '`claimed`: a page says so. It counts where `outage` names one',
    }),
    code: Type.Unsafe<string | null>({ type: ['string', 'null'], description: 'Error code, if refused' }),
    uploadId: TextOrNull,
    count: Type.Optional(
      Type.Integer({ description: 'So many like this one within a minute from `at`; absent: this one alone' }),
    ),
    filedAt: Type.Optional(Type.String({ format: 'date-time', description: 'Of a claimed one: when it was filed' })),
    outage: Type.Optional(
      Type.Unsafe<string | null>({
        type: ['string', 'null'],
        description: 'Of a claimed one: the outage of the ledger that it lies in; null: in none, so far',
      }),
    ),
    receipt: Signed,
  },
  { title: 'Attempt', description: 'An attempt to create an upload' },
)

const AttemptList = Type.Object(
  { items: Type.Array(AttemptItem), nextCursor: TextOrNull },
  { title: 'AttemptList', description: 'A page of attempts' },
)

const ListQuery = Type.Object({
  slot: Type.Optional(Type.String()),
  cursor: Type.Optional(Type.String()),
  limit: Type.Integer({ minimum: 1, maximum: 200, default: 100 }),
})

const JwkSet = Type.Object(
  {
    keys: Type.Array(
      Type.Object(
        {
          kty: Text,
          crv: Text,
          x: Text,
          kid: Text,
          alg: Text,
          use: Text,
          revoked: Type.Optional(
            Type.Object(
              { revoked_at: Type.Integer(), reason: Text },
              {
                description:
                  'Withdrawn as of this time (seconds): its signature alone proves nothing, whatever date it signs',
              },
            ),
          ),
        },
        { title: 'ReceiptKey' },
      ),
      { description: 'RFC 8037; the current key first, then all earlier ones' },
    ),
  },
  { title: 'ReceiptKeys', description: 'The public keys' },
)

export function receiptsApi(api: Api, deps: ReceiptsApiDeps): void {
  const { auth, heads, config, attempts, receipts, receiptKeys, knownOutages } = deps

  api.get(
    '/v1/uploads/:id/receipt',
    {
      onRequest: auth.requirePortalOrSession('read'),
      schema: {
        tags: ['receipts'],
        operationId: 'getUploadReceipt',
        summary: 'Get the receipt of an upload',
        description:
          'Signed: time, length and slot as soon as the last byte is stored (`stored`), with the SHA-256 when the ' +
          'whole file has been read (`final`).',
        params: UploadId,
        response: {
          200: UploadReceipt,
          ...problems([
            'ID_INVALID',
            'UPLOAD_UNKNOWN',
            'SUBMISSION_UNKNOWN',
            'SUBMISSION_DELETED',
            'RECEIPT_NOT_READY',
            'RECEIPT_SIGNING_STOPPED',
            'RATE_LIMITED',
          ]),
        },
      },
    },
    async (request, reply) => {
      const { record } = await viewOf(deps, auth.caller(request), request.params.id)
      if (record === undefined) throw new AppError('RECEIPT_NOT_READY')
      const { owner, submissionId } = record
      const head = submissionId === null ? undefined : await heads.require(owner, submissionId)
      const { receipt, claims } = await receipts.sign(uploadClaims(record, head))
      const keys = `${publicUrl(config, request)}/v1/receipts/keys`
      return await reply.header('cache-control', 'private, no-cache').send({ kind: claims.kind, receipt, claims, keys })
    },
  )

  api.get(
    '/v1/submissions/:id/attempts',
    {
      onRequest: auth.requirePortalOrSession('read'),
      schema: {
        tags: ['receipts'],
        operationId: 'listAttempts',
        summary: 'List all attempts to create uploads',
        description:
          'Oldest first, refused ones too, with the reason; each is signed. Where one person is refused very often within a minute, ' +
          'the first ones stand by themselves and the others as one with a `count`. A page may hold fewer than `limit`, or ' +
          'none, and still have a `nextCursor`.',
        params: SubmissionId,
        querystring: ListQuery,
        response: {
          200: AttemptList,
          ...problems([
            'BAD_REQUEST',
            'ID_INVALID',
            'CURSOR_INVALID',
            'SUBMISSION_UNKNOWN',
            'SUBMISSION_DELETED',
            'RECEIPT_SIGNING_STOPPED',
            'RATE_LIMITED',
          ]),
        },
      },
    },
    async (request) => {
      const { owner, id } = submissionOf(auth.caller(request), request.params.id)
      const { slot, cursor, limit } = request.query
      await heads.require(owner, id)
      const after = cursor === undefined ? '' : positionInCursor(cursor)
      const page = await attempts.page(owner, id, { after, slot, limit })
      const signed = page.items.map(async (attempt) => {
        const { receipt } = await receipts.sign(attemptClaims(owner, id, attempt))
        if (attempt.outcome !== 'claimed') return { ...attempt, receipt }
        const outage = await knownOutages.at(Date.parse(attempt.at))
        return { ...attempt, outage: outage?.id ?? null, receipt }
      })
      const nextCursor = page.nextCursor === null ? null : Buffer.from(page.nextCursor).toString('base64url')
      return { items: await Promise.all(signed), nextCursor }
    },
  )

  api.get(
    '/v1/receipts/keys',
    {
      schema: {
        tags: ['receipts'],
        operationId: 'getReceiptKeys',
        summary: 'Get the public keys of receipts',
        description: 'A JWK set (RFC 7517). No authentication.',
        security: [],
        response: { 200: JwkSet, ...publicProblems([]) },
      },
    },
    async (_request, reply) =>
      await reply.header('cache-control', 'public, max-age=300').send({ keys: await receiptKeys.all() }),
  )
}

/** Throws CURSOR_INVALID. */
function positionInCursor(cursor: string): string {
  const position = Buffer.from(cursor, 'base64url').toString('utf8')
  if (!isPosition(position)) throw new AppError('CURSOR_INVALID')
  return position
}
