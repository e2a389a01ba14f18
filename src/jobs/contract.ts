// The queue contract: lanes, payloads, job ids, retries. Shared by producers and workers.
// A job is a hint that something is due; the record decides.

import type { JobsOptions } from 'bullmq'
import { readTraceparent } from '../core/trace-context.ts'

export const LANES = ['validate', 'inspect', 'transcode', 'notify', 'maintain'] as const
export type Lane = (typeof LANES)[number]

export type UploadJob = {
  uploadId: string
  generation: number
  /** What the work is expected to take; absent where only the lane itself may take it, and in jobs of former versions. */
  seconds?: number
  /** Token of another run's lease, which this job has been given time to end; see LaneHeld. */
  waitedFor?: string
}

/** One delivery of one event to one address. */
export type NotifyJob = {
  owner: string
  url: string
  eventId: string
  /** Of the event, RFC 3339. */
  timestamp: string
  body: string
}

export type MaintainJob = { task: 'reconcile' | 'sweep' | 'retention' }

export type Payloads = {
  validate: UploadJob
  inspect: UploadJob
  transcode: UploadJob
  notify: NotifyJob
  maintain: MaintainJob
}

/**
 * The trace of a job, in the place and form of BullMQ's own telemetry. Its interface is not used beyond that: it records a
 * span for every look at a queue, and results and messages of jobs, which have names of files in them.
 */
export function jobTelemetry(trace: string): NonNullable<JobsOptions['telemetry']> {
  return { metadata: JSON.stringify({ traceparent: trace }) }
}

/** W3C traceparent of the span that a job's run belongs to; undefined: none. */
export function traceOfJob({ opts }: { opts: JobsOptions }): string | undefined {
  const [, traceparent] = /"traceparent":"([^"]*)"/.exec(opts.telemetry?.metadata ?? '') ?? []
  return readTraceparent(traceparent)
}

/** On one server. */
export const QUEUE_PREFIX = 'sn-queue'

/** Of BullMQ's keys of a lane; in a cluster all of them are on one node. */
export function queuePrefix(redis: { isCluster: boolean }, lane: Lane): string {
  return redis.isCluster ? `${QUEUE_PREFIX}:{${lane}}` : QUEUE_PREFIX
}

export const LANE_DESCRIPTIONS: Record<Lane, string> = {
  validate: 'Verdicts: type, duration, pages, rules of the slot. Seconds; teachers wait for these.',
  inspect: 'Whole-file checks: SHA-256, silence, black picture. As fast as the store reads.',
  transcode: 'Renditions: playable MP4, poster, first page. Minutes.',
  notify: 'Webhooks to portals.',
  maintain: 'Reconcile, expiry, retention, clean-up.',
}

/** No colon and not only digits (rules of BullMQ). With a new generation a lost job can be queued again. */
export function uploadJobId(lane: Lane, uploadId: string, generation: number): string {
  return `${lane}-${uploadId}-g${generation}`
}

const DAY_SECONDS = 86_400

/** Attempts are for system errors; an error of the file is a verdict. */
export const JOB_OPTIONS: Record<Lane, JobsOptions> = {
  validate: { attempts: 5, backoff: { type: 'exponential', delay: 2000, jitter: 0.5 } },
  inspect: { attempts: 5, backoff: { type: 'exponential', delay: 5000, jitter: 0.5 } },
  transcode: { attempts: 4, backoff: { type: 'exponential', delay: 15_000, jitter: 0.5 } },
  // The schedule of Standard Webhooks, by a custom backoff strategy of the worker.
  notify: { attempts: 10, backoff: { type: 'webhook' } },
  maintain: { attempts: 1 },
}

export const RETENTION: JobsOptions = {
  removeOnComplete: { age: DAY_SECONDS, count: 5000 },
  removeOnFail: { age: 7 * DAY_SECONDS, count: 10_000 },
}
