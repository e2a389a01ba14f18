// How one submission stands now, from its records.

import { AppError } from '../core/errors.ts'
import type { Deps } from '../deps.ts'
import type { Found } from '../ops/find/find-index.ts'
import type { Standing } from '../ops/find/standings.ts'
import { loadIfThere } from '../submissions/completeness-events.ts'

/** Of a submission with a deadline. */
export type SubmissionStanding = {
  standing: Standing
  profile: string
  deadlineMs: number
  /** Slots that lack a file. */
  missing: string[]
}

/** Null: deleted, without a deadline, or its profile is not there any more. */
export async function standingOf(deps: Deps, { owner, submissionId }: Found): Promise<SubmissionStanding | null> {
  const loaded = await loadIfThere(deps, owner, submissionId).catch((error: unknown) => {
    if (error instanceof AppError && error.code === 'PROFILE_UNKNOWN') return undefined
    throw error
  })
  if (loaded === undefined || loaded.document.deadline === null) return null
  const { state, complete, profile, deadline, missing } = loaded.document
  const standing =
    state === 'sealed' ? 'sealed' : complete ? 'complete' : state === 'returned' ? 'returned' : 'incomplete'
  return { standing, profile, deadlineMs: Date.parse(deadline), missing }
}
