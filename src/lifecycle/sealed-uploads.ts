// What a seal has frozen is evidence and stays as it was handed in. Head and upload records are committed one by one, so
// that a seal may be made from an upload that ceases to be accepted at the same moment. Whoever takes an acceptance back
// says so to the head afterwards: either a seal that is being made loses its commit and looks again, or it was first, and
// the upload is put back.

import { type Clock, isoTime } from '../core/clock.ts'
import { AppError } from '../core/errors.ts'
import type { SubmissionHead } from '../records/submission-head.ts'
import type { SubmissionHeads } from '../records/submission-heads.ts'
import { isAccepted, type UploadRecord } from '../records/upload-record.ts'
import type { UploadRecords } from '../records/upload-records.ts'
import { isPossible } from './transition-table.ts'
import { keptBySeal } from './transitions.ts'

type Revisions = Pick<SubmissionHead, 'state' | 'revision' | 'revisions'>

/** A seal lists the upload: in the present revision, or in an earlier one whose files were carried over. */
export function isFrozen({ revisions }: Revisions, uploadId: string): boolean {
  return revisions.some(({ sealedAt, uploads }) => sealedAt !== undefined && lists(uploads, uploadId))
}

/** A seal lists the upload, and holds. */
export function isFrozenNow({ state, revision, revisions }: Revisions, uploadId: string): boolean {
  if (state !== 'sealed') return false
  return lists(revisions.find((entry) => entry.revision === revision)?.uploads, uploadId)
}

function lists(uploads: Record<string, string[]> | undefined, id: string): boolean {
  return Object.values(uploads ?? {}).some((ids) => ids.includes(id))
}

/** Throws SUBMISSION_SEALED (409) for an upload that must not go: all of a sealed submission, and what was frozen before. */
export function refuseSealed(head: SubmissionHead | undefined, uploadId: string): void {
  if (head === undefined) return
  if (head.state === 'sealed' || isFrozen(head, uploadId)) throw new AppError('SUBMISSION_SEALED', { status: 409 })
}

export type KeepDeps = { uploads: UploadRecords; heads: SubmissionHeads; clock: Clock }

/**
 * To be asked after a commit that took an upload's acceptance away, and before anything of it is removed. Idempotent.
 *
 * @param held which seals count: `isFrozen`, or `isFrozenNow` where a return gives the file up
 * @returns true where a seal was first: the upload is accepted again
 */
export async function keepIfSealed(
  { uploads, heads, clock }: KeepDeps,
  { id, owner, submissionId, storedAt }: UploadRecord,
  held: (head: SubmissionHead, uploadId: string) => boolean = isFrozen,
): Promise<boolean> {
  // What was never whole was never accepted.
  if (submissionId === null || storedAt === null) return false
  const { record: head } = await heads.commit(owner, submissionId, async (current) => {
    if (current === undefined || current.state === 'deleted' || current.state === 'sealed') return undefined
    if (held(current, id)) return undefined
    const sequence = await heads.nextSequence(owner, submissionId)
    return { ...current, event: null, sequence, updatedAt: isoTime(clock.now()) }
  })
  if (head === undefined || head.state === 'deleted' || !held(head, id)) return false
  await uploads.commit(id, async (current) => {
    if (current === undefined || !isPossible('kept by a seal', current)) return undefined
    const accepted = await lastAccepted(uploads, current)
    if (accepted === undefined) return undefined
    return keptBySeal(current, accepted, await heads.nextSequence(owner, submissionId))
  })
  return true
}

async function lastAccepted(uploads: UploadRecords, { id, version }: UploadRecord): Promise<UploadRecord | undefined> {
  for (let earlier = version - 1; earlier > 0; earlier--) {
    const record = await uploads.version(id, earlier)
    if (record !== undefined && isAccepted(record.state)) return record
  }
  return undefined
}
