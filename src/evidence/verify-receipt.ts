// Verification of a receipt: by its signature, and where its key was withdrawn by what the records say. A leaked key signs
// anything, with any date; the records were not written with it.

import { isoTime } from '../core/clock.ts'
import { AppError } from '../core/errors.ts'
import { hasUploadIdShape, isSubmissionId } from '../core/ids.ts'
import type { SubmissionHeads } from '../records/submission-heads.ts'
import type { UploadRecords } from '../records/upload-records.ts'
import type { Attempts } from './attempts.ts'
import type { ReceiptKeys } from './receipt-keys.ts'
import { attemptClaims, type ReceiptClaims, type Receipts, uploadClaims } from './receipts.ts'

export type VerifyDeps = {
  receipts: Pick<Receipts, 'verify'>
  receiptKeys: Pick<ReceiptKeys, 'withdrawnFromMs'>
  uploads: Pick<UploadRecords, 'history'>
  heads: Pick<SubmissionHeads, 'latest'>
  attempts: Pick<Attempts, 'page'>
}

export type VerifiedReceipt = {
  /** RECEIPT_VALID: by its signature. RECEIPT_CONFIRMED: its key was withdrawn later, and the records say the same. */
  code: 'RECEIPT_VALID' | 'RECEIPT_CONFIRMED'
  claims: ReceiptClaims
  key: { kid: string; withdrawnFrom: string | null }
}

const PORTAL = /^[A-Za-z0-9_-]{1,64}$/
/** Attempts of one moment that are looked at. */
const MAX_ATTEMPTS = 1000

/** Throws RECEIPT_INVALID, RECEIPT_KEY_WITHDRAWN, RECEIPT_NOT_CONFIRMED, STORE_UNAVAILABLE. */
export async function verifyReceipt(deps: VerifyDeps, receipt: string): Promise<VerifiedReceipt> {
  const { claims, kid } = await deps.receipts.verify(receipt)
  const fromMs = await deps.receiptKeys.withdrawnFromMs(kid)
  if (fromMs === undefined) return { code: 'RECEIPT_VALID', claims, key: { kid, withdrawnFrom: null } }
  const key = { kid, withdrawnFrom: isoTime(fromMs) }
  const details = { valid: false, key }
  if (!Number.isFinite(claims.iat) || claims.iat * 1000 >= fromMs)
    throw new AppError('RECEIPT_KEY_WITHDRAWN', { details })
  if (!(await isConfirmed(deps, claims))) throw new AppError('RECEIPT_NOT_CONFIRMED', { details })
  return { code: 'RECEIPT_CONFIRMED', claims, key }
}

/** Whether the records say all that a receipt says. Whoever has the key chose every word of it. */
async function isConfirmed(deps: VerifyDeps, claims: ReceiptClaims): Promise<boolean> {
  const { submission, portal } = claims
  const isNamed = typeof portal === 'string' && PORTAL.test(portal)
  if (!isNamed || (submission !== null && !(typeof submission === 'string' && isSubmissionId(submission)))) return false
  return claims.kind === 'attempt' ? await isAttempt(deps, claims) : await isOfUpload(deps, claims)
}

async function isOfUpload({ uploads, heads }: VerifyDeps, claims: ReceiptClaims): Promise<boolean> {
  const { upload, portal, submission } = claims
  if (typeof upload !== 'string' || !hasUploadIdShape(upload)) return false
  const head = submission === null ? undefined : await heads.latest(portal, submission)
  if (submission !== null && (head === undefined || head.state === 'deleted')) return false
  // State and checksum are those of a version at the time; dates and what follows from them are as they stand.
  const versions = (await uploads.history(upload, 0)).filter(({ storedAt }) => storedAt !== null)
  return versions.some((version) => {
    const { sealed, ...told } = uploadClaims(version, head)
    const { sealed: given, iss: _iss, iat: _iat, ...rest } = claims
    // A receipt from before the seal, or of any seal that took it.
    const wasSealed = head?.revisions.some(
      ({ revision, sealedAt, uploads: of }) =>
        sealedAt !== undefined &&
        Object.values(of ?? {}).some((ids) => ids.includes(version.id)) &&
        isSame(given, { revision, sealedAt }),
    )
    return (given === null || isSame(given, sealed) || wasSealed === true) && isSame(rest, told)
  })
}

async function isAttempt({ attempts }: VerifyDeps, claims: ReceiptClaims): Promise<boolean> {
  const { portal, submission, attempt: id, at } = claims
  if (submission === null || typeof at !== 'string' || typeof id !== 'string' || Number.isNaN(Date.parse(at)))
    return false
  // Before all attempts of its moment.
  const { items } = await attempts.page(portal, submission, { after: `${at} `, slot: undefined, limit: MAX_ATTEMPTS })
  const found = items.find((attempt) => attempt.id === id && attempt.at === at)
  if (found === undefined) return false
  const { iss: _iss, iat: _iat, ...rest } = claims
  return isSame(rest, attemptClaims(portal, submission, found))
}

/** The same members with the same values, in any order. */
function isSame(a: unknown, b: unknown): boolean {
  if (typeof a !== 'object' || typeof b !== 'object' || a === null || b === null) return a === b
  const [left, right] = [Object.entries(a), new Map(Object.entries(b))]
  return left.length === right.size && left.every(([name, value]) => right.has(name) && isSame(value, right.get(name)))
}
