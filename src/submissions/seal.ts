// Seals a submission: the counting files are frozen into the current revision by one commit of the head. A waiting seal
// is stored in the head; it is performed after the last verdict, or by the reconciler.

import { isoTime } from '../core/clock.ts'
import { AppError } from '../core/errors.ts'
import { faultPoint } from '../core/fault-points.ts'
import { type CancelDeps, cancelUpload } from '../lifecycle/cancel.ts'
import type { SealedBy, SubmissionHead } from '../records/submission-head.ts'
import type { HeadDecision } from '../records/submission-heads.ts'
import { isAccepted, type UploadRecord } from '../records/upload-record.ts'
import type { UploadView } from '../records/upload-views.ts'
import { publishCompleteness } from './completeness-events.ts'
import { type DocumentDeps, type LoadedSubmission, loadFromHead, loadSubmission } from './documents.ts'

export type SealDeps = DocumentDeps & CancelDeps

/** Time for the work after a seal, before the reconciler checks it. */
const LOOK_AFTER_MS = 60_000

/**
 * Seals the current revision, or with `whenComplete` requests a seal after the pending verdicts.
 * Repeating it changes nothing.
 *
 * @returns the submission: sealed, or waiting
 * @throws SUBMISSION_UNKNOWN, SUBMISSION_DELETED, PROFILE_UNKNOWN, SUBMISSION_INCOMPLETE {missing, pending}
 */
export async function sealSubmission(
  deps: SealDeps,
  owner: string,
  id: string,
  { whenComplete }: { whenComplete: boolean },
): Promise<LoadedSubmission> {
  // Publish the completeness before the seal, also if the process that caused it died before.
  await publishCompleteness(deps, owner, id)
  await commitSeal(deps, owner, id, async (loaded) => {
    const { head, document } = loaded
    const { missing, pending } = document
    if (!isBlocked(loaded)) return await sealed(deps, loaded, 'request')
    if (!whenComplete || missing.length > 0)
      throw new AppError('SUBMISSION_INCOMPLETE', { details: { missing, pending } })
    return head.sealRequestedAt == null ? await withRequest(deps, head, now(deps)) : undefined
  })
  // The last verdict may have come before the request was visible.
  return (await carryOutSeal(deps, owner, id)) ?? (await loadSubmission(deps, owner, id))
}

/**
 * Performs a waiting seal if nothing prevents it: no missing slot, no pending verdict, and no upload
 * created after the request, which it would cancel.
 *
 * @returns the submission; undefined if no seal waits
 */
export async function carryOutSeal(deps: SealDeps, owner: string, id: string): Promise<LoadedSubmission | undefined> {
  const head = await deps.heads.latest(owner, id)
  if (head?.sealRequestedAt == null || head.state === 'deleted') return undefined
  await commitSeal(deps, owner, id, async (loaded) =>
    loaded.head.sealRequestedAt == null || isBlocked(loaded) || isBegunSince(loaded, deps.clock.now())
      ? undefined
      : await sealed(deps, loaded, 'request'),
  )
  return await loadSubmission(deps, owner, id)
}

/** Withdraws a waiting seal. Throws SUBMISSION_UNKNOWN, SUBMISSION_DELETED, SUBMISSION_SEALED (409): too late. */
export async function withdrawSeal(deps: SealDeps, owner: string, id: string): Promise<LoadedSubmission> {
  await deps.heads.commit(owner, id, async (current) => {
    const head = present(current)
    if (head.state === 'sealed') throw new AppError('SUBMISSION_SEALED', { status: 409 })
    return head.sealRequestedAt == null ? undefined : await withRequest(deps, head, null)
  })
  return await loadSubmission(deps, owner, id)
}

/** Cancels unfinished uploads after a seal. Idempotent. @returns how many */
export async function endUnfinished(deps: SealDeps, owner: string, id: string): Promise<number> {
  let ended = 0
  for (const view of await deps.views.ofSubmission(owner, id)) {
    if (!isUnfinished(view)) continue
    if (await cancelUpload(deps, view, { unfinishedOnly: true })) ended++
  }
  return ended
}

/**
 * Commits what `decide` makes of the submission as it is, unless it is sealed, and ends the unfinished uploads of a seal.
 *
 * @param known a version to begin with, which need not be the newest; absent: the one that Redis has
 * @returns whether anything was committed
 * @throws SUBMISSION_UNKNOWN, SUBMISSION_DELETED, PROFILE_UNKNOWN
 */
export async function commitSeal(
  deps: SealDeps,
  owner: string,
  id: string,
  decide: (loaded: LoadedSubmission) => Promise<HeadDecision>,
  known?: SubmissionHead,
): Promise<boolean> {
  let unfinished = false
  const decideOn = async (current: SubmissionHead | undefined): Promise<HeadDecision> => {
    if (present(current).state === 'sealed') return undefined
    const loaded = await loadCertain(deps, present(current))
    unfinished = loaded.views.some(isUnfinished)
    return await decide(loaded)
  }
  const { record: head, committed } = await deps.heads.commit(owner, id, decideOn, known)
  if (!committed || head?.state !== 'sealed') return committed
  faultPoint('seal.committed')
  // What was begun in this moment is ended by the next look at the submission.
  const ended = unfinished ? await endUnfinished(deps, owner, id) : 0
  faultPoint('seal.unfinished-ended')
  const { sealedBy: by } = head.revisions.at(-1) ?? {}
  deps.logger.info({ submissionId: id, revision: head.revision, by, ended }, 'sealed')
  return true
}

/** Loads the document, with a check in the store that its files are still accepted. */
async function loadCertain(deps: SealDeps, head: SubmissionHead): Promise<LoadedSubmission> {
  for (;;) {
    const loaded = await loadFromHead(deps, head)
    const counted = loaded.document.slots.flatMap((slot) => slot.counted)
    const records = await Promise.all(counted.map((id) => deps.uploads.fromStore(id)))
    const lost = records.filter((record): record is UploadRecord => record !== undefined)
    const gone = lost.filter(({ state }) => !isAccepted(state))
    if (gone.length === 0) return loaded
    for (const record of gone) await deps.uploads.announce(record)
  }
}

function isUnfinished({ record }: UploadView): boolean {
  return record === undefined || record.state === 'receiving'
}

function isBlocked({ document }: LoadedSubmission): boolean {
  return !document.complete || document.pending.length > 0
}

function isBegunSince({ head, views }: LoadedSubmission, nowMs: number): boolean {
  const since = head.sealRequestedAt ?? ''
  return views.some((view) => {
    const { hot } = view
    if (!isUnfinished(view) || hot === undefined || hot.status === 'cancelled' || hot.status === 'expired') return false
    return hot.draft.createdAt > since && hot.expiresAtMs > nowMs
  })
}

/** The head of the sealed revision. */
export async function sealed(
  deps: SealDeps,
  { head, document }: LoadedSubmission,
  by: SealedBy,
): Promise<HeadDecision> {
  const { owner, id, revision } = head
  const uploads = Object.fromEntries(
    document.slots.filter(({ counted }) => counted.length > 0).map(({ slot, counted }) => [slot, counted]),
  )
  const at = now(deps)
  const entry = { revision, sealedAt: at, sealedBy: by, creditedAt: document.creditedAt, uploads }
  faultPoint('seal.before-commit')
  return {
    ...head,
    state: 'sealed',
    revisions: [...head.revisions.filter((earlier) => earlier.revision !== revision), entry],
    sealRequestedAt: null,
    event: 'submission.sealed',
    sequence: await deps.heads.nextSequence(owner, id),
    updatedAt: at,
  }
}

async function withRequest(
  deps: SealDeps,
  head: SubmissionHead,
  sealRequestedAt: string | null,
): Promise<HeadDecision> {
  const { owner, id } = head
  if (sealRequestedAt !== null) await deps.index.setSubmissionDue(owner, id, deps.clock.now() + LOOK_AFTER_MS)
  const sequence = await deps.heads.nextSequence(owner, id)
  return { ...head, sealRequestedAt, event: null, sequence, updatedAt: now(deps) }
}

function present(head: SubmissionHead | undefined): SubmissionHead {
  if (head === undefined) throw new AppError('SUBMISSION_UNKNOWN')
  if (head.state === 'deleted') throw new AppError('SUBMISSION_DELETED')
  return head
}

function now({ clock }: SealDeps): string {
  return isoTime(clock.now())
}
