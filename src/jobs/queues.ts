// The queues for producers: typed by the contract; they fail fast during a Redis outage.

import { Queue } from 'bullmq'
import type { Logger } from '../core/logger.ts'
import { commandLoader, run } from '../core/lua-commands.ts'
import { type RedisConnection, viaRedis } from '../core/redis.ts'
import type { LaneName } from '../records/upload-record.ts'
import {
  JOB_OPTIONS,
  jobTelemetry,
  LANES,
  type Lane,
  type Payloads,
  queuePrefix,
  RETENTION,
  type UploadJob,
  uploadJobId,
} from './contract.ts'

/** `trace`: W3C traceparent of the span that the job's run belongs to. */
export type EnqueueOptions = { jobId?: string; priority?: number; delayMs?: number; trace?: string | undefined }

const takeWaitingJob = commandLoader(new URL('./commands/', import.meta.url))('take-waiting-job')

export class Queues {
  readonly byLane: Record<Lane, Queue>
  readonly #redis: RedisConnection

  constructor(connection: RedisConnection, logger: Logger) {
    this.#redis = connection
    const open = (lane: Lane) => {
      const queue = new Queue(lane, {
        connection,
        prefix: queuePrefix(connection, lane),
        defaultJobOptions: { ...JOB_OPTIONS[lane], ...RETENTION },
      })
      queue.on('error', (err) => logger.warn({ err, lane }, 'queue connection error'))
      return queue
    }
    this.byLane = {
      validate: open('validate'),
      inspect: open('inspect'),
      transcode: open('transcode'),
      notify: open('notify'),
      maintain: open('maintain'),
    }
  }

  /** Adds a job; an existing id, in any state, is not changed. Throws REDIS_UNAVAILABLE. */
  async enqueue<L extends Lane>(lane: L, payload: Payloads[L], options: EnqueueOptions = {}): Promise<void> {
    await viaRedis(
      this.byLane[lane].add(lane, payload, {
        ...(options.jobId === undefined ? {} : { jobId: options.jobId }),
        // BullMQ runs jobs without priority first, so every job gets one.
        priority: options.priority ?? 1000,
        ...(options.delayMs === undefined ? {} : { delay: options.delayMs }),
        ...(options.trace === undefined ? {} : { telemetry: jobTelemetry(options.trace) }),
      }),
    )
  }

  async enqueueUpload(
    lane: LaneName,
    job: UploadJob,
    options: Pick<EnqueueOptions, 'priority' | 'trace'> = {},
  ): Promise<void> {
    await this.enqueue(lane, job, { ...options, jobId: uploadJobId(lane, job.uploadId, job.generation) })
  }

  /**
   * Takes a job that waits out of its queue, data and all, to be run by other means. Of several who ask one is given true;
   * a worker of the queue that was faster leaves nothing to take. Throws REDIS_UNAVAILABLE.
   */
  async takeOut(lane: LaneName, jobId: string): Promise<boolean> {
    const queue = this.byLane[lane]
    const taken = await run(this.#redis, takeWaitingJob, [queue.toKey('prioritized'), queue.toKey(jobId)], [jobId])
    return taken === 1
  }

  /** BullMQ's state of a lane's job; `unknown`: there is none. */
  async stateOf(lane: LaneName, uploadId: string, generation: number): Promise<string> {
    return await viaRedis(this.byLane[lane].getJobState(uploadJobId(lane, uploadId, generation)))
  }

  /**
   * Removes jobs with their data, results and logs, and what the queue noted about its jobs for whoever listens: nobody
   * does. Jobs at work cannot be removed.
   *
   * @returns whether none of them is left
   */
  async forget(lane: Lane, jobIds: readonly string[]): Promise<boolean> {
    const queue = this.byLane[lane]
    await viaRedis(this.#redis.del(queue.toKey('events')))
    const found = await Promise.all(jobIds.map((id) => viaRedis(this.#redis.exists(queue.toKey(id)))))
    const present = jobIds.filter((_, i) => found[i] === 1)
    const removed = await Promise.all(present.map((id) => viaRedis(queue.remove(id))))
    return removed.every((count) => count === 1)
  }

  async close(): Promise<void> {
    await Promise.all(LANES.map((lane) => this.byLane[lane].close()))
  }
}
