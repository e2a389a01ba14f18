// One place more for copies, which takes short work only: a page or a clip of seconds does not wait for the film that has
// all other places. It takes nothing out of the queue to look at it: long work keeps its turn. The claim on the upload's
// record is what keeps two from doing the same, as between any two workers.

import type { Job, Queue } from 'bullmq'
import type { Logger } from '../../src/core/logger.ts'
import type { UploadJob } from '../../src/jobs/contract.ts'
import { isShort } from '../../src/lifecycle/job-cost.ts'
import { SHUTDOWN } from './job-released.ts'

const LOOK_MS = 1000
/** Short work comes first among what is as urgent, so that it is not far down. */
const LOOKED_AT = 50
const MOST_LEFT = 1000

export type ShortWork = {
  /** Begins nothing more and gives back what runs; resolves when it has ended. */
  stop(): Promise<void>
}

export type ShortWorkDeps = {
  queue: Queue
  /** The lane's own. */
  process(job: Job<UploadJob>, token: string | undefined, signal: AbortSignal): Promise<unknown>
  /** Whether this worker takes work at all, as operators have it. */
  isOpen(): Promise<boolean>
  logger: Logger
}

export function startShortWork({ queue, process, isOpen, logger }: ShortWorkDeps): ShortWork {
  const closing = new AbortController()
  /** What failed here is left to the lane, with its pauses and attempts. */
  const left = new Set<string>()

  const next = async (): Promise<Job<UploadJob> | undefined> => {
    const jobs: Job<UploadJob>[] = await queue.getJobs(['prioritized'], 0, LOOKED_AT - 1, true)
    return jobs.find(({ id, data }) => data.seconds !== undefined && isShort(data.seconds) && !left.has(id ?? ''))
  }
  const look = async (): Promise<void> => {
    for (;;) {
      if (closing.signal.aborted || !(await isOpen())) return
      const job = await next()
      if (job === undefined) return
      try {
        await process(job, undefined, closing.signal)
        // A worker of the lane that took it meanwhile has it locked, and finds nothing to do.
        await job.remove()
      } catch (err) {
        if (left.size > MOST_LEFT) left.clear()
        left.add(job.id ?? '')
        logger.debug({ err, jobId: job.id }, 'short work is left to its lane')
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
