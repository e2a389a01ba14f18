// Jobs whose workers died. A file that kills every worker must not be retried forever: after
// two deaths the job runs in a separate process, after the third it fails.

import { type Job, UnrecoverableError } from 'bullmq'
import type { Logger } from '../../src/core/logger.ts'
import { traceIn } from '../../src/core/trace-context.ts'
import type { UploadJob } from '../../src/jobs/contract.ts'
import type { LaneLease } from '../../src/lifecycle/lane-leases.ts'
import { laneFailed } from '../../src/lifecycle/transitions.ts'
import type { LaneName } from '../../src/records/upload-record.ts'
import type { WorkerContext } from '../worker-context.ts'
import { JobReleased } from './job-released.ts'
import { releaseLease } from './release-lease.ts'
import { runAlone } from './run-alone.ts'

export const DEATHS_BEFORE_ALONE = 2
const LAST_DEATH = 3
/** More than by chance: whoever stops a container stops a process for one job together with its worker. */
const LAST_JOINT_DEATH = 5

const HOUR_MS = 3_600_000
/** More than the largest file needs on a slow machine: a longer run hangs. */
export const LIMIT_MS: Record<LaneName, number> = {
  validate: HOUR_MS,
  inspect: 6 * HOUR_MS,
  transcode: 48 * HOUR_MS,
}

/** Earlier runs of the lane whose worker died. */
export function deathsOf({ lane, record }: LaneLease): number {
  return record.lanes[lane]?.deaths ?? 0
}

/** Whether it is not tried again. */
export function isDeadly(lease: LaneLease): boolean {
  return deathsOf(lease) >= LAST_DEATH || jointDeathsOf(lease) >= LAST_JOINT_DEATH
}

function jointDeathsOf({ lane, record }: LaneLease): number {
  return record.lanes[lane]?.jointDeaths ?? 0
}

/** Runs of a job that have ended, from the queue: a lease of one of these no longer counts. */
export function endedRuns({ attemptsMade, stalledCounter }: Pick<Job, 'attemptsMade' | 'stalledCounter'>): number {
  return attemptsMade + stalledCounter
}

/** Fails the job permanently. Throws, so that the queue does not run it again. */
export async function abandon(deps: WorkerContext, lease: LaneLease, logger: Logger): Promise<never> {
  const code = 'WORKER_DIED'
  const message = `the worker died in ${deathsOf(lease) + jointDeathsOf(lease)} runs`
  await deps.leases.commit(lease, async (current) => {
    const sequence = await deps.completion.nextSequence(current, current)
    return laneFailed(current, lease.lane, { message, code, final: true, sequence, atMs: deps.clock.now() })
  })
  deps.metrics.jobsAbandoned.inc({ queue: lease.lane, code })
  logger.error({ code }, 'job given up: its worker died in every run')
  throw new UnrecoverableError(message)
}

type Apart = {
  lease: LaneLease
  job: Job<UploadJob>
  cancelled: AbortSignal | undefined
  logger: Logger
  limitMs: number
}

/** Runs the job in a separate process; counts its death if that dies too. */
export async function runApart<T extends string>(
  deps: WorkerContext,
  { lease, job, cancelled, logger, limitMs }: Apart,
): Promise<T> {
  const { lane } = lease
  const { uploadId, generation } = job.data
  logger.warn({ deaths: deathsOf(lease) }, 'running in a separate process: the worker died in earlier runs')
  // That process takes a lease of its own; a remaining lease shows that it died, and this worker with it.
  await releaseLease(deps, { lease, cancelled, logger })
  const { attemptsMade, stalledCounter } = job
  const alone = {
    lane,
    id: job.id ?? lane,
    uploadId,
    generation,
    attemptsMade,
    stalledCounter,
    attempts: job.opts.attempts ?? 1,
    ...traceIn(lease.trace),
  }
  const signal = cancelled ?? new AbortController().signal
  const said = await runAlone(alone, { signal, limitMs })
  if (said === undefined) {
    // Its files are as large as its film, and the next run needs the room.
    await deps.room.sweep().catch((err: unknown) => logger.warn({ err }, 'scratch folders of the dead not removed'))
    // Where it was told to go, it took too long for that: no fault of the file.
    const end = signal.aborted ? { untried: true } : { died: true }
    const began = await deps.leases.releaseAlone(uploadId, lane, { generation, run: endedRuns(job) }, end)
    if (began || signal.aborted) throw new JobReleased()
    logger.error('the separate process ended before it took the job: its own output says why')
    throw new Error('the separate process ended without a word')
  }
  if ('released' in said) throw new JobReleased(said.released)
  if ('outcome' in said) return said.outcome as T
  throw said.isFinal ? new UnrecoverableError(said.error) : new Error(said.error)
}
