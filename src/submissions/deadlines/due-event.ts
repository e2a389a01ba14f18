// `submission.due`: told a day and an hour before the deadline, while a submission can still be completed and handed in.

import { isoTime } from '../../core/clock.ts'
import { dueMs } from '../../records/deadline-steps.ts'
import type { EventEnvelope } from '../../records/event-body.ts'
import { type DocumentDeps, type LoadedSubmission, loadSubmission } from '../documents.ts'

/** Publishes the event, once for each deadline. Throws SUBMISSION_UNKNOWN, SUBMISSION_DELETED, PROFILE_UNKNOWN. */
export async function tellDue(deps: DocumentDeps, owner: string, id: string, hours: number): Promise<void> {
  const loaded = await loadSubmission(deps, owner, id)
  const due = dueMs(loaded.head)
  if (due === null) return
  const told = (sequence: number) => eventOf(deps, loaded, { due, hours, sequence })
  await deps.heads.news.publish(owner, id, `evt_due_${owner}_${id}_${due}_${hours}`, told)
}

function eventOf(
  { clock }: DocumentDeps,
  { head, document }: LoadedSubmission,
  { due, hours, sequence }: { due: number; hours: number; sequence: number },
): EventEnvelope {
  const { owner, id, revision, state } = head
  const { complete, missing, pending } = document
  return {
    owner,
    submissionId: id,
    body: {
      id: `evt_due_${owner}_${id}_${due}_${hours}`,
      type: 'submission.due',
      timestamp: isoTime(clock.now()),
      data: {
        sequence,
        submissionId: id,
        revision,
        state,
        hours,
        deadline: isoTime(due),
        complete,
        missing,
        ...(pending.length > 0 ? { pending } : {}),
        sealAtDeadline: head.sealAtDeadline ?? false,
      },
    },
  }
}
