// Publishes when a submission becomes complete or incomplete, once per change. It is
// called after every possible change by `refreshCompleteness`, which also performs waiting seals.

import { isoTime } from '../core/clock.ts'
import { AppError } from '../core/errors.ts'
import { newToken } from '../core/ids.ts'
import { traceIn } from '../core/trace-context.ts'
import type { EventEnvelope } from '../records/event-body.ts'
import { type DocumentDeps, type LoadedSubmission, loadSubmission } from './documents.ts'

/** Concurrent callers may see different states: each checks again after its own change. */
const MAX_ROUNDS = 5

/**
 * Computes whether a submission is complete and publishes a change as `submission.complete` or `submission.incomplete`
 * {missing}. A new incomplete submission is no change.
 *
 * @param trace W3C traceparent of the span that may have changed it
 * @returns the submission as last read; undefined if there is none, or it was deleted
 */
export async function publishCompleteness(
  deps: DocumentDeps,
  owner: string,
  submissionId: string,
  trace?: string,
): Promise<LoadedSubmission | undefined> {
  let loaded = await loadIfThere(deps, owner, submissionId)
  for (let round = 0; round < MAX_ROUNDS && loaded !== undefined; round++) {
    const { complete } = loaded.document
    const id = `evt_${newToken()}`
    const at: LoadedSubmission = loaded
    const told = (sequence: number) => ({ ...eventOf(deps, at, id, sequence), ...traceIn(trace) })
    if (!(await deps.heads.news.publishCompletenessChange(owner, submissionId, complete, told))) break
    loaded = await loadIfThere(deps, owner, submissionId)
  }
  return loaded
}

/** Undefined: there is no such submission, or it was deleted. Throws PROFILE_UNKNOWN. */
export async function loadIfThere(
  deps: DocumentDeps,
  owner: string,
  id: string,
): Promise<LoadedSubmission | undefined> {
  try {
    return await loadSubmission(deps, owner, id)
  } catch (error) {
    if (!(error instanceof AppError) || !isGone(error)) throw error
    return undefined
  }
}

function isGone({ code }: AppError): boolean {
  return code === 'SUBMISSION_UNKNOWN' || code === 'SUBMISSION_DELETED'
}

function eventOf(
  deps: DocumentDeps,
  { head, document }: LoadedSubmission,
  eventId: string,
  sequence: number,
): EventEnvelope {
  const { owner, id } = head
  return {
    owner,
    submissionId: id,
    body: {
      id: eventId,
      type: document.complete ? 'submission.complete' : 'submission.incomplete',
      timestamp: isoTime(deps.clock.now()),
      data: {
        sequence,
        submissionId: id,
        revision: head.revision,
        state: head.state,
        ...(document.complete ? {} : { missing: document.missing }),
      },
    },
  }
}
