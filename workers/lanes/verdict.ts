// After a verdict: queues the next lanes, publishes superseded files, and updates the completeness of the submission.
// Each step is idempotent, because a worker may die between any two of them.

import { isoTime } from '../../src/core/clock.ts'
import { faultPoint } from '../../src/core/fault-points.ts'
import { traceIn } from '../../src/core/trace-context.ts'
import type { EventEnvelope } from '../../src/records/event-body.ts'
import { isAccepted, type UploadRecord } from '../../src/records/upload-record.ts'
import { refreshCompleteness } from '../../src/submissions/completeness.ts'
import { supersededIds } from '../../src/submissions/document/submission.ts'
import type { WorkerContext } from '../worker-context.ts'
import { showPosition } from './queue-positions.ts'
import { slotContextOf } from './slot-context.ts'

export async function publishVerdict(deps: WorkerContext, record: UploadRecord): Promise<void> {
  await deps.completion.queueLanes(record)
  faultPoint('verdict.lanes-queued')
  await showPosition(deps, record).catch((err: unknown) => {
    deps.logger.debug({ err, uploadId: record.id }, 'queue position could not be published')
  })
  if (record.submissionId === null) return
  if (isAccepted(record.state)) await announceSuperseded(deps, record)
  await refreshCompleteness(deps, record.owner, record.submissionId, record.trace)
}

/** Publishes `superseded` for each file that this one replaces. No record changes. */
async function announceSuperseded(deps: WorkerContext, record: UploadRecord): Promise<void> {
  const { submission } = await slotContextOf(deps, record)
  if (submission === undefined) return
  const { head, profile } = submission
  const records = await deps.heads.uploadsOf(head.owner, head.id)
  const before = supersededIds(
    head,
    profile,
    records.filter(({ id }) => id !== record.id),
  )
  const after = supersededIds(head, profile, records)
  for (const old of records) {
    if (!after.has(old.id) || before.has(old.id)) continue
    // The id contains both files, so a repeat is recognized.
    const id = `evt_${old.id}_${record.id}`
    await deps.heads.news.publish(head.owner, head.id, id, (sequence) => ({
      ...supersededEvent(id, old, sequence, deps.clock.now()),
      ...traceIn(record.trace),
    }))
  }
}

function supersededEvent(id: string, old: UploadRecord, sequence: number, nowMs: number): EventEnvelope {
  const submissionId = old.submissionId ?? ''
  return {
    owner: old.owner,
    submissionId,
    uploadId: old.id,
    body: {
      id,
      type: 'upload.superseded',
      timestamp: isoTime(nowMs),
      data: {
        sequence,
        submissionId,
        uploadId: old.id,
        slot: old.slot,
        revision: old.revision,
        state: old.state,
      },
    },
  }
}
