// What the receipt of a whole hand-in says: one sealed revision of a submission with every file that was handed in.

import { AppError } from '../core/errors.ts'
import type { RevisionRecord, SealedBy, SubmissionHead } from '../records/submission-head.ts'
import type { UploadRecord } from '../records/upload-record.ts'
import type { UploadRecords } from '../records/upload-records.ts'
import { timelinessOf } from '../submissions/document/timeliness.ts'

/** One file of a hand-in. */
export type HandedFile = {
  slot: string
  /** Id of the upload. */
  upload: string
  filename: string | null
  bytes: number
  /** Lower-case hex; null: the whole file has not been read yet. */
  sha256: string | null
  /** Server time of the last stored byte. RFC 3339. */
  storedAt: string | null
  late: boolean
  repaired: boolean
}

export type SubmissionClaims = {
  kind: 'submission'
  portal: string
  submission: string
  /** A hand-in is of all slots. */
  slot: null
  revision: number
  profile: string
  sealedAt: string
  sealedBy: SealedBy
  /** The latest `storedAt`, which counts as the time of receipt. */
  creditedAt: string | null
  deadline: string | null
  uploads: HandedFile[]
}

export type SealedRevision = RevisionRecord & { sealedAt: string }

/** A sealed revision; undefined: it is not sealed, or there is none of this number. */
export function sealedRevision(head: SubmissionHead, revision: number): SealedRevision | undefined {
  const found = head.revisions.find((candidate) => candidate.revision === revision)
  return found?.sealedAt === undefined ? undefined : { ...found, sealedAt: found.sealedAt }
}

/**
 * The claims of the receipt of a revision.
 *
 * @param revision absent: the one that the submission is in
 * @throws RECEIPT_NOT_SEALED {revision, sealedRevisions}
 */
export async function submissionClaims(
  uploads: Pick<UploadRecords, 'latest'>,
  head: SubmissionHead,
  revision = head.revision,
): Promise<SubmissionClaims> {
  const sealed = sealedRevision(head, revision)
  if (sealed === undefined) {
    const sealedRevisions = head.revisions.filter(({ sealedAt }) => sealedAt !== undefined).map((r) => r.revision)
    throw new AppError('RECEIPT_NOT_SEALED', { details: { revision, sealedRevisions } })
  }
  const handed = Object.entries(sealed.uploads ?? {}).flatMap(([slot, ids]) => ids.map((id) => ({ slot, id })))
  const files = await Promise.all(
    handed.map(async ({ slot, id }) => {
      const record = await uploads.latest(id)
      // Never a receipt with a file less.
      if (record === undefined) throw new Error(`upload ${id} was handed in and has no record`)
      return handedFile(slot, record, head)
    }),
  )
  return {
    kind: 'submission',
    portal: head.owner,
    submission: head.id,
    slot: null,
    revision,
    profile: head.profile,
    sealedAt: sealed.sealedAt,
    sealedBy: sealed.sealedBy ?? 'request',
    creditedAt: sealed.creditedAt ?? null,
    deadline: head.deadline,
    uploads: files,
  }
}

function handedFile(slot: string, record: UploadRecord, head: SubmissionHead): HandedFile {
  const { late, repaired } = timelinessOf(head, record)
  return {
    slot,
    upload: record.id,
    filename: record.declared.filename,
    bytes: record.receivedBytes,
    sha256: record.sha256,
    storedAt: record.storedAt,
    late,
    repaired,
  }
}
