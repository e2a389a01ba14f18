// The receipt of a whole hand-in.

import Type from 'typebox'
import { type Auth, submissionOf } from '../auth/authenticate.ts'
import type { Config } from '../core/config.ts'
import { signCheckId } from '../evidence/check-id.ts'
import type { ReceiptKeys } from '../evidence/receipt-keys.ts'
import type { Receipts } from '../evidence/receipts.ts'
import { submissionClaims } from '../evidence/submission-claims.ts'
import { problems } from '../http/openapi/responses.ts'
import { publicUrl } from '../http/public-url.ts'
import type { Api } from '../http/typed-routes.ts'
import type { SubmissionHeads } from '../records/submission-heads.ts'
import type { UploadRecords } from '../records/upload-records.ts'
import { Claims, Kind, Signed } from './receipt-schemas.ts'
import { SubmissionId } from './submission-schemas.ts'

export type SubmissionReceiptsApiDeps = {
  config: Pick<Config, 'http'>
  auth: Auth
  heads: SubmissionHeads
  uploads: UploadRecords
  receipts: Receipts
  receiptKeys: ReceiptKeys
}

const RevisionQuery = Type.Object({
  revision: Type.Optional(Type.Integer({ minimum: 1, description: 'Default: the one that the submission is in' })),
})

const SubmissionReceipt = Type.Object(
  {
    kind: Kind,
    receipt: Signed,
    claims: Claims,
    keys: Type.String({ description: 'URL of the public keys' }),
    check: Type.String({
      description: 'URL of the public check page for this revision, as in the QR code of the print view',
    }),
  },
  { title: 'SubmissionReceipt', description: 'The receipt of a hand-in' },
)

export function submissionReceiptsApi(api: Api, deps: SubmissionReceiptsApiDeps): void {
  const { auth, heads, config, uploads, receipts, receiptKeys } = deps

  api.get(
    '/v1/submissions/:id/receipt',
    {
      onRequest: auth.requirePortalOrSession('read'),
      schema: {
        tags: ['receipts'],
        operationId: 'getSubmissionReceipt',
        summary: 'Get the receipt of a hand-in',
        description:
          'Signed: profile, revision, when and by what it was sealed, and every file with its slot, bytes, SHA-256 and the ' +
          'server’s time of its last byte. `sha256` is null until the whole file has been read: get it again then.',
        params: SubmissionId,
        querystring: RevisionQuery,
        response: {
          200: SubmissionReceipt,
          ...problems([
            'BAD_REQUEST',
            'ID_INVALID',
            'SUBMISSION_UNKNOWN',
            'SUBMISSION_DELETED',
            'RECEIPT_NOT_SEALED',
            'RECEIPT_SIGNING_STOPPED',
            'RATE_LIMITED',
          ]),
        },
      },
    },
    async (request, reply) => {
      const { owner, id } = submissionOf(auth.caller(request), request.params.id)
      const told = await submissionClaims(uploads, await heads.require(owner, id), request.query.revision)
      const { receipt, claims } = await receipts.sign(told)
      const base = publicUrl(config, request)
      const checkId = signCheckId({ owner, submission: id, revision: told.revision }, await receiptKeys.signing())
      return await reply.header('cache-control', 'private, no-cache').send({
        kind: told.kind,
        receipt,
        claims,
        keys: `${base}/v1/receipts/keys`,
        check: `${base}/verify#${checkId}`,
      })
    },
  )
}
