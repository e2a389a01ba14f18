// What follows for a submission when something of it has changed: a verdict, a deletion, a moved deadline, metadata.

import { publishCompleteness } from './completeness-events.ts'
import type { LoadedSubmission } from './documents.ts'
import { carryOutSeal, type SealDeps } from './seal.ts'

export type { SealDeps as CompletenessParts } from './seal.ts'

/**
 * Tells readers where a submission became complete or no longer is, and seals it where that was asked for. To be called
 * after anything that may change it, by whoever changed it.
 *
 * @returns the submission as last seen; undefined where there is none, or it was deleted
 */
export async function refreshCompleteness(
  deps: SealDeps,
  owner: string,
  submissionId: string,
): Promise<LoadedSubmission | undefined> {
  const loaded = await publishCompleteness(deps, owner, submissionId)
  if (loaded?.head.sealRequestedAt == null) return loaded
  return (await carryOutSeal(deps, owner, submissionId)) ?? loaded
}
