// Loads submissions and uploads, and computes their documents.

import type { Clock } from '../core/clock.ts'
import { AppError } from '../core/errors.ts'
import type { PublishedNews, RecordIndex } from '../records/record-index.ts'
import type { SubmissionHead } from '../records/submission-head.ts'
import type { SubmissionHeads } from '../records/submission-heads.ts'
import type { UploadSession } from '../records/upload-session.ts'
import type { UploadView, UploadViews } from '../records/upload-views.ts'
import type { SubmissionDocument, UploadDocument } from './document/schemas.ts'
import { computeSubmission, supersededIds } from './document/submission.ts'
import { timelinessOf } from './document/timeliness.ts'
import { computeUpload, type UploadFacts } from './document/upload.ts'
import { documentViews } from './live-views.ts'
import type { ProfileCatalogue } from './profiles/loader.ts'
import type { Profile } from './profiles/profile.ts'

export type DocumentDeps = {
  clock: Clock
  heads: SubmissionHeads
  views: UploadViews
  index: RecordIndex
  profiles: ProfileCatalogue
}

/** A submission with all data of its documents. */
export type LoadedSubmission = {
  head: SubmissionHead
  profile: Profile
  views: readonly UploadView[]
  document: SubmissionDocument
  /** As it was when the uploads had been read. */
  told: PublishedNews
}

/** Throws SUBMISSION_UNKNOWN, SUBMISSION_DELETED; PROFILE_UNKNOWN if the operator removed a pinned profile. */
export async function loadSubmission(deps: DocumentDeps, owner: string, id: string): Promise<LoadedSubmission> {
  return await loadFromHead(deps, await deps.heads.require(owner, id))
}

export async function loadFromHead(deps: DocumentDeps, head: SubmissionHead): Promise<LoadedSubmission> {
  const profile = deps.profiles.get(head.profile)
  if (profile === undefined) throw new AppError('PROFILE_UNKNOWN', { details: { profile: head.profile } })
  const views = await deps.views.ofSubmission(head.owner, head.id)
  // Afterwards: a submission that was not in Redis is loaded by then.
  const told = await deps.index.publishedNews(head.owner, head.id)
  const now = deps.clock.now()
  const document = computeSubmission({ head, profile, uploads: documentViews(views, now), now })
  return {
    head,
    profile,
    views,
    document: { ...document, sequence: Math.max(document.sequence, told.sequence) },
    told,
  }
}

/** Makes the documents of the uploads of a loaded submission, those without a stored byte too. */
export function uploadDocuments(
  { head, profile, views }: LoadedSubmission,
  nowMs: number,
): (view: UploadView) => UploadDocument {
  const superseded = supersededIds(head, profile, documentViews(views, nowMs))
  return (view) => uploadDocument(view, head, superseded.has(view.id))
}

/** The document of one upload of a submission; uploads of other slots are not asked for. */
export async function uploadInSlot(
  deps: DocumentDeps,
  head: SubmissionHead,
  view: UploadView,
): Promise<UploadDocument> {
  const profile = deps.profiles.get(head.profile)
  if (profile === undefined) throw new AppError('PROFILE_UNKNOWN', { details: { profile: head.profile } })
  const { slot } = view.record ?? view.hot?.draft ?? { slot: null }
  const { views } = await deps.views.ofSlot(head.owner, head.id, slot ?? '')
  const superseded = supersededIds(head, profile, documentViews(views, deps.clock.now()))
  return uploadDocument(views.find(({ id }) => id === view.id) ?? view, head, superseded.has(view.id))
}

/** @param head of the submission; undefined: the upload has none */
export function uploadDocument(
  { record, hot, progress }: UploadView,
  head: SubmissionHead | undefined,
  superseded: boolean,
): UploadDocument {
  const facts = record ?? (hot === undefined ? undefined : factsOfHot(hot))
  if (facts === undefined) throw new AppError('UPLOAD_UNKNOWN')
  return computeUpload({
    record: facts,
    ...(hot === undefined ? {} : { hot: { receivedBytes: hot.offset } }),
    ...(progress === null ? {} : { progress }),
    superseded,
    ...(head === undefined ? {} : { standing: timelinessOf(head, facts) }),
  })
}

/** The members of an upload without stored bytes. */
function factsOfHot({ draft, status, offset }: UploadSession): UploadFacts {
  return {
    id: draft.id,
    submissionId: draft.submissionId,
    slot: draft.slot,
    revision: draft.revision,
    state: status === 'expired' || status === 'cancelled' ? status : 'receiving',
    sequence: 0,
    declared: draft.declared,
    receivedBytes: offset,
    createdAt: draft.createdAt,
    storedAt: null,
    late: false,
    sha256: null,
    measured: null,
    checks: [],
    problems: [],
    renditions: [],
    error: null,
  }
}
