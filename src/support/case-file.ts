// The support record: everything about one submission and its attempts, for support staff. Not
// part of the portal API: it covers all portals.

import type { AppError } from '../core/errors.ts'
import type { Attempt } from '../evidence/attempt-journal.ts'
import type { Attempts } from '../evidence/attempts.ts'
import type { SubmissionHead } from '../records/submission-head.ts'
import type { SubmissionDocument, UploadDocument } from '../submissions/document/schemas.ts'
import { loadFromHead, uploadDocuments } from '../submissions/documents.ts'
import { type ReviewDeps, reviewProblems } from '../submissions/review.ts'

/** Maximum number of newest attempts; a retrying client can make thousands. */
const MAX_ATTEMPTS = 500

export type SupportRecord = {
  owner: string
  submissionId: string
  head: Pick<SubmissionHead, 'state' | 'version' | 'committedAt' | 'uniqueKey' | 'metadata' | 'profile'>
  /** Null: deleted, or its profile no longer exists; see `unreadable`. */
  document: SubmissionDocument | null
  unreadable: AppError['code'] | null
  uploads: (UploadDocument & { subject: string | null })[]
  /** Newest first. */
  attempts: Attempt[]
  attemptsLeftOut: number
}

export type CaseFileDeps = ReviewDeps & { attempts: Attempts }

/** Undefined if there is no such submission. */
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
  const forReviewers = await reviewProblems(deps, loaded)
  const uploads = loaded.views.map(uploadDocuments(loaded, deps.clock.now())).map((upload) => ({
    ...upload,
    problems: [...upload.problems, ...forReviewers.filter((problem) => problem.upload === upload.id)],
    subject: subjects.get(upload.id) ?? null,
  }))
  return { ...file, document: loaded.document, uploads }
}
