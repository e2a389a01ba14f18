// How one submission stands now, from its records.

import type { Deps } from '../deps.ts'
import type { Found } from '../ops/find/find-index.ts'
import type { Standing } from '../ops/find/standings.ts'
import type { SubmissionHead } from '../records/submission-head.ts'
import type { UploadView } from '../records/upload-views.ts'
import type { SubmissionDocument } from '../submissions/document/schemas.ts'
import { loadFromHead } from '../submissions/documents.ts'

/** Of a submission with a deadline. */
export type SubmissionStanding = {
  standing: Standing
  profile: string
  deadlineMs: number
  /** Slots that lack a file. */
  missing: string[]
}

/** A submission with its uploads, read once. */
export type ReadSubmission = {
  head: SubmissionHead
  uploads: readonly UploadView[]
  /** Null: without a deadline, or its profile is not there any more. */
  standing: SubmissionStanding | null
}

/** Null: deleted, without a deadline, or its profile is not there any more. */
export async function standingOf(deps: Deps, found: Found): Promise<SubmissionStanding | null> {
  return (await readWithStanding(deps, found))?.standing ?? null
}

/** Undefined: there is no such submission, or it was deleted. */
export async function readWithStanding(
  deps: Deps,
  { owner, submissionId }: Found,
): Promise<ReadSubmission | undefined> {
  const head = await deps.heads.latest(owner, submissionId)
  if (head === undefined || head.state === 'deleted') return undefined
  // Also where its profile is gone it is to be found.
  if (deps.profiles.get(head.profile) === undefined)
    return { head, uploads: await deps.views.ofSubmission(owner, submissionId), standing: null }
  const { document, views } = await loadFromHead(deps, head)
  return { head, uploads: views, standing: standingIn(document) }
}

function standingIn({ state, complete, profile, deadline, missing }: SubmissionDocument): SubmissionStanding | null {
  if (deadline === null) return null
  const standing =
    state === 'sealed' ? 'sealed' : complete ? 'complete' : state === 'returned' ? 'returned' : 'incomplete'
  return { standing, profile, deadlineMs: Date.parse(deadline), missing }
}
