// Work on submissions that are due: waiting seals are tried again, seals of a died process are
// published and their unfinished uploads ended, deletions are finished. The store decides what is due; Redis only lists candidates.

import type { SubmissionsDue } from '../records/record-index.ts'
import type { SubmissionHead } from '../records/submission-head.ts'
import { dueListOf, isErasureDue } from '../records/submission-heads.ts'
import { lookAgainAtMs } from '../records/tombstones.ts'
import { publishCompleteness } from './completeness-events.ts'
import { carryOutSeal, endUnfinished, type SealDeps } from './seal.ts'

/** Maximum of each list per run; the others follow in the next run. */
const BATCH = 200
/** A request admitted before the seal may create an upload shortly after it. */
const STRAGGLERS_MS = 60_000
const LOOK_AGAIN_MS = 60_000

export type SettleDeps = SealDeps & {
  /** Goes on with the erasure of a deleted submission. */
  erasure: { submission(owner: string, id: string): Promise<unknown> }
}

/** Processes all due submissions; deletions last, since nobody waits for them. @returns how many */
export async function settleDueSubmissions(deps: SettleDeps): Promise<number> {
  return (await settleList(deps, 'due-submissions')) + (await settleList(deps, 'due-erasures'))
}

async function settleList(deps: SettleDeps, list: SubmissionsDue): Promise<number> {
  const { heads, index, clock, logger } = deps
  const due = await index.dueSubmissions(clock.now(), BATCH, list)
  for (const { owner, submissionId } of due) {
    try {
      await settle(deps, owner, submissionId)
      await index.setSubmissionDue(owner, submissionId, null, list)
      // Checked after it was removed from the list: new work puts it on the list again.
      const head = await heads.latest(owner, submissionId)
      const dueAtMs = head === undefined ? null : nextDueMs(head, clock.now())
      if (head !== undefined && dueAtMs !== null)
        await index.setSubmissionDue(owner, submissionId, dueAtMs, dueListOf(head))
    } catch (err) {
      logger.warn({ err, submissionId }, 'a due submission could not be processed; retrying')
      await index.setSubmissionDue(owner, submissionId, clock.now() + LOOK_AGAIN_MS, list)
    }
  }
  return due.length
}

async function settle(deps: SettleDeps, owner: string, id: string): Promise<void> {
  const { heads } = deps
  const stored = await heads.fromStore(owner, id)
  if (stored === undefined) return
  if (stored.state === 'deleted') {
    // Also uploads created shortly after the deletion by earlier admitted requests.
    await deps.erasure.submission(owner, id)
    return
  }
  await heads.announce(stored)
  if (stored.sealRequestedAt != null) {
    await publishCompleteness(deps, owner, id)
    await carryOutSeal(deps, owner, id)
  }
  if ((await heads.latest(owner, id))?.state === 'sealed') await endUnfinished(deps, owner, id)
}

function nextDueMs(head: SubmissionHead, nowMs: number): number | null {
  if (head.state === 'deleted') return isErasureDue(head, nowMs) ? lookAgainAtMs(head, nowMs) : null
  const isSealing = head.state === 'sealed' && Date.parse(head.committedAt) + STRAGGLERS_MS > nowMs
  return head.sealRequestedAt != null || isSealing ? nowMs + LOOK_AGAIN_MS : null
}
