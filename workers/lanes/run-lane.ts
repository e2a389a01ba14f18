// Common to all upload lanes: acquire the lease, renew it during the work, commit only while it is
// held, stop if it is lost, release the job when the worker shuts down, and record failures.

import { DelayedError, type Job, UnrecoverableError } from 'bullmq'
import type { Logger } from '../../src/core/logger.ts'
import { errorType } from '../../src/core/span.ts'
import { withTimeout } from '../../src/core/with-timeout.ts'
import type { UploadJob } from '../../src/jobs/contract.ts'
import { LaneHeld, type LaneLease } from '../../src/lifecycle/lane-leases.ts'
import { personOf } from '../../src/records/person.ts'
import type { LaneName, NextUpload, UploadRecord } from '../../src/records/upload-record.ts'
import { NoRoom } from '../media/scratch.ts'
import type { WorkerContext } from '../worker-context.ts'
import { abandon, DEATHS_BEFORE_ALONE, deathsOf, endedRuns, isDeadly, LIMIT_MS, runApart } from './deadly.ts'
import { isInputError, recordFailure } from './failure.ts'
import type { FairShare } from './fair-share.ts'
import { JobReleased, putBack, SHUTDOWN } from './job-released.ts'
import { startJobSpan } from './job-span.ts'
import { keepLease } from './keep-lease.ts'
import { progressReporter } from './progress-reporter.ts'
import { releaseLease } from './release-lease.ts'
import { restingLanes } from './resting.ts'

/** So long another worker has to come by before a job that found no room is tried here again. */
const NO_ROOM_MS = 30_000
/** From then on it may be larger than the room that there ever is here, and somebody has to look. */
const LONG_WAIT_MS = 3_600_000
/** How long a job waits for the end of another run of it: a worker looks after its locks, and lets go of lost ones, every 15 s. */
const HELD_MS = 30_000

export type Change = (current: UploadRecord) => Promise<NextUpload> | NextUpload

/** One run of a lane on one upload. */
export type LaneRun = {
  lease: LaneLease
  /** As leased; the newest is given to each change. */
  record: UploadRecord
  jobId: string
  /** Aborts when the lease or the lock is lost, and when the worker shuts down. */
  signal: AbortSignal
  logger: Logger
  /** After this attempt the lane is marked failed. */
  lastAttempt: boolean
  progress: ReturnType<typeof progressReporter>
  /** Commits something on the way. Throws LaneLeaseLost. */
  update(change: Change): Promise<UploadRecord>
  /** Commits the result, by a transition that ends the lane. Throws LaneLeaseLost. */
  finish(change: Change): Promise<UploadRecord>
}

export type LaneWork = {
  lane: LaneName
  /** A run that takes longer is left; default: {@link LIMIT_MS}. */
  limitMs?: number
  /** Whether the lane's result still belongs to an upload in this state: it may have been taken away meanwhile. */
  expects(record: UploadRecord): boolean
  work(run: LaneRun): Promise<void>
  /** What follows the lane's result. Idempotent: a run that finds the lane done, because its forerunner died, repeats it. */
  after(record: UploadRecord): Promise<void>
}

/** Another run has taken over, or the upload has ended: the result of this run does not count. */
export class LaneLeaseLost extends Error {
  override readonly name = 'LaneLeaseLost'
}

export type Outcome = 'done' | 'nothing' | 'dropped' | 'given-back' | 'retried' | 'failed'

/** The BullMQ processor of a lane. */
export function uploadLane(deps: WorkerContext, work: LaneWork, share?: FairShare) {
  // BullMQ hands over a signal only to processors that declare three parameters.
  return async (job: Job<UploadJob>, token?: string, cancelled?: AbortSignal): Promise<Outcome> => {
    try {
      return await measured(deps, work, job, async (trace) => {
        const run = () => runOnce(deps, work, job, cancelled, { trace })
        return share === undefined ? await run() : await share.run(await ownerOfFile(deps, job), run)
      })
    } catch (error) {
      if (!(error instanceof JobReleased)) throw error
      await putBack(job, token, error)
      throw new DelayedError()
    }
  }
}

/** Throws what the run throws: JobReleased where the job is to be tried again later. */
export async function measured(
  deps: WorkerContext,
  work: LaneWork,
  job: Job<UploadJob>,
  run: (trace: string | undefined) => Promise<Outcome>,
): Promise<Outcome> {
  const startedMs = deps.clock.now()
  const { tracing } = deps
  const ids = { 'messaging.message.id': job.id, 'songngan.upload.id': job.data.uploadId }
  const span = startJobSpan(tracing, work.lane, job, ids)
  let failure: unknown
  let outcome: Outcome = 'retried'
  if (job.attemptsMade === 0 && job.processedOn !== undefined)
    deps.metrics.jobWait.observe({ queue: work.lane }, Math.max(0, job.processedOn - job.timestamp) / 1000)
  try {
    // A lane that was told to rest while it waited for a job takes that one still.
    if (restingLanes(await deps.room.state()).includes(work.lane)) throw new JobReleased(NO_ROOM_MS)
    outcome = await run(span.traceparent)
    return outcome
  } catch (error) {
    failure = error
    if (error instanceof JobReleased) outcome = 'given-back'
    else if (error instanceof UnrecoverableError || isLastAttempt(job)) outcome = 'failed'
    throw error
  } finally {
    span.set({ 'songngan.job.outcome': outcome })
    span.end(outcome === 'failed' || outcome === 'retried' ? errorType(failure) : undefined)
    deps.metrics.jobDuration.observe({ queue: work.lane, outcome }, (deps.clock.now() - startedMs) / 1000)
    if (outcome !== 'retried' && outcome !== 'given-back') await leave(deps, work.lane, job)
  }
}

/**
 * One run of a job, by the worker or by a process of its own.
 *
 * @param how.alone it runs in that process already
 * @param how.leaseMs of its lease, where the queue does not see its worker die
 * @param how.trace W3C traceparent of the run's span
 */
export async function runOnce(
  deps: WorkerContext,
  work: LaneWork,
  job: Job<UploadJob>,
  cancelled: AbortSignal | undefined,
  how: { alone?: boolean; leaseMs?: number; trace?: string | undefined } = {},
): Promise<Outcome> {
  const { lane } = work
  const { uploadId, generation, waitedFor } = job.data
  const jobId = job.id ?? lane
  const lease = await deps.leases
    .acquire(uploadId, lane, { ...how, generation, run: endedRuns(job), waitedFor })
    .catch(whenHeld)
  if (lease === undefined) {
    const record = await deps.uploads.latest(uploadId)
    if (record?.lanes[lane]?.doneAt !== undefined) await work.after(record)
    return 'nothing'
  }
  const { submissionId } = lease.record
  const logger = deps.logger.child({ uploadId, submissionId, jobId, lane, attempt: job.attemptsMade + 1 })
  const limitMs = work.limitMs ?? LIMIT_MS[lane]
  if (isDeadly(lease)) return await abandon(deps, lease, logger)
  if (deathsOf(lease) >= DEATHS_BEFORE_ALONE && how.alone !== true)
    return await runApart(deps, { lease, job, cancelled, logger, limitMs: limitMs / 2 })
  const lost = new AbortController()
  const signal = AbortSignal.any(cancelled === undefined ? [lost.signal] : [lost.signal, cancelled])
  const onLost = () => lost.abort(new LaneLeaseLost('another run has taken over'))
  const stopRenewing = keepLease(deps, lease, onLost, logger)
  const progress = progressReporter(deps.views, uploadId, lane, logger)
  let finished: UploadRecord | undefined
  try {
    const commit = committing(deps, work, lease)
    const working = work.work({
      lease,
      record: lease.record,
      jobId,
      signal,
      logger,
      progress,
      lastAttempt: isLastAttempt(job),
      update: commit,
      async finish(change) {
        finished = await commit(change)
        return finished
      },
    })
    await withTimeout(working, limitMs, () => {
      throw new EndlessRun(`no end after ${limitMs} ms`)
    })
  } catch (error) {
    if (error instanceof EndlessRun) lost.abort(error)
    // With the result committed the lane is done, whatever came afterwards.
    if (finished === undefined) return await handleFailure(deps, { error, lease, job, signal, cancelled, logger })
    logger.warn({ err: error }, 'lane done, but its follow-up work failed; it is repeated')
  } finally {
    stopRenewing()
    await progress.end()
  }
  if (finished !== undefined) await work.after(finished)
  return 'done'
}

/** Commits that count only while the lease is held and the upload is still there. */
function committing(deps: WorkerContext, work: LaneWork, lease: LaneLease) {
  return async (change: Change): Promise<UploadRecord> => {
    let result: UploadRecord | undefined
    const mine = await deps.leases.commit(lease, async (current) => {
      if (!work.expects(current)) throw new LaneLeaseLost(`the upload is ${current.state} now`)
      const changed = await change(current)
      result = { ...current, ...changed }
      return changed
    })
    if (!mine || result === undefined) throw new LaneLeaseLost('another run has taken over')
    return result
  }
}

type Stopped = {
  error: unknown
  lease: LaneLease
  job: Job<UploadJob>
  signal: AbortSignal
  cancelled: AbortSignal | undefined
  logger: Logger
}

/** Handles a run without a result: dropped, released, retried or failed. */
async function handleFailure(deps: WorkerContext, stopped: Stopped): Promise<Outcome> {
  const { error, lease, job, signal, cancelled, logger } = stopped
  if (cancelled?.aborted && cancelled.reason === SHUTDOWN) {
    logger.info('job released: the worker is shutting down')
    await releaseLease(deps, stopped, { untried: true })
    throw new JobReleased()
  }
  if (error instanceof LaneLeaseLost || (signal.aborted && !(error instanceof EndlessRun))) {
    logger.warn({ err: error, reason: String(signal.reason) }, 'job dropped: its lease is lost')
    await releaseLease(deps, stopped)
    return 'dropped'
  }
  if (error instanceof NoRoom) {
    const waitedMs = deps.clock.now() - job.timestamp
    logger[waitedMs < LONG_WAIT_MS ? 'info' : 'warn']({ err: error, waitedMs }, 'given back: no room for it now')
    await releaseLease(deps, stopped, { untried: true })
    throw new JobReleased(NO_ROOM_MS)
  }
  const blamesInput = isInputError(error)
  logger.warn({ err: error }, 'the job failed')
  if (error instanceof EndlessRun) {
    await releaseLease(deps, stopped, { died: true })
    throw error
  }
  if (!blamesInput && !isLastAttempt(job)) {
    await releaseLease(deps, stopped)
    throw error
  }
  await recordFailure(deps, lease, error)
  throw blamesInput ? new UnrecoverableError(error.message) : error
}

/** Another run goes on, or left without a word; when it has ended, there may be work for this one. */
function whenHeld(error: unknown): never {
  if (!(error instanceof LaneHeld)) throw error
  const { waitFor } = error
  throw new JobReleased(HELD_MS, waitFor === undefined ? undefined : { waitedFor: waitFor })
}

/** Whose file it is. */
async function ownerOfFile({ uploads }: WorkerContext, job: Job<UploadJob>): Promise<string> {
  const { uploadId } = job.data
  const record = await uploads.latest(uploadId)
  return record === undefined ? uploadId : `${record.owner}/${personOf(record)}`
}

/** The same person's next files come forward. Where that fails they come a little later. */
async function leave({ uploads, laneJobs, logger }: WorkerContext, lane: LaneName, { data }: Job<UploadJob>) {
  const { uploadId } = data
  try {
    const record = await uploads.latest(uploadId)
    if (record !== undefined) await laneJobs.leave(record, lane)
  } catch (err) {
    logger.debug({ err, uploadId, lane }, 'a file that is done is still counted in its lane')
  }
}

/** The run had all the time that the longest file can need. */
class EndlessRun extends Error {}

function isLastAttempt(job: Job): boolean {
  return job.attemptsMade + 1 >= (job.opts.attempts ?? 1)
}
