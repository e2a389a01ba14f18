// All metrics of the service and the workers, on a separate registry. Names follow
// Prometheus: base units, `_total` for counters, labels with few values, never ids.

import { performance } from 'node:perf_hooks'
import {
  type Aggregator,
  AggregatorRegistry,
  Counter,
  collectDefaultMetrics,
  Gauge,
  Histogram,
  Registry,
} from 'prom-client'
import { withTimeout } from './with-timeout.ts'

/** Requests and lock waits: a millisecond to a minute. */
const REQUEST_BUCKETS = [0.001, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60]
/** Jobs and user-visible times: a tenth of a second to half a day. */
const WORK_BUCKETS = [0.1, 0.25, 0.5, 1, 2, 5, 10, 30, 60, 120, 300, 600, 1800, 3600, 10_800, 43_200]
/** Minimum period: scrapes in quick succession repeat the last value. */
const MIN_ELU_WINDOW_MS = 1000
/** A mebibyte to the largest video. */
const SIZE_BUCKETS = [2 ** 20, 2 ** 23, 2 ** 25, 2 ** 27, 2 ** 28, 2 ** 29, 2 ** 30, 2 ** 31, 2 ** 32, 2 ** 33]
/** Gauges of prom-client with counter names; each duplicates a well-named one. */
const MISNAMED = [
  'nodejs_active_handles_total',
  'nodejs_active_requests_total',
  'nodejs_active_resources_total',
] as const
/** Prometheus' scrape time-out is 10 s. */
const COLLECT_MS = 4000

/** Metrics of one process as plain JSON, for messages between processes. */
export type MetricsSnapshot = Awaited<ReturnType<Registry['getMetricsAsJSON']>>

export type Metrics = ReturnType<typeof createMetrics>

/**
 * All metrics on a new registry. `processMetrics: false` omits the default process metrics, whose observers
 * live as long as the process (tests create many registries).
 */
export function createMetrics(options: { processMetrics?: boolean } = {}) {
  const registry = new Registry()
  const registers = [registry]
  const counter = <L extends string = never>(name: string, help: string, labelNames: readonly L[] = []) =>
    new Counter<L>({ name, help, labelNames, registers })
  const gauge = <L extends string = never>(
    name: string,
    help: string,
    labelNames: readonly L[] = [],
    aggregator: Aggregator = 'sum',
  ) => new Gauge<L>({ name, help, labelNames, registers, aggregator })
  const histogram = <L extends string = never>(
    name: string,
    help: string,
    buckets: number[],
    labelNames: readonly L[] = [],
  ) => new Histogram<L>({ name, help, labelNames, buckets, registers })

  if (options.processMetrics !== false) {
    collectDefaultMetrics({ register: registry })
    for (const name of MISNAMED) registry.removeSingleMetric(name)
  }
  const loopShare = gauge(
    'nodejs_eventloop_utilization_ratio',
    'Event loop utilization since the last scrape, 0 to 1',
    [],
    'max',
  )

  const collectErrors = counter('metrics_collect_errors_total', 'Collectors that failed during a scrape', ['collector'])

  const collectors = new Map<string, () => Promise<void> | void>()
  collectors.set('eventloop', eventLoopShare(loopShare))

  const runCollectors = async (): Promise<void> => {
    await Promise.all(
      [...collectors].map(async ([collector, collect]) => {
        try {
          await withinScrape(collect())
        } catch {
          // The scrape continues without this collector; the counter reports it.
          collectErrors.inc({ collector })
        }
      }),
    )
  }

  return {
    registry,

    /** RED of every HTTP request; `route` is the pattern, never the path. */
    httpRequestDuration: histogram(
      'http_request_duration_seconds',
      'Duration of HTTP requests by route pattern',
      REQUEST_BUCKETS,
      ['method', 'route', 'status'],
    ),
    uploadRequests: counter('upload_requests_total', 'Requests to the tus endpoint', ['method']),
    uploadErrors: counter('upload_errors_total', 'Refused or failed requests to the tus endpoint', ['code', 'status']),
    uploadsCreated: counter('uploads_created_total', 'Uploads created'),
    uploadsFinished: counter('uploads_finished_total', 'Uploads completed (last byte stored)'),
    uploadsTerminated: counter('uploads_terminated_total', 'Unfinished uploads terminated by their client'),
    uploadsExpired: counter('uploads_expired_total', 'Unfinished uploads that expired'),
    uploadBytesReceived: counter('upload_bytes_received_total', 'Upload bytes received from clients'),
    uploadSize: histogram('upload_size_bytes', 'Size of completed uploads', SIZE_BUCKETS, ['kind']),
    uploadTransfer: histogram(
      'upload_transfer_seconds',
      'Time from the creation of an upload to its last byte, including pauses of the client',
      WORK_BUCKETS,
      ['kind'],
    ),
    connectionsOpen: gauge('upload_connections_open', 'Open client connections, including idle ones'),
    uploadsInFlight: gauge('uploads_in_flight', 'Requests that are receiving bytes now'),
    uploadFirstByte: histogram(
      'upload_first_byte_seconds',
      'Time from the headers of a PATCH or POST to its first received byte',
      REQUEST_BUCKETS,
    ),
    uploadTakeovers: counter('upload_takeovers_total', 'Requests ended by a newer one for the same upload'),
    uploadRestarts: counter(
      'upload_restarts_total',
      'Uploads restarted from byte 0 although an unfinished upload of the file existed',
    ),
    receiveBudget: gauge('receive_budget_bytes', 'Received bytes in memory that are not yet stored'),
    receiveBudgetLimit: gauge('receive_budget_limit_bytes', 'Limit of receive_budget_bytes'),
    receiveSpool: gauge('receive_spool_bytes', 'Received bytes in the spool on disk'),
    receiveSpoolLimit: gauge('receive_spool_limit_bytes', 'Limit of receive_spool_bytes'),
    s3Calls: counter('s3_calls_total', 'Calls to the S3 server, counting every attempt', ['operation', 'outcome']),
    s3CallDuration: histogram(
      's3_call_duration_seconds',
      'Time from a call to the S3 server to the headers of its response',
      REQUEST_BUCKETS,
      ['operation'],
    ),
    admissionRejected: counter('upload_admission_rejected_total', 'Upload creations refused by admission, by reason', [
      'reason',
    ]),
    admissionClosed: gauge(
      'upload_admission_closed',
      '1 while an operator has closed admission of new uploads',
      [],
      'first',
    ),
    instanceDraining: gauge('instance_draining', '1 while this instance drains: it accepts nothing new', [], 'max'),
    rateLimited: counter('rate_limited_total', 'Requests refused by the rate limit per subject', ['what']),
    securityEvents: counter('security_events_total', 'Entries of the security log', ['event', 'result']),
    lockWait: histogram('upload_lock_wait_seconds', 'Waiting time for the lock of an upload', REQUEST_BUCKETS),
    lockTimeouts: counter('upload_lock_timeouts_total', 'Requests that did not get the lock of their upload'),
    submissionsClosed: counter(
      'submissions_closed_total',
      'Submissions whose time ended: sealed by themselves, or lapsed',
      ['outcome'],
    ),
    deadlinesBehind: gauge(
      'deadlines_behind_seconds',
      'How late the earliest look at a submission is that a date asks for; 0 if none is late',
      [],
      'max',
    ),
    uploadsReconciled: counter('uploads_reconciled_total', 'Uploads with work re-queued by the reconciler', [
      'from_state',
    ]),

    jobDuration: histogram('media_job_duration_seconds', 'Run time of jobs', WORK_BUCKETS, ['queue', 'outcome']),
    jobWait: histogram('media_job_wait_seconds', 'Time from queued to started', WORK_BUCKETS, ['queue']),
    jobsStalled: counter('media_jobs_stalled_total', 'Jobs whose worker stopped renewing its lock', ['queue']),
    jobRetries: counter('media_job_retries_total', 'Failed job attempts that are retried', ['queue']),
    mediaToolsFenced: gauge(
      'media_tools_fenced',
      '1 if media tools run behind the fence tested at start, 0 with MEDIA_ISOLATION=none',
      ['isolation'],
      'min',
    ),
    jobsAbandoned: counter('media_jobs_abandoned_total', 'Jobs given up for good, which only an operator can retry', [
      'queue',
      'code',
    ]),
    laneSlots: gauge('media_lane_slots', 'Job slots (concurrency), by lane', ['queue']),
    uploadVerdict: histogram('upload_verdict_seconds', 'Time from the last byte to the verdict', WORK_BUCKETS),
    uploadsRejected: counter('uploads_rejected_total', 'Files that break a rule, by rule; one file may break several', [
      'code',
    ]),
    uploadReady: histogram('upload_ready_seconds', 'Time from the last byte to the last rendition', WORK_BUCKETS, [
      'kind',
    ]),
    webhookDeliveries: counter('webhook_deliveries_total', 'Attempts to deliver a webhook', ['outcome']),

    queueJobs: gauge('bullmq_jobs', 'Jobs in a queue by state', ['queue', 'state'], 'first'),
    queueOldestWaiting: gauge(
      'media_queue_oldest_waiting_seconds',
      'Age of the oldest waiting job; 0 if none waits',
      ['queue'],
      'first',
    ),
    queuePaused: gauge('media_queue_paused', '1 while an operator has paused the lane', ['queue'], 'first'),
    workdirFree: gauge('workdir_free_bytes', 'Free bytes on the disk of DATA_DIR', [], 'min'),
    redisUp: gauge('redis_up', '1 while Redis takes writes', [], 'min'),
    clockSkew: gauge('clock_skew_seconds', "The machine's clock minus that of Redis, which decides dates", [], 'first'),
    objectStoreUp: gauge('object_store_up', '1 while the object store answers', [], 'min'),

    /** Runs before every scrape, to set gauges. A second collector of the same name replaces the first. */
    onScrape(name: string, collect: () => Promise<void> | void): void {
      collectors.set(name, collect)
    },

    /** The metrics of this process as plain JSON, for the process that answers the scrape. */
    async snapshot(): Promise<MetricsSnapshot> {
      await runCollectors()
      return await registry.getMetricsAsJSON()
    },

    /** The exposition format (`registry.contentType`), aggregated with `others`. */
    async text(others: MetricsSnapshot[] = []): Promise<string> {
      await runCollectors()
      if (others.length === 0) return await registry.metrics()
      return await AggregatorRegistry.aggregate([await registry.getMetricsAsJSON(), ...others]).metrics()
    },
  }
}

/** A time-out, so that one collector cannot block the scrape. */
async function withinScrape(collecting: Promise<void> | void): Promise<void> {
  await withTimeout(collecting, COLLECT_MS, () => {
    throw new Error('collector timed out')
  })
}

/** Utilization between two scrapes; without a reference Node gives the average since start. */
function eventLoopShare(gauge: Gauge): () => void {
  let since = performance.eventLoopUtilization()
  return () => {
    const now = performance.eventLoopUtilization()
    const window = performance.eventLoopUtilization(now, since)
    if (window.idle + window.active < MIN_ELU_WINDOW_MS) return
    since = now
    gauge.set(window.utilization)
  }
}
