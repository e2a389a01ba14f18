// What is due on submissions by the clock: a seal that waits is tried again, one that was made by a process that died is
// told, and what it left unfinished is ended; a deletion is carried to its end. The store says what is due; Redis only where to look.

import { publishCompleteness } from './completeness-events.ts'
import { eraseUploads } from './delete-submission.ts'
import { carryOutSeal, endUnfinished, type SealDeps } from './seal.ts'

/** Looked at in one go; the others are found the next time. */
const BATCH = 200
/** A request that was let in before the seal may begin an upload a moment after it. */
const STRAGGLERS_MS = 60_000
const LOOK_AGAIN_MS = 60_000

/** Sees to every submission that is due. @returns how many were looked at */
export async function settleDueSubmissions(deps: SealDeps): Promise<number> {
  const { index, clock, logger } = deps
  const due = await index.dueSubmissions(clock.now(), BATCH)
  for (const { owner, submissionId } of due) {
    try {
      await settle(deps, owner, submissionId)
      await index.setSubmissionDue(owner, submissionId, null)
      // Asked after it was taken off the list: what came up meanwhile is put on it again.
      if (await isDue(deps, owner, submissionId))
        await index.setSubmissionDue(owner, submissionId, clock.now() + LOOK_AGAIN_MS)
    } catch (err) {
      logger.warn({ err, submissionId }, 'a submission could not be settled; it is tried again')
      await index.setSubmissionDue(owner, submissionId, clock.now() + LOOK_AGAIN_MS)
    }
  }
  return due.length
}

async function settle(deps: SealDeps, owner: string, id: string): Promise<void> {
  const { heads } = deps
  const stored = await heads.fromStore(owner, id)
  if (stored === undefined) return
  if (stored.state === 'deleted') {
    // Also what a request that was let in before the deletion has begun a moment after it.
    await eraseUploads(deps, owner, id)
    return
  }
  await heads.announce(stored)
  if (stored.sealRequestedAt != null) {
    await publishCompleteness(deps, owner, id)
    await carryOutSeal(deps, owner, id)
  }
  if ((await heads.latest(owner, id))?.state === 'sealed') await endUnfinished(deps, owner, id)
}

async function isDue({ heads, clock }: SealDeps, owner: string, id: string): Promise<boolean> {
  const head = await heads.latest(owner, id)
  if (head === undefined || head.state === 'deleted') return false
  if (head.sealRequestedAt != null) return true
  return head.state === 'sealed' && Date.parse(head.committedAt) + STRAGGLERS_MS > clock.now()
}
