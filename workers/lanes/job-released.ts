import type { Job } from 'bullmq'
import type { UploadJob } from '../../src/jobs/contract.ts'

/** A released job runs again after this pause, on any worker. */
const GIVE_BACK_MS = 1000

/** This worker stops, has no space for the job, or runs too many of the kind: the job runs again after a pause, without using an attempt. */
export class JobReleased extends Error {
  override readonly name = 'JobReleased'
  readonly pauseMs: number
  /** What the job's next run is to know of this one. */
  readonly note: Pick<UploadJob, 'waitedFor'> | undefined

  constructor(pauseMs = GIVE_BACK_MS, note?: Pick<UploadJob, 'waitedFor'>) {
    super()
    this.pauseMs = pauseMs
    this.note = note
  }
}

/**
 * Puts a job back into its queue; the processor must then throw a DelayedError. Uses this process's own clock: BullMQ
 * starts a delayed job by the `Date.now()` of a worker, not by the clock of Redis, from which a machine may differ by
 * minutes.
 */
export async function putBack(job: Job, token: string | undefined, { pauseMs, note }: JobReleased): Promise<void> {
  if (note !== undefined) await job.updateData({ ...job.data, ...note })
  await job.moveToDelayed(Date.now() + pauseMs, token)
}

/** The reason with which a closing worker cancels its jobs. */
export const SHUTDOWN = 'shutdown'
