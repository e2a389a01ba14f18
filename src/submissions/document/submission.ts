// The submission document. Pure: computed on every read from the head and the upload records, so that nothing must be
// updated when two uploads end at once.

import { AppError } from '../../core/errors.ts'
import type { Closing, RevisionRecord, SubmissionHead } from '../../records/submission-head.ts'
import type { Profile } from '../profiles/profile.ts'
import { completeness } from './completeness.ts'
import { countSlot, frozenIds, type SlotCount } from './counting.ts'
import type { RevisionDocument, SubmissionDocument } from './schemas.ts'
import { slotDocument } from './slot-document.ts'
import { isAccepting } from './timeliness.ts'
import { byStorage, type DocumentView } from './views.ts'

export type SubmissionInput = {
  head: SubmissionHead
  /** The one that `head.profile` names. */
  profile: Profile
  /** All uploads of the submission, of every revision and state, also those without a record (`viewOfSession`). */
  uploads: readonly DocumentView[]
  /** Milliseconds since the epoch. */
  now: number
}

/**
 * Computes the document of a submission.
 *
 * `missing` are slots to act on, `pending` slots with a pending verdict. `counted` of a slot are the ids that a seal
 * freezes. `creditedAt` is the latest `storedAt` of the counting uploads, once complete.
 * @throws {AppError} SUBMISSION_DELETED for the head of a deleted submission
 */
export function computeSubmission({ head, profile, uploads, now }: SubmissionInput): SubmissionDocument {
  if (head.state === 'deleted') throw new AppError('SUBMISSION_DELETED')
  const frozen = frozenIds(head)
  const counts = slotCounts(head, profile, uploads)
  const { complete, missing, pending } = frozen
    ? { complete: true, missing: [], pending: [] }
    : completeness(profile, counts, head)
  const counted = [...counts.values()].flatMap((count) => count.counted).toSorted(byStorage)
  return {
    id: head.id,
    profile: head.profile,
    state: head.state,
    revision: head.revision,
    sequence: Math.max(head.sequence, ...uploads.map((upload) => upload.sequence)),
    opensAt: head.opensAt,
    deadline: head.deadline,
    graceSeconds: head.graceSeconds,
    sealAtDeadline: head.sealAtDeadline ?? false,
    accepting: head.state !== 'sealed' && isAccepting(head, now),
    creditedAt: complete ? (counted.at(-1)?.storedAt ?? null) : null,
    complete,
    missing,
    pending,
    sealRequestedAt: head.sealRequestedAt ?? null,
    slots: profile.slots.flatMap((slot) => {
      const count = counts.get(slot.id)
      return count ? [slotDocument(slot, count, head, alternativesOf(profile, slot.id))] : []
    }),
    revisions: revisions(head, counts),
    uniqueKey: head.uniqueKey,
    metadata: head.metadata,
    createdAt: head.createdAt,
    updatedAt: latest([head.updatedAt, ...uploads.map((upload) => upload.committedAt ?? upload.createdAt)]),
  }
}

/** Every slot of the profile with its classified uploads; uploads of unknown slots are omitted. */
function slotCounts(head: SubmissionHead, profile: Profile, uploads: readonly DocumentView[]): Map<string, SlotCount> {
  const frozen = frozenIds(head)
  return new Map(
    profile.slots.map((slot) => {
      const own = uploads.filter((upload) => upload.slot === slot.id)
      return [slot.id, countSlot(slot, own, head, frozen)]
    }),
  )
}

/** Ids of superseded uploads. */
export function supersededIds(head: SubmissionHead, profile: Profile, uploads: readonly DocumentView[]): Set<string> {
  const counts = [...slotCounts(head, profile, uploads).values()]
  return new Set(counts.flatMap((count) => count.superseded.map((upload) => upload.id)))
}

function alternativesOf(profile: Profile, slotId: string): string[] {
  const group = profile.alternatives.find((candidate) => candidate.anyOf.flat().includes(slotId))
  return group ? group.anyOf.filter((ids) => !ids.includes(slotId)).flat() : []
}

function revisions(head: SubmissionHead, counts: ReadonlyMap<string, SlotCount>): RevisionDocument[] {
  const current = head.revisions.find((revision) => revision.revision === head.revision)
  const all = current ? head.revisions : [...head.revisions, { revision: head.revision }]
  return all.map((revision) => revisionDocument(revision, revision.uploads ?? present(revision, head, counts)))
}

/** The counting uploads belong to the current revision; an older one without a frozen list has none. */
function present(
  revision: RevisionRecord,
  head: SubmissionHead,
  counts: ReadonlyMap<string, SlotCount>,
): Record<string, string[]> {
  if (revision.revision !== head.revision) return {}
  return Object.fromEntries(
    [...counts]
      .filter(([, count]) => count.counted.length > 0)
      .map(([slot, count]) => [slot, count.counted.map((upload) => upload.id)]),
  )
}

function revisionDocument(record: RevisionRecord, uploads: Record<string, string[]>): RevisionDocument {
  const {
    revision,
    sealedAt,
    sealedBy = 'request',
    creditedAt,
    returnedAt,
    reason,
    repairUntil,
    slots,
    closed,
  } = record
  return {
    revision,
    ...(sealedAt === undefined ? {} : { sealedAt, sealedBy }),
    ...(creditedAt == null ? {} : { creditedAt }),
    ...(returnedAt === undefined ? {} : { returnedAt }),
    ...(reason === undefined ? {} : { reason }),
    ...(repairUntil === undefined ? {} : { repairUntil }),
    ...(slots === undefined ? {} : { slots }),
    ...(closed === undefined ? {} : { closed: closingDocument(closed) }),
    uploads,
  }
}

function closingDocument({ mediaErasedAt: _, ...shown }: Closing): NonNullable<RevisionDocument['closed']> {
  return shown
}

function latest(times: readonly string[]): string {
  return times.toSorted().at(-1) ?? ''
}
