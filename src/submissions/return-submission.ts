// Returns a submission: opens revision n+1. Nothing is copied or moved: accepted files still count, and the
// sealed revision does not change.

import { type Clock, isoTime } from '../core/clock.ts'
import { AppError } from '../core/errors.ts'
import { faultPoint } from '../core/fault-points.ts'
import { badRequest } from '../http/errors.ts'
import type { RevisionRecord, SubmissionHead } from '../records/submission-head.ts'
import { refuseRemoved } from './close-submission.ts'
import { type CompletenessDeps, refreshCompleteness } from './completeness.ts'
import { slotOf } from './creation.ts'
import { type LoadedSubmission, loadSubmission } from './documents.ts'
import { isRejectedAfter } from './repairs.ts'

export type ReturnBody = {
  reason: string
  repairUntil?: string | null
  /** Slots whose files must be replaced. */
  slots?: string[]
}

/**
 * Returns a sealed submission. One that is not sealed can be returned only for repair, if a file was
 * rejected after the deadline. Repeating it changes nothing.
 *
 * @throws BAD_REQUEST, SUBMISSION_UNKNOWN, SUBMISSION_DELETED, SUBMISSION_NOT_SEALED (409), SLOT_UNKNOWN, MEDIA_REMOVED (409)
 */
export async function returnSubmission(
  deps: CompletenessDeps,
  owner: string,
  id: string,
  { reason, repairUntil = null, slots = [] }: ReturnBody,
): Promise<LoadedSubmission> {
  const { heads, clock } = deps
  const given: Given = {
    reason,
    ...(repairUntil === null ? {} : { repairUntil: moment(repairUntil) }),
    ...(slots.length === 0 ? {} : { slots }),
  }
  await heads.commit(owner, id, async (current) => {
    if (current === undefined) throw new AppError('SUBMISSION_UNKNOWN')
    if (current.state === 'deleted') throw new AppError('SUBMISSION_DELETED')
    for (const slot of slots) slotOf(deps.profiles, current, slot)
    if (isSaid(current, given)) return undefined
    refuseRemoved(current)
    refusePast(given.repairUntil, clock)
    if (current.state !== 'sealed' && !(await needsRepair(deps, current, given.repairUntil)))
      throw new AppError('SUBMISSION_NOT_SEALED')
    faultPoint('return.before-commit')
    return {
      ...current,
      state: 'returned',
      revision: current.revision + 1,
      revisions: returned(current, { ...given, returnedAt: isoTime(clock.now()) }),
      sealRequestedAt: null,
      event: 'submission.returned',
      sequence: await heads.nextSequence(owner, id),
      updatedAt: isoTime(clock.now()),
    }
  })
  faultPoint('return.committed')
  return (await refreshCompleteness(deps, owner, id)) ?? (await loadSubmission(deps, owner, id))
}

type Given = Pick<RevisionRecord, 'reason' | 'repairUntil' | 'slots'>

function moment(repairUntil: string): string {
  const ms = Date.parse(repairUntil)
  if (!Number.isNaN(ms)) return isoTime(ms)
  const message = 'must be a date and time as in RFC 3339'
  throw badRequest({ in: 'body', path: '/repairUntil', message })
}

function refusePast(repairUntil: string | undefined, clock: Clock): void {
  if (repairUntil === undefined || Date.parse(repairUntil) > clock.now()) return
  throw badRequest({ in: 'body', path: '/repairUntil', message: 'must be in the future' })
}

/** Whether it is a repetition of the last return. */
function isSaid({ state, revision, revisions }: SubmissionHead, { reason, repairUntil, slots }: Given): boolean {
  if (state !== 'returned') return false
  const last = revisions.find((entry) => entry.revision === revision - 1)
  if (last === undefined || last.reason !== reason || last.repairUntil !== repairUntil) return false
  return (last.slots ?? []).join() === (slots ?? []).join()
}

async function needsRepair(
  deps: CompletenessDeps,
  head: SubmissionHead,
  repairUntil: string | undefined,
): Promise<boolean> {
  if (repairUntil === undefined || head.deadline === null) return false
  const views = await deps.views.ofSubmission(head.owner, head.id)
  return views.some(({ record }) => record !== undefined && isRejectedAfter(head, record))
}

function returned(head: SubmissionHead, given: Given & { returnedAt: string }): RevisionRecord[] {
  const { revision, revisions } = head
  const entry = revisions.find((earlier) => earlier.revision === revision) ?? { revision }
  return [...revisions.filter((earlier) => earlier.revision !== revision), { ...entry, ...given }]
}
