import type { Job } from 'bullmq'

/** A job that was given back is taken up again after this pause, by whoever is left. */
const GIVE_BACK_MS = 1000

/** This worker goes, has no room for the job, or has too many of the kind: it is taken up again after a pause, and no attempt is lost. */
export class JobReleased extends Error {
  override readonly name = 'JobReleased'
  readonly pauseMs: number

  constructor(pauseMs = GIVE_BACK_MS) {
    super()
    this.pauseMs = pauseMs
  }
}

/**
 * Puts a job back into its queue, of whose processor nothing else may follow but a DelayedError. By this process's own
 * clock: BullMQ takes a delayed job when its time has come by the `Date.now()` of the worker that looks, not by the clock
 * of Redis, from which a machine may be minutes away.
 */
export async function putBack(job: Job, token: string | undefined, { pauseMs }: JobReleased): Promise<void> {
  await job.moveToDelayed(Date.now() + pauseMs, token)
}

/** The reason with which a closing worker cancels its jobs. */
export const SHUTDOWN = 'shutdown'
