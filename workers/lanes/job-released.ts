/** A job that was given back is taken up again after this pause, by whoever is left. */
const GIVE_BACK_MS = 1000

/** This worker goes, or has no room for the job: it is taken up again after a pause, and no attempt is lost. */
export class JobReleased extends Error {
  override readonly name = 'JobReleased'
  readonly pauseMs: number

  constructor(pauseMs = GIVE_BACK_MS) {
    super()
    this.pauseMs = pauseMs
  }
}

/** The reason with which a closing worker cancels its jobs. */
export const SHUTDOWN = 'shutdown'
