// What the public check page is told: of a receipt that somebody holds, and of the id in the QR code of a printed one. Whoever
// has only the id reads no names: neither of people nor of files.

import { isoTime } from '../core/clock.ts'
import { AppError, type Bilingual } from '../core/errors.ts'
import type { SubmissionHead } from '../records/submission-head.ts'
import type { ProfileCatalogue } from '../submissions/profiles/loader.ts'
import { openCheckId } from './check-id.ts'
import type { ReceiptDocument } from './open-receipt.ts'
import type { ReceiptClaims } from './receipt-claims.ts'
import type { ReceiptKeys } from './receipt-keys.ts'
import { type HandedFile, type SubmissionClaims, sealedRevision, submissionClaims } from './submission-claims.ts'
import { type VerifiedReceipt, type VerifyDeps, verifyReceipt } from './verify-receipt.ts'

export type CheckDeps = VerifyDeps & {
  receiptKeys: Pick<ReceiptKeys, 'withdrawnFromMs' | 'find'>
  profiles: Pick<ProfileCatalogue, 'get'>
  /** Counts a check of this submission. Throws RATE_LIMITED. */
  count(owner: string, submissionId: string): Promise<void>
}

/** How a submission stands now; a receipt is of one revision, and stays true. */
export type Current = {
  state: SubmissionHead['state'] | 'unknown'
  /** The newest revision; null: unknown. */
  revision: number | null
}

export type CheckedReceipt = Omit<VerifiedReceipt, 'claims'> & {
  claims: ReceiptClaims | NamelessClaims
  /** Of a hand-in. */
  current?: Current
  /** Labels of slots, as far as the profile is known here. */
  labels: Record<string, Bilingual>
}

/** What the records say of a hand-in, without names of files. */
export type NamelessClaims = Omit<SubmissionClaims, 'uploads'> & { uploads: Omit<HandedFile, 'filename'>[] }

/** Throws as verifyReceipt, and RATE_LIMITED, REDIS_UNAVAILABLE for the receipt of a hand-in. */
export async function checkReceipt(deps: CheckDeps, document: ReceiptDocument): Promise<CheckedReceipt> {
  const verified = await verifyReceipt(deps, document)
  const { claims } = verified
  const { kind, portal, submission } = claims
  const told = { ...verified, labels: labelsOf(deps, claims['profile']) }
  if (kind !== 'submission' || submission === null || portal === null) return told
  await deps.count(portal, submission)
  return { ...told, current: currentOf(await deps.heads.latest(portal, submission)) }
}

/**
 * Checks the id of a printed receipt, and tells what the records say.
 *
 * @throws RECEIPT_INVALID, SUBMISSION_UNKNOWN, SUBMISSION_DELETED, RATE_LIMITED, STORE_UNAVAILABLE, REDIS_UNAVAILABLE
 */
export async function checkById(deps: CheckDeps, id: string): Promise<CheckedReceipt> {
  const details = { valid: false }
  const of = await openCheckId(id, (kid) => deps.receiptKeys.find(kid))
  if (of === undefined) throw new AppError('RECEIPT_INVALID', { details })
  await deps.count(of.owner, of.submission)
  const head = await deps.heads.latest(of.owner, of.submission)
  if (head === undefined) throw new AppError('SUBMISSION_UNKNOWN', { details })
  if (head.state === 'deleted') throw new AppError('SUBMISSION_DELETED', { details })
  // Signed with a key that leaked: the service signs no id of a revision that was not handed in.
  if (sealedRevision(head, of.revision) === undefined) throw new AppError('RECEIPT_INVALID', { details })
  const { uploads, ...claims } = await submissionClaims(deps.uploads, head, of.revision)
  const fromMs = await deps.receiptKeys.withdrawnFromMs(of.kid)
  return {
    // All of it is from the records: a key that was withdrawn changes nothing about them.
    code: fromMs === undefined ? 'RECEIPT_VALID' : 'RECEIPT_CONFIRMED',
    claims: { ...claims, uploads: uploads.map(({ filename: _filename, ...file }) => file) },
    key: { kid: of.kid, withdrawnFrom: fromMs === undefined ? null : isoTime(fromMs) },
    current: currentOf(head),
    labels: labelsOf(deps, head.profile),
  }
}

function currentOf(head: SubmissionHead | undefined): Current {
  return head === undefined ? { state: 'unknown', revision: null } : { state: head.state, revision: head.revision }
}

function labelsOf({ profiles }: CheckDeps, key: unknown): Record<string, Bilingual> {
  const slots = typeof key === 'string' ? (profiles.get(key)?.slots ?? []) : []
  return Object.fromEntries(slots.map(({ id, label }) => [id, label]))
}
