// Closes a sealed submission after the decision: its files stay until a date, and are removed then by a worker
// (workers/lanes/closed-media.ts). Documents and receipts stay. Until the removal begins the date can be moved, the closing
// withdrawn, and the submission returned.

import { type Clock, isoTime } from '../core/clock.ts'
import { AppError } from '../core/errors.ts'
import { badRequest } from '../http/errors.ts'
import { type Closing, closingOf, type SubmissionHead } from '../records/submission-head.ts'
import type { HeadDecision, SubmissionHeads } from '../records/submission-heads.ts'
import { type DocumentDeps, type LoadedSubmission, loadSubmission } from './documents.ts'

export type CloseBody = { outcome?: string | null; keepUntil: string }

/**
 * Closes a submission, or changes its closing. Repeating it changes nothing.
 *
 * @throws BAD_REQUEST, SUBMISSION_UNKNOWN, SUBMISSION_DELETED, SUBMISSION_NOT_SEALED (409), MEDIA_REMOVED (409)
 */
export async function closeSubmission(
  deps: DocumentDeps,
  owner: string,
  id: string,
  { outcome = null, keepUntil }: CloseBody,
): Promise<LoadedSubmission> {
  const { heads, clock } = deps
  const said = { ...(outcome === null ? {} : { outcome }), keepUntil: moment(keepUntil) }
  await heads.commit(owner, id, async (current) => {
    const head = sealedHead(current)
    const closing = closingOf(head)
    if (closing?.keepUntil === said.keepUntil && closing.outcome === said.outcome) return undefined
    refuseRemoved(head)
    refusePast(said.keepUntil, clock)
    return await withClosing(deps, head, { at: closing?.at ?? isoTime(clock.now()), ...said }, 'submission.closed')
  })
  return await loadSubmission(deps, owner, id)
}

/**
 * Withdraws a closing: the submission is sealed as before. Repeating it changes nothing.
 *
 * @throws SUBMISSION_UNKNOWN, SUBMISSION_DELETED, SUBMISSION_NOT_SEALED (409), MEDIA_REMOVED (409)
 */
export async function reopenSubmission(deps: DocumentDeps, owner: string, id: string): Promise<LoadedSubmission> {
  await deps.heads.commit(owner, id, async (current) => {
    const head = sealedHead(current)
    if (closingOf(head) === undefined) return undefined
    refuseRemoved(head)
    return await withClosing(deps, head, undefined, 'submission.reopened')
  })
  return await loadSubmission(deps, owner, id)
}

/** Throws MEDIA_REMOVED (409) where the files were removed after a closing: what would be changed is not there any more. */
export function refuseRemoved(head: SubmissionHead): void {
  const { mediaRemovedAt } = closingOf(head) ?? {}
  if (mediaRemovedAt !== undefined) throw new AppError('MEDIA_REMOVED', { status: 409, details: { mediaRemovedAt } })
}

/** The head with another closing, or with none. */
export async function withClosing(
  { heads, clock }: { heads: Pick<SubmissionHeads, 'nextSequence'>; clock: Clock },
  head: SubmissionHead,
  closed: Closing | undefined,
  event: string | null,
): Promise<HeadDecision> {
  const { owner, id, revision, revisions } = head
  const changed = revisions.map((entry) => {
    if (entry.revision !== revision) return entry
    const { closed: _, ...rest } = entry
    return closed === undefined ? rest : { ...rest, closed }
  })
  const sequence = await heads.nextSequence(owner, id)
  return { ...head, revisions: changed, event, sequence, updatedAt: isoTime(clock.now()) }
}

function sealedHead(head: SubmissionHead | undefined): SubmissionHead {
  if (head === undefined) throw new AppError('SUBMISSION_UNKNOWN')
  if (head.state === 'deleted') throw new AppError('SUBMISSION_DELETED')
  if (head.state !== 'sealed') throw new AppError('SUBMISSION_NOT_SEALED')
  return head
}

function moment(keepUntil: string): string {
  const ms = Date.parse(keepUntil)
  if (!Number.isNaN(ms)) return isoTime(ms)
  throw badRequest({ in: 'body', path: '/keepUntil', message: 'must be a date and time as in RFC 3339' })
}

function refusePast(keepUntil: string, clock: Clock): void {
  if (Date.parse(keepUntil) > clock.now()) return
  throw badRequest({ in: 'body', path: '/keepUntil', message: 'must be in the future' })
}
