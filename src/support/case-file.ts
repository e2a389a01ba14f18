// All that is known of one submission and those who tried to hand something in, for whoever has them on the phone. Not
// part of the portal's API: it shows what belongs to every portal.

import type { AppError } from '../core/errors.ts'
import type { Attempt } from '../evidence/attempt-journal.ts'
import type { Attempts } from '../evidence/attempts.ts'
import type { SubmissionHead } from '../records/submission-head.ts'
import type { SubmissionDocument, UploadDocument } from '../submissions/document/schemas.ts'
import { type DocumentDeps, loadFromHead, uploadDocuments } from '../submissions/documents.ts'

/** The newest of them; a client that asks every second makes thousands. */
const MAX_ATTEMPTS = 500

export type SupportRecord = {
  owner: string
  submissionId: string
  head: Pick<SubmissionHead, 'state' | 'version' | 'committedAt' | 'uniqueKey' | 'metadata' | 'profile'>
  /** Null: it was deleted, or its profile is gone; `unreadable` says which. */
  document: SubmissionDocument | null
  unreadable: AppError['code'] | null
  uploads: (UploadDocument & { subject: string | null })[]
  /** Newest first. */
  attempts: Attempt[]
  attemptsLeftOut: number
}

export type CaseFileDeps = DocumentDeps & { attempts: Attempts }

/** Undefined where the portal never made such a submission. */
export async function supportRecord(
  deps: CaseFileDeps,
  owner: string,
  submissionId: string,
): Promise<SupportRecord | undefined> {
  const head = await deps.heads.latest(owner, submissionId)
  if (head === undefined) return undefined
  const attempts = (await deps.attempts.list(owner, submissionId)).toReversed()
  const { state, version, committedAt, uniqueKey, metadata, profile } = head
  const file: SupportRecord = {
    owner,
    submissionId,
    document: null,
    unreadable: null,
    uploads: [],
    head: { state, version, committedAt, uniqueKey, metadata, profile },
    attempts: attempts.slice(0, MAX_ATTEMPTS),
    attemptsLeftOut: Math.max(0, attempts.length - MAX_ATTEMPTS),
  }
  if (state === 'deleted') return { ...file, unreadable: 'SUBMISSION_DELETED' }
  if (deps.profiles.get(profile) === undefined) return { ...file, unreadable: 'PROFILE_UNKNOWN' }
  const loaded = await loadFromHead(deps, head)
  const subjects = new Map(loaded.views.map(({ id, record, hot }) => [id, (record ?? hot?.draft)?.subject]))
  const uploads = uploadDocuments(loaded, deps.clock.now()).map((upload) => ({
    ...upload,
    subject: subjects.get(upload.id) ?? null,
  }))
  return { ...file, document: loaded.document, uploads }
}
