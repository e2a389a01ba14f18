/** The worker goes while the job is running: somebody else takes it up, and no attempt is lost. */
export class JobReleased extends Error {
  override readonly name = 'JobReleased'
}

/** The reason with which a closing worker cancels its jobs. */
export const SHUTDOWN = 'shutdown'
