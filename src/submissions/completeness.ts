// Updates after a change of a submission: a verdict, a deletion, a moved deadline, metadata.

import { loadIfThere, publishCompleteness } from './completeness-events.ts'
import { isOver, settleEndOfTime } from './deadlines/end-of-time.ts'
import type { LoadedSubmission } from './documents.ts'
import { carryOutSeal, type SealDeps } from './seal.ts'

export type { SealDeps as CompletenessDeps } from './seal.ts'

/**
 * Publishes a change of completeness, and performs a waiting seal, or the one that the end of its time left to the last verdict. Must be called
 * after every change that can affect it.
 *
 * @param trace W3C traceparent of the span that made the change
 * @returns the submission as last read; undefined if there is none, or it was deleted
 */
export async function refreshCompleteness(
  deps: SealDeps,
  owner: string,
  submissionId: string,
  trace?: string,
): Promise<LoadedSubmission | undefined> {
  const loaded = await publishCompleteness(deps, owner, submissionId, trace)
  if (loaded === undefined) return undefined
  if (loaded.head.sealAtDeadline === true && loaded.document.complete && isOver(loaded, deps.clock.now())) {
    await settleEndOfTime(deps, loaded.head)
    return await loadIfThere(deps, owner, submissionId)
  }
  if (loaded.head.sealRequestedAt == null) return loaded
  return (await carryOutSeal(deps, owner, submissionId)) ?? loaded
}
