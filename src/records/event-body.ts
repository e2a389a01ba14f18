// The body of events, the same for SSE, webhooks and `/v1/events`. Small: readers fetch the document.

import { traceIn } from '../core/trace-context.ts'
import { closingOf, type SealedBy, type SubmissionHead } from './submission-head.ts'
import type { FileProblem, UploadRecord } from './upload-record.ts'

export type EventBody = {
  /** Stable over retries and restarts. */
  id: string
  type: string
  timestamp: string
  data: {
    sequence: number
    submissionId: string
    uploadId?: string
    slot?: string | null
    revision: number
    state: string
    late?: boolean
    problems?: FileProblem[]
    missing?: string[]
    pending?: string[]
    complete?: boolean
    /** What sealed it. */
    by?: SealedBy
    /** Of `submission.due`: how long before `deadline`, which is the end of the time to repair where that is later. */
    hours?: number
    deadline?: string
    sealAtDeadline?: boolean
    /** Of `submission.closed`: until when its files stay. */
    keepUntil?: string
  }
}

/** A stream entry: the body with its routing data. `trace`: W3C traceparent of the span that it comes from. */
export type EventEnvelope = { owner: string; submissionId: string; uploadId?: string; trace?: string; body: EventBody }

/** The event of an upload record version, or null if it has none or no submission. */
export function uploadEvent(record: UploadRecord): EventEnvelope | null {
  if (record.event === null || record.submissionId === null) return null
  return {
    owner: record.owner,
    submissionId: record.submissionId,
    uploadId: record.id,
    ...traceIn(record.trace),
    body: {
      id: `evt_${record.id}_${record.version}`,
      type: record.event,
      timestamp: record.committedAt,
      data: {
        sequence: record.sequence,
        submissionId: record.submissionId,
        uploadId: record.id,
        slot: record.slot,
        revision: record.revision,
        state: record.state,
        ...(record.late ? { late: true } : {}),
        ...(record.problems.length > 0 ? { problems: record.problems } : {}),
      },
    },
  }
}

export function submissionEvent(head: SubmissionHead): EventEnvelope | null {
  if (head.event === null) return null
  return {
    owner: head.owner,
    submissionId: head.id,
    body: {
      id: `evt_${head.owner}_${head.id}_${head.version}`,
      type: head.event,
      timestamp: head.committedAt,
      data: {
        sequence: head.sequence,
        submissionId: head.id,
        revision: head.revision,
        state: head.state,
        ...detailsOf(head),
      },
    },
  }
}

function detailsOf(head: SubmissionHead): Partial<EventBody['data']> {
  const { event, revision, revisions, lapsed } = head
  if (event === 'submission.sealed')
    return { by: revisions.find((entry) => entry.revision === revision)?.sealedBy ?? 'request' }
  const closing = event === 'submission.closed' ? closingOf(head) : undefined
  if (closing !== undefined) return { keepUntil: closing.keepUntil }
  if (event !== 'submission.lapsed' || lapsed === undefined) return {}
  const { missing, pending } = lapsed
  return { missing, ...(pending.length > 0 ? { pending } : {}) }
}

/** A stored version of a submission's event log. */
export type SubmissionEventRecord = {
  schema: 1
  version: number
  nonce: string
  committedAt: string
  sequence: number
  /** Whether the submission is complete, as last published. */
  complete: boolean
  envelope: EventEnvelope
}
