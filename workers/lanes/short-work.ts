// One place more for copies, which takes short work only: a page or a clip of seconds does not wait for the films that have
// all other places. It looks at the queue and leaves long work where it is. Short work it takes out before it begins, so
// that nobody else is given it; what comes of no result is queued again. Where this process dies in between, the reconciler
// finds that the lane is due and that there is no job.

import type { Job } from 'bullmq'
import type { UploadJob } from '../../src/jobs/contract.ts'
import { isShort } from '../../src/lifecycle/job-cost.ts'
import { pendingLanes } from '../../src/lifecycle/pending-lanes.ts'
import type { WorkerContext } from '../worker-context.ts'
import { SHUTDOWN } from './job-released.ts'
import { measured, runOnce } from './run-lane.ts'
import { transcodeWork } from './transcode.ts'

const LOOK_MS = 1000
/** Short work comes first among what is as urgent, so that it is not far down. */
const LOOKED_AT = 50
/** As long as the lock of a job in the queue: so soon another takes it where this process dies. */
const LEASE_MS = 60_000

export type ShortWork = {
  /** Begins nothing more and gives back what runs; resolves when it has ended. */
  stop(): Promise<void>
}

/** @param isOpen whether work is to be taken here now */
export function startShortWork(deps: WorkerContext, isOpen: () => Promise<boolean>): ShortWork {
  const { queues, logger } = deps
  const work = transcodeWork(deps)
  const closing = new AbortController()

  const next = async (): Promise<Job<UploadJob> | undefined> => {
    const jobs: Job<UploadJob>[] = await queues.byLane.transcode.getJobs(['prioritized'], 0, LOOKED_AT - 1, true)
    return jobs.find(isForHere)
  }
  const look = async (): Promise<void> => {
    for (;;) {
      if (closing.signal.aborted || !(await isOpen())) return
      const job = await next()
      if (job === undefined) return
      if (!(await queues.takeOut('transcode', job.id ?? ''))) continue
      job.processedOn = Date.now()
      try {
        await measured(deps, work, job, (trace) =>
          runOnce(deps, work, job, closing.signal, { leaseMs: LEASE_MS, trace }),
        )
      } catch (err) {
        logger.info({ err, jobId: job.id }, 'short work is left to its lane')
        await queueAgain(deps, job.data, { anywhere: closing.signal.aborted })
      }
    }
  }

  let looking: Promise<void> = Promise.resolve()
  let busy = false
  const timer = setInterval(() => {
    if (busy) return
    busy = true
    looking = look()
      .catch((err: unknown) => logger.warn({ err }, 'short work could not be looked for'))
      .finally(() => {
        busy = false
      })
  }, LOOK_MS)
  return {
    async stop() {
      clearInterval(timer)
      closing.abort(SHUTDOWN)
      await looking
    },
  }
}

/** What was tried before is the lane's, with its pauses and attempts. */
function isForHere({ data, attemptsMade, stalledCounter }: Job<UploadJob>): boolean {
  return data.seconds !== undefined && isShort(data.seconds) && attemptsMade + stalledCounter === 0
}

/** Where it is still due. */
async function queueAgain(deps: WorkerContext, { uploadId }: UploadJob, how: { anywhere: boolean }): Promise<void> {
  const record = await deps.uploads.latest(uploadId)
  if (record === undefined || !pendingLanes(record, deps.clock.now()).includes('transcode')) return
  await deps.laneJobs.enqueue(record, 'transcode', how)
}
