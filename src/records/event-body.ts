// What an event says: the same body on SSE, in webhooks and in `/v1/events`. Thin: readers fetch the document.

import type { SubmissionHead } from './submission-head.ts'
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
  }
}

/** As kept in the streams: the body with what routes it. */
export type EventEnvelope = { owner: string; submissionId: string; uploadId?: string; body: EventBody }

/** The event of an upload record version, or null where the version is none or belongs to no submission. */
export function uploadEvent(record: UploadRecord): EventEnvelope | null {
  if (record.event === null || record.submissionId === null) return null
  return {
    owner: record.owner,
    submissionId: record.submissionId,
    uploadId: record.id,
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
      data: { sequence: head.sequence, submissionId: head.id, revision: head.revision, state: head.state },
    },
  }
}

/** A stored version of a submission's event log. */
export type SubmissionEventRecord = {
  schema: 1
  version: number
  nonce: string
  committedAt: string
  sequence: number
  /** Whether the submission is complete, as last told. */
  complete: boolean
  envelope: EventEnvelope
}
