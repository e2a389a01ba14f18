// Receipts: what was received, when, for which slot, signed so that anybody can verify it with the published keys and any
// JOSE library, without this service. A JWS in compact form (RFC 7515), EdDSA over Ed25519 (RFC 8037).

import { CompactSign, compactVerify, decodeProtectedHeader, importJWK } from 'jose'
import type { Clock } from '../core/clock.ts'
import { AppError } from '../core/errors.ts'
import { faultPoint } from '../core/fault-points.ts'
import type { SubmissionHead } from '../records/submission-head.ts'
import type { UploadRecord } from '../records/upload-record.ts'
import { timelinessOf } from '../submissions/document/timeliness.ts'
import type { Attempt } from './attempt-journal.ts'
import type { ReceiptKeys } from './receipt-keys.ts'

const RECEIPT_TYP = 'receipt+jwt'
const ISSUER = 'songngan'
const MAX_RECEIPT_CHARS = 16_384

/** `stored`: all bytes are stored. `final`: and the SHA-256 is known. `attempt`: an attempt to create an upload. */
export type ReceiptKind = 'stored' | 'final' | 'attempt'

export type ReceiptClaims = {
  iss: typeof ISSUER
  /** Seconds: when the receipt was signed. */
  iat: number
  kind: ReceiptKind
  /** Name of the portal's API key, the namespace of the submission. */
  portal: string
  submission: string | null
  slot: string | null
  [told: string]: unknown
}

export class Receipts {
  readonly #keys: ReceiptKeys
  readonly #clock: Clock

  constructor({ receiptKeys, clock }: { receiptKeys: ReceiptKeys; clock: Clock }) {
    this.#keys = receiptKeys
    this.#clock = clock
  }

  /** Throws STORE_UNAVAILABLE, RECEIPT_SIGNING_STOPPED. */
  async sign(told: Omit<ReceiptClaims, 'iss' | 'iat'>): Promise<{ receipt: string; claims: ReceiptClaims }> {
    const { key, kid } = await this.#keys.signing()
    const claims = { iss: ISSUER, iat: Math.floor(this.#clock.now() / 1000), ...told } as ReceiptClaims
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
  async verify(receipt: string): Promise<{ claims: ReceiptClaims; kid: string }> {
    const refused = (cause?: unknown) =>
      new AppError('RECEIPT_INVALID', {
        details: { valid: false },
        ...(cause === undefined ? {} : { cause }),
      })
    if (receipt.length > MAX_RECEIPT_CHARS) throw refused()
    try {
      const { kid, typ } = decodeProtectedHeader(receipt)
      const jwk = typ === RECEIPT_TYP && kid !== undefined ? await this.#keys.find(kid) : undefined
      if (jwk === undefined) throw refused()
      const { payload } = await compactVerify(receipt, await importJWK(jwk, 'EdDSA'), {
        algorithms: ['EdDSA'],
      })
      return { claims: JSON.parse(Buffer.from(payload).toString('utf8')) as ReceiptClaims, kid: jwk.kid }
    } catch (error) {
      if (error instanceof AppError) throw error
      throw refused(error)
    }
  }
}

/**
 * The claims of the receipt of an upload.
 *
 * @param head of its submission; undefined: it has none
 * @throws RECEIPT_NOT_READY while bytes are missing
 */
export function uploadClaims(
  record: UploadRecord,
  head: SubmissionHead | undefined,
): Omit<ReceiptClaims, 'iss' | 'iat'> {
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

export function attemptClaims(
  owner: string,
  submissionId: string,
  attempt: Attempt,
): Omit<ReceiptClaims, 'iss' | 'iat'> {
  const { id, at, slot, subject, declared, outcome, code, uploadId, count } = attempt
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
  }
}
