// How many are ahead of an upload that waits for its renditions, for the page that shows it.

import type { UploadJob } from '../../src/jobs/contract.ts'
import type { UploadRecord } from '../../src/records/upload-record.ts'
import type { Kit } from './kit.ts'

/** Further back the number says no more than "many", and every one costs a command. */
const SHOWN = 200

/** Tells an upload that was just queued where it stands. */
export async function showPosition(kit: Kit, record: UploadRecord): Promise<void> {
  if (record.state !== 'accepted' || record.renditions.length === 0) return
  const { waiting = 0, prioritized = 0 } = await kit.queues.byLane.transcode.getJobCounts(
    'waiting',
    'prioritized',
  )
  if (waiting + prioritized > 0) await show(kit, record.id, waiting + prioritized)
}

/** Tells those at the front of the queue how far they have come. */
export async function refreshPositions(kit: Kit): Promise<void> {
  const jobs = await kit.queues.byLane.transcode.getJobs(['waiting', 'prioritized'], 0, SHOWN - 1, true)
  for (const [ahead, job] of jobs.entries()) {
    const { uploadId } = job.data as UploadJob
    await show(kit, uploadId, ahead + 1)
  }
}

async function show(kit: Kit, uploadId: string, queuePosition: number): Promise<void> {
  await kit.views.setProgress(uploadId, { step: 'transcode', percent: 0, etaSeconds: null, queuePosition })
}
