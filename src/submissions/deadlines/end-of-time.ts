// The end of a submission's time: sealed where it is complete and that was asked for, else told as lapsed. Decided in the commit
// of the head, from the version that it follows: dates that are moved meanwhile, and a seal by hand, are seen or are refused.

import { isoTime } from '../../core/clock.ts'
import { AFTER_CLOSE_MS, closesMs, hasLapsed, NEWS_MS, openReturn } from '../../records/deadline-steps.ts'
import type { SubmissionHead } from '../../records/submission-head.ts'
import type { HeadDecision } from '../../records/submission-heads.ts'
import { publishCompleteness } from '../completeness-events.ts'
import type { LoadedSubmission } from '../documents.ts'
import { commitSeal, type SealDeps, sealed } from '../seal.ts'

/** A verdict that is not there by then is a fault of the service, which an operator has to mend. */
const VERDICTS_MS = 72 * 3_600_000
/** How long a request that was sending at the end is waited for: its last byte may have been in time. */
const REQUESTS_MS = 30_000
const REQUESTS_AGAIN_MS = 2000
const VERDICTS_AGAIN_MS = 60_000
const LAPSED_AGAIN_MS = 15 * 60_000

type Decision =
  | { act: 'seal' }
  | { act: 'lapse'; missing: string[]; pending: string[] }
  /** `againMs`: when to look again, Unix milliseconds; null: never. */
  | { act: 'nothing'; againMs: number | null }

const OUTCOMES = { seal: 'sealed', lapse: 'lapsed', nothing: 'nothing' } as const

export type Settled = { outcome: (typeof OUTCOMES)[Decision['act']]; againMs: number | null }

/**
 * Seals the submission, or tells that it has lapsed, if its time is over by `deps.clock`. Idempotent.
 *
 * @param known a version of it, which need not be the newest
 * @returns what was done, and when to look again, Unix milliseconds; null: nothing is left to do at the present dates
 * @throws SUBMISSION_UNKNOWN, SUBMISSION_DELETED, PROFILE_UNKNOWN
 */
export async function settleEndOfTime(deps: SealDeps, known: SubmissionHead): Promise<Settled> {
  const { owner, id } = known
  let settled: Settled = { outcome: 'nothing', againMs: null }
  const decideAndTell = async (loaded: LoadedSubmission): Promise<HeadDecision> => {
    const nowMs = deps.clock.now()
    const decision = decide(loaded, nowMs)
    settled = { outcome: OUTCOMES[decision.act], againMs: decision.act === 'nothing' ? decision.againMs : null }
    // What made it complete, or incomplete, is told before its end.
    if (decision.act !== 'nothing' && loaded.told.complete !== loaded.document.complete) {
      await deps.heads.announce(loaded.head)
      await publishCompleteness(deps, owner, id)
    }
    if (decision.act === 'seal') return await sealed(deps, loaded, 'deadline')
    if (decision.act === 'nothing') return undefined
    if (decision.pending.length > 0 && loaded.head.sealAtDeadline === true) settled.againMs = nowMs + LAPSED_AGAIN_MS
    return await lapsed(deps, loaded, decision)
  }
  const committed = await commitSeal(deps, owner, id, decideAndTell, known)
  // Its portal, or another service, was first.
  return committed || settled.outcome === 'nothing' ? settled : { outcome: 'nothing', againMs: null }
}

/** Whether the time of an open submission is over. */
export function isOver({ head }: LoadedSubmission, nowMs: number): boolean {
  const closes = closesMs(head)
  return closes !== null && nowMs >= closes + AFTER_CLOSE_MS
}

function decide(loaded: LoadedSubmission, nowMs: number): Decision {
  const { head, document } = loaded
  const closes = closesMs(head)
  if (closes === null) return { act: 'nothing', againMs: null }
  if (!isOver(loaded, nowMs)) return { act: 'nothing', againMs: closes + AFTER_CLOSE_MS }
  const isSealed = head.sealAtDeadline === true
  if (nowMs < closes + REQUESTS_MS && isBeingSent(loaded, closes))
    return { act: 'nothing', againMs: nowMs + REQUESTS_AGAIN_MS }
  const isPending = document.pending.length > 0 || isEnding(loaded, closes)
  if (isPending && nowMs < closes + VERDICTS_MS) return { act: 'nothing', againMs: nowMs + VERDICTS_AGAIN_MS }
  const missing = [...new Set([...document.missing, ...slotsToChange(loaded)])]
  if (document.complete && missing.length === 0) return isSealed ? { act: 'seal' } : { act: 'nothing', againMs: null }
  if (!hasLapsed(head) && nowMs < closes + VERDICTS_MS + NEWS_MS)
    return { act: 'lapse', missing, pending: document.pending }
  return { act: 'nothing', againMs: isSealed && isPending ? nowMs + LAPSED_AGAIN_MS : null }
}

/** Somebody was sending when the time ended, and is not done. */
function isBeingSent({ views }: LoadedSubmission, closes: number): boolean {
  return views.some(
    ({ hot }) => hot?.status === 'receiving' && hot.holder !== null && Date.parse(hot.draft.createdAt) <= closes,
  )
}

/** The last byte was in time, and the record does not say so yet. */
function isEnding({ views }: LoadedSubmission, closes: number): boolean {
  return views.some(({ hot }) => hot?.status === 'finishing' && (hot.storedAtMs ?? 0) <= closes)
}

/** Slots named by the return whose files are still the returned ones: handed in again as they were, they would be returned again. */
function slotsToChange({ head, document }: LoadedSubmission): string[] {
  const { slots = [], uploads = {} } = openReturn(head) ?? {}
  return slots.filter((id) => {
    const counted = document.slots.find(({ slot }) => slot === id)?.counted ?? []
    return counted.every((upload) => uploads[id]?.includes(upload) === true)
  })
}

async function lapsed(
  deps: SealDeps,
  { head }: LoadedSubmission,
  { missing, pending }: { missing: string[]; pending: string[] },
): Promise<HeadDecision> {
  const at = isoTime(deps.clock.now())
  return {
    ...head,
    lapsed: { at, closesAt: isoTime(closesMs(head) ?? 0), missing, pending },
    event: 'submission.lapsed',
    sequence: await deps.heads.nextSequence(head.owner, head.id),
    updatedAt: at,
  }
}
