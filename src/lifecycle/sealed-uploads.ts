// Sealed uploads are evidence and must not change. Head and upload records are committed separately, so
// a seal may list an upload that loses its acceptance at the same moment. After withdrawing an acceptance,
// the head is updated: either a running seal loses its commit and checks again, or the seal was first, and
// the upload is restored.

import { type Clock, isoTime } from '../core/clock.ts'
import { AppError } from '../core/errors.ts'
import type { SubmissionHead } from '../records/submission-head.ts'
import type { SubmissionHeads } from '../records/submission-heads.ts'
import { isAccepted, type UploadRecord } from '../records/upload-record.ts'
import type { UploadRecords } from '../records/upload-records.ts'
import { isPossible } from './transition-table.ts'
import { keptBySeal } from './transitions.ts'

type Revisions = Pick<SubmissionHead, 'state' | 'revision' | 'revisions'>

/** A seal lists the upload, in the current or an earlier revision. */
function isFrozen({ revisions }: Revisions, uploadId: string): boolean {
  return revisions.some(({ sealedAt, uploads }) => sealedAt !== undefined && lists(uploads, uploadId))
}

/** The current seal lists the upload. */
export function isFrozenNow({ state, revision, revisions }: Revisions, uploadId: string): boolean {
  if (state !== 'sealed') return false
  return lists(revisions.find((entry) => entry.revision === revision)?.uploads, uploadId)
}

function lists(uploads: Record<string, string[]> | undefined, id: string): boolean {
  return Object.values(uploads ?? {}).some((ids) => ids.includes(id))
}

/** Throws SUBMISSION_SEALED (409) for uploads that must stay: all of a sealed submission, and those of earlier seals. */
export function refuseSealed(head: SubmissionHead | undefined, uploadId: string): void {
  if (head === undefined) return
  if (head.state === 'sealed' || isFrozen(head, uploadId)) throw new AppError('SUBMISSION_SEALED', { status: 409 })
}

export type KeepDeps = { uploads: UploadRecords; heads: SubmissionHeads; clock: Clock }

/**
 * Call it after a commit that withdraws an acceptance, and before bytes are removed. Idempotent.
 *
 * @param held which seals count: `isFrozen`, or `isFrozenNow` if a return allows the change
 * @returns true if a seal was first: the upload is accepted again
 */
export async function keepIfSealed(
  { uploads, heads, clock }: KeepDeps,
  { id, owner, submissionId, storedAt }: UploadRecord,
  held: (head: SubmissionHead, uploadId: string) => boolean = isFrozen,
): Promise<boolean> {
  // An incomplete upload was never accepted.
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
