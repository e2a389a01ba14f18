// Receipts: what was received, when, for which slot, signed so that anybody can verify it with the published keys and any
// JOSE library, without this service. A JWS in compact form (RFC 7515), EdDSA over Ed25519 (RFC 8037).

import { CompactSign } from 'jose'
import type { Clock } from '../core/clock.ts'
import { AppError } from '../core/errors.ts'
import { faultPoint } from '../core/fault-points.ts'
import type { SubmissionHead } from '../records/submission-head.ts'
import type { UploadRecord } from '../records/upload-record.ts'
import { timelinessOf } from '../submissions/document/timeliness.ts'
import type { Attempt } from './attempt-journal.ts'
import { openReceipt, type ReceiptDocument } from './open-receipt.ts'
import { RECEIPT_ISSUER, RECEIPT_TYP, type ReceiptClaims, type ToldClaims } from './receipt-claims.ts'
import type { ReceiptKeys } from './receipt-keys.ts'

export class Receipts {
  readonly #keys: ReceiptKeys
  readonly #clock: Clock

  constructor({ receiptKeys, clock }: { receiptKeys: ReceiptKeys; clock: Clock }) {
    this.#keys = receiptKeys
    this.#clock = clock
  }

  /** Throws STORE_UNAVAILABLE, RECEIPT_SIGNING_STOPPED. */
  async sign(told: ToldClaims): Promise<{ receipt: string; claims: ReceiptClaims }> {
    const { key, kid } = await this.#keys.signing()
    const claims = { iss: RECEIPT_ISSUER, iat: Math.floor(this.#clock.now() / 1000), ...told } as ReceiptClaims
    const receipt = await new CompactSign(Buffer.from(JSON.stringify(claims)))
      .setProtectedHeader({ alg: 'EdDSA', typ: RECEIPT_TYP, kid })
      .sign(key)
    faultPoint('receipt.signed')
    return { receipt, claims }
  }

  /**
   * Verifies a receipt's signature; whether its key still proves anything is not asked.
   *
   * @returns its claims, and the id of its key
   * @throws RECEIPT_INVALID, STORE_UNAVAILABLE
   */
  async verify(document: ReceiptDocument): Promise<{ claims: ReceiptClaims; kid: string }> {
    const { claims, key } = await openReceipt(document, (kid) => this.#keys.find(kid))
    return { claims, kid: key.kid }
  }
}

/**
 * The claims of the receipt of an upload.
 *
 * @param head of its submission; undefined: it has none
 * @throws RECEIPT_NOT_READY while bytes are missing
 */
export function uploadClaims(record: UploadRecord, head: SubmissionHead | undefined): ToldClaims {
  if (record.storedAt === null) throw new AppError('RECEIPT_NOT_READY')
  const standing = head === undefined ? undefined : timelinessOf(head, record)
  const sealed = head?.revisions.findLast(
    ({ sealedAt, uploads }) =>
      sealedAt !== undefined && Object.values(uploads ?? {}).some((ids) => ids.includes(record.id)),
  )
  return {
    kind: record.sha256 === null ? 'stored' : 'final',
    portal: record.owner,
    submission: record.submissionId,
    slot: record.slot,
    revision: record.revision,
    profile: head?.profile ?? null,
    upload: record.id,
    subject: record.subject,
    filename: record.declared.filename,
    bytes: record.receivedBytes,
    sha256: record.sha256,
    createdAt: record.createdAt,
    storedAt: record.storedAt,
    deadline: head?.deadline ?? null,
    late: standing?.late ?? record.late,
    repaired: standing?.repaired ?? false,
    state: record.state,
    sealed: sealed?.sealedAt === undefined ? null : { revision: sealed.revision, sealedAt: sealed.sealedAt },
  }
}

export function attemptClaims(owner: string, submissionId: string, attempt: Attempt): ToldClaims {
  const { id, at, slot, subject, declared, outcome, code, uploadId, count, filedAt } = attempt
  return {
    kind: 'attempt',
    portal: owner,
    submission: submissionId,
    slot,
    attempt: id,
    at,
    subject,
    outcome,
    code,
    upload: uploadId,
    declared,
    ...(count === undefined ? {} : { count }),
    ...(filedAt === undefined ? {} : { filedAt }),
  }
}
