// The lanes of a worker and their concurrency. A missing lane does not compile.

import { randomUUID } from 'node:crypto'
import { availableParallelism, hostname } from 'node:os'
import { DelayedError, type Job, type Processor, Worker, type WorkerOptions } from 'bullmq'
import { connectRedis } from '../src/core/redis.ts'
import { WebhookDispatch } from '../src/events/dispatch.ts'
import { type Lane, queuePrefix } from '../src/jobs/contract.ts'
import { FairShare } from './lanes/fair-share.ts'
import { createInspect } from './lanes/inspect.ts'
import { JobReleased, putBack, SHUTDOWN } from './lanes/job-released.ts'
import { createMaintain, scheduleMaintenance } from './lanes/maintain.ts'
import { createNotifyProcessor, webhookBackoff } from './lanes/notify.ts'
import { type ShortWork, startShortWork } from './lanes/short-work.ts'
import { createTranscode } from './lanes/transcode.ts'
import { createValidate } from './lanes/validate.ts'
import type { WorkerContext } from './worker-context.ts'

/** How soon a job of a dead worker runs on another; shorter in tests. */
export type Timing = { lockMs: number; stalledCheckMs: number }
const TIMING: Timing = { lockMs: 60_000, stalledCheckMs: 30_000 }

/** A worker that is stopped during a job uses one: several deployments in a row must not fail a long job. */
const MAX_STALLED_COUNT = 4
/** BullMQ keeps a count per minute for this many minutes. */
const METRICS_MINUTES = 24 * 60

const TIMETABLE_MS = 60_000

/** High, because a delivery mostly waits. */
const DELIVERIES_AT_A_TIME = 16

type Setup = { processor: Processor; concurrency: number; settings?: WorkerOptions['settings'] }

function setups(deps: WorkerContext, copies: CountedRuns) {
  const cores = availableParallelism()
  return {
    // People wait for these, and they need very little CPU.
    validate: () => ({
      // One person's hostile files run at most on all CPUs, so that another person's verdict gets CPU time.
      processor: createValidate(deps, new FairShare(() => cores)),
      concurrency: 4 * cores,
    }),
    inspect: () => ({ processor: createInspect(deps), concurrency: Math.max(1, Math.floor(cores / 2)) }),
    transcode: () => ({
      processor: copies.processor,
      concurrency: deps.config.workers.transcodeConcurrency,
    }),
    notify: () => ({
      processor: sharedByPortal(
        createNotifyProcessor({
          redis: deps.redis.hot,
          clock: deps.clock,
          logger: deps.logger,
          metrics: deps.metrics,
          deliveries: deps.deliveries,
          tracing: deps.tracing,
          webhooks: deps.config.webhooks,
        }),
        new FairShare(() => DELIVERIES_AT_A_TIME / 4),
      ),
      concurrency: DELIVERIES_AT_A_TIME,
      settings: { backoffStrategy: webhookBackoff },
    }),
    maintain: () => ({ processor: createMaintain(deps), concurrency: 1 }),
  } satisfies Record<Lane, () => Setup>
}

/** A receiver that never answers blocks only its portal's share. @internal */
export function sharedByPortal(
  deliver: ReturnType<typeof createNotifyProcessor>,
  share: FairShare,
): ReturnType<typeof createNotifyProcessor> {
  return async (job, token, signal) => {
    try {
      return await share.run(job.data.owner, () => deliver(job, token, signal))
    } catch (error) {
      if (!(error instanceof JobReleased)) throw error
      await putBack(job, token, error)
      throw new DelayedError()
    }
  }
}

export type RunningWorkers = {
  workers: readonly Worker[]
  /** Starts no more jobs, waits `graceMs` for running ones, then releases them; resolves when no job is running. */
  close(graceMs: number): Promise<void>
}

export async function startWorkers(deps: WorkerContext, timing: Timing = TIMING): Promise<RunningWorkers> {
  const { lanes } = deps.config.workers
  const copies = countingRuns(createTranscode(deps))
  const table = setups(deps, copies)
  const workers = lanes.map((lane) => startWorker(deps, lane, table[lane](), timing))
  const timetable = lanes.includes('maintain') ? await keepTimetable(deps) : undefined
  const dispatch = lanes.includes('notify') ? startDispatch(deps) : undefined
  const copying = workers.find(({ name }) => name === 'transcode')
  const short = copying === undefined ? undefined : takeShortWork(deps, copying, copies)
  return {
    workers,
    async close(graceMs) {
      clearInterval(timetable)
      const shortEnded = short?.stop()
      // Starts no new jobs from now on; resolves when the last job has ended.
      const closed = Promise.all(workers.map((worker) => worker.close()))
      const timer = setTimeout(() => {
        for (const worker of workers) worker.cancelAllJobs(SHUTDOWN)
      }, graceMs)
      await Promise.all([closed, dispatch?.stop(), shortEnded])
      clearTimeout(timer)
    },
  }
}

/** Only while the lane's own slots are busy, because their jobs run again sooner if a worker dies. */
function takeShortWork(deps: WorkerContext, worker: Worker, { running }: CountedRuns): ShortWork {
  const queue = deps.queues.byLane.transcode
  const isOpen = async () => running() >= worker.concurrency && !worker.isPaused() && !(await queue.isPaused())
  return startShortWork(deps, isOpen)
}

type CountedRuns = { processor: Processor; running(): number }

function countingRuns(processor: ReturnType<typeof createTranscode>): CountedRuns {
  let runs = 0
  return {
    running: () => runs,
    // BullMQ passes a signal only to processors that declare three parameters.
    processor: async (job, token, signal) => {
      runs++
      try {
        return await processor(job, token, signal)
      } finally {
        runs--
      }
    },
  }
}

/** The schedule of periodic tasks is in Redis, and is lost with it. */
async function keepTimetable(deps: WorkerContext): Promise<NodeJS.Timeout> {
  await scheduleMaintenance(deps)
  return setInterval(() => {
    scheduleMaintenance(deps).catch((err: unknown) => {
      deps.logger.warn({ err }, 'periodic tasks could not be checked; retrying in a minute')
    })
  }, TIMETABLE_MS)
}

function startWorker(deps: WorkerContext, lane: Lane, setup: Setup, timing: Timing): Worker {
  const { logger, metrics } = deps
  const { processor, concurrency, settings } = setup
  const worker = new Worker(lane, processor, {
    connection: deps.redis.jobs,
    prefix: queuePrefix(deps.redis.jobs, lane),
    name: `${hostname()}:${process.pid}`,
    autorun: false,
    concurrency,
    lockDuration: timing.lockMs,
    stalledInterval: timing.stalledCheckMs,
    maxStalledCount: MAX_STALLED_COUNT,
    metrics: { maxDataPoints: METRICS_MINUTES },
    ...(settings === undefined ? {} : { settings }),
  })
  metrics.onScrape(`slots-${lane}`, () => metrics.laneSlots.set({ queue: lane }, worker.concurrency))
  worker.on('error', (err) => logger.warn({ err, lane }, 'worker connection error'))
  worker.on('stalled', (jobId) => {
    metrics.jobsStalled.inc({ queue: lane })
    logger.warn({ jobId, lane }, 'job stalled; it will run again')
  })
  // BullMQ only reports it: a job that continues without its lock would run beside the next run. A delivery does continue:
  // the receiver may have it, and if its answer is not recorded, the next run posts it again. It ends by its own time limit.
  if (lane !== 'notify')
    worker.on('lockRenewalFailed', (jobIds: string[]) => {
      for (const jobId of jobIds) worker.cancelJob(jobId, 'the lock of the job was lost')
    })
  // Lanes of an upload measure their jobs themselves, including the outcome.
  if (lane === 'notify' || lane === 'maintain')
    worker.on('completed', ({ processedOn, finishedOn }: Job) => {
      if (processedOn !== undefined && finishedOn !== undefined)
        metrics.jobDuration.observe({ queue: lane, outcome: 'done' }, (finishedOn - processedOn) / 1000)
    })
  worker.on('failed', (job: Job | undefined, err) => {
    if (job !== undefined && job.finishedOn === undefined) metrics.jobRetries.inc({ queue: lane })
    if (job?.finishedOn !== undefined) logger.error({ err, jobId: job.id, lane }, 'job failed; no attempts left')
  })
  worker.run().catch((err: unknown) => logger.error({ err, lane }, 'a worker ended'))
  return worker
}

function startDispatch({ config, redis, heads, queues, logger }: WorkerContext): WebhookDispatch {
  const dispatch = new WebhookDispatch({
    redis: redis.jobs,
    reader: connectRedis(config.redisUrl, 'reader', logger),
    heads,
    queues,
    logger,
    webhooks: config.webhooks,
    consumer: `${hostname()}:${process.pid}:${randomUUID()}`,
  })
  dispatch.start()
  return dispatch
}
