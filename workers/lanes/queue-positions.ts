// Position in the queue of an upload that waits for its renditions, for the page.

import { type UploadJob, uploadJobId } from '../../src/jobs/contract.ts'
import type { UploadRecord } from '../../src/records/upload-record.ts'
import type { WorkerContext } from '../worker-context.ts'

/** Positions further back are not updated: they help no user, and each costs a command. */
const SHOWN = 200

/** Sets the position of an upload that was just queued. */
export async function showPosition(deps: WorkerContext, record: UploadRecord): Promise<void> {
  if (record.state !== 'accepted' || record.renditions.length === 0) return
  const queue = deps.queues.byLane.transcode
  const jobId = uploadJobId('transcode', record.id, record.lanes.transcode?.generation ?? 1)
  // Every job has a priority, so its rank by priority is its position, not the length of the queue.
  const ahead = await deps.redis.jobs.zrank(queue.toKey('prioritized'), jobId)
  if (ahead !== null) await show(deps, record.id, ahead + 1)
}

/** Updates the positions at the front of the queue. */
export async function refreshPositions(deps: WorkerContext): Promise<void> {
  const jobs = await deps.queues.byLane.transcode.getJobs(['waiting', 'prioritized'], 0, SHOWN - 1, true)
  for (const [ahead, job] of jobs.entries()) {
    const { uploadId } = job.data as UploadJob
    await show(deps, uploadId, ahead + 1)
  }
}

async function show(deps: WorkerContext, uploadId: string, queuePosition: number): Promise<void> {
  await deps.views.setProgress(uploadId, { step: 'transcode', percent: 0, etaSeconds: null, queuePosition })
}
