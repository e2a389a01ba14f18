// Verification of a receipt: by its signature, and where its key was withdrawn by what the records say. A leaked key signs
// anything, with any date; the records were not written with it.

import { isoTime } from '../core/clock.ts'
import { AppError } from '../core/errors.ts'
import { hasUploadIdShape, isSubmissionId } from '../core/ids.ts'
import type { SubmissionHeads } from '../records/submission-heads.ts'
import type { UploadRecords } from '../records/upload-records.ts'
import type { Attempts } from './attempts.ts'
import { isSame, type ReceiptDocument } from './open-receipt.ts'
import { type OutageLedger, outageClaims } from './outages/outage-ledger.ts'
import type { ReceiptClaims } from './receipt-claims.ts'
import type { ReceiptKeys } from './receipt-keys.ts'
import { attemptClaims, type Receipts, uploadClaims } from './receipts.ts'
import { sealedRevision, submissionClaims } from './submission-claims.ts'

export type VerifyDeps = {
  receipts: Pick<Receipts, 'verify'>
  receiptKeys: Pick<ReceiptKeys, 'withdrawnFromMs'>
  uploads: Pick<UploadRecords, 'history' | 'latest'>
  heads: Pick<SubmissionHeads, 'latest'>
  attempts: Pick<Attempts, 'page'>
  outages: Pick<OutageLedger, 'find'>
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

/**
 * Verifies a receipt, alone or with what the service returns beside it.
 *
 * @throws RECEIPT_INVALID, RECEIPT_KEY_WITHDRAWN, RECEIPT_NOT_CONFIRMED, STORE_UNAVAILABLE; REDIS_UNAVAILABLE only for a
 * key that was withdrawn
 */
export async function verifyReceipt(deps: VerifyDeps, document: ReceiptDocument): Promise<VerifiedReceipt> {
  const { claims, kid } = await deps.receipts.verify(document)
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
  if (claims.kind === 'outage') return await isOutage(deps, claims)
  const isNamed = typeof portal === 'string' && PORTAL.test(portal)
  if (!isNamed || (submission !== null && !(typeof submission === 'string' && isSubmissionId(submission)))) return false
  if (claims.kind === 'attempt') return await isAttempt(deps, claims)
  return claims.kind === 'submission' ? await isOfSubmission(deps, claims) : await isOfUpload(deps, claims)
}

async function isOfSubmission({ uploads, heads }: VerifyDeps, claims: ReceiptClaims): Promise<boolean> {
  const { portal, submission, revision } = claims
  const head = submission === null || portal === null ? undefined : await heads.latest(portal, submission)
  if (head === undefined || head.state === 'deleted' || typeof revision !== 'number') return false
  if (sealedRevision(head, revision) === undefined) return false
  const told = await submissionClaims(uploads, head, revision)
  const { iss: _iss, iat: _iat, uploads: given, ...rest } = claims
  const { uploads: files, ...facts } = told
  if (!Array.isArray(given) || given.length !== files.length || !isSame(rest, facts)) return false
  // A receipt from before a file was read as a whole has no SHA-256 of it.
  return files.every((file, i) => isSame(given[i], file) || isSame(given[i], { ...file, sha256: null }))
}

async function isOfUpload({ uploads, heads }: VerifyDeps, claims: ReceiptClaims): Promise<boolean> {
  const { upload, portal, submission } = claims
  if (portal === null || typeof upload !== 'string' || !hasUploadIdShape(upload)) return false
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

async function isOutage({ outages }: VerifyDeps, claims: ReceiptClaims): Promise<boolean> {
  const { iss: _iss, iat: _iat, ...rest } = claims
  const noted = typeof claims['outage'] === 'string' ? await outages.find(claims['outage']) : undefined
  return noted !== undefined && isSame(rest, outageClaims(noted))
}

async function isAttempt({ attempts }: VerifyDeps, claims: ReceiptClaims): Promise<boolean> {
  const { portal, submission, attempt: id, at } = claims
  if (
    portal === null ||
    submission === null ||
    typeof at !== 'string' ||
    typeof id !== 'string' ||
    Number.isNaN(Date.parse(at))
  )
    return false
  // Before all attempts of its moment.
  const { items } = await attempts.page(portal, submission, { after: `${at} `, slot: undefined, limit: MAX_ATTEMPTS })
  const found = items.find((attempt) => attempt.id === id && attempt.at === at)
  if (found === undefined) return false
  const { iss: _iss, iat: _iat, ...rest } = claims
  return isSame(rest, attemptClaims(portal, submission, found))
}
