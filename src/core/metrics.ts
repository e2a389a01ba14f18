// Every metric of the service and of the workers, declared in one place on a registry of its own. Names follow
// Prometheus: base units, `_total` for counters, closed sets as labels and never an id.

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

/** Requests and lock waits: a millisecond to the minute that a held HEAD may take. */
const REQUEST_BUCKETS = [0.001, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60]
/** Jobs and promises to users: a tenth of a second to half a day. */
const WORK_BUCKETS = [0.1, 0.25, 0.5, 1, 2, 5, 10, 30, 60, 120, 300, 600, 1800, 3600, 10_800, 43_200]
/** The share of the last moments is wanted, not a share of one millisecond: scrapes that come close repeat the last one. */
const MIN_ELU_WINDOW_MS = 1000
/** A kibibyte to the largest film that anybody hands in. */
const SIZE_BUCKETS = [2 ** 20, 2 ** 23, 2 ** 25, 2 ** 27, 2 ** 28, 2 ** 29, 2 ** 30, 2 ** 31, 2 ** 32, 2 ** 33]
/** Gauges of prom-client that are named like counters; each repeats one that is not. */
const MISNAMED = [
  'nodejs_active_handles_total',
  'nodejs_active_requests_total',
  'nodejs_active_resources_total',
] as const
/** Prometheus gives up on a scrape after 10 s. */
const COLLECT_MS = 4000

/** What another process of the same service reports of itself; plain JSON, fit for a message between processes. */
export type MetricsSnapshot = Awaited<ReturnType<Registry['getMetricsAsJSON']>>

export type Metrics = ReturnType<typeof createMetrics>

/**
 * All metrics on a fresh registry. `processMetrics: false` leaves out the default process metrics, whose observers
 * live as long as the process (tests make many registries).
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
    'Share of the time since the last scrape in which the event loop was busy',
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
          // A scrape shows what can be shown; that something could not is shown by this very counter.
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
    uploadsFinished: counter('uploads_finished_total', 'Uploads whose last byte was stored'),
    uploadsTerminated: counter('uploads_terminated_total', 'Unfinished uploads that their owner removed'),
    uploadsExpired: counter('uploads_expired_total', 'Unfinished uploads removed because nothing came any more'),
    uploadBytesReceived: counter('upload_bytes_received_total', 'Bytes of uploads read from clients'),
    uploadSize: histogram('upload_size_bytes', 'Size of uploads whose last byte was stored', SIZE_BUCKETS, ['kind']),
    uploadTransfer: histogram(
      'upload_transfer_seconds',
      'From the creation of an upload to its last byte, pauses of the client included',
      WORK_BUCKETS,
      ['kind'],
    ),
    connectionsOpen: gauge('upload_connections_open', 'Open connections of clients, idle ones included'),
    uploadsInFlight: gauge('uploads_in_flight', 'Requests that are sending bytes at this moment'),
    uploadFirstByte: histogram(
      'upload_first_byte_seconds',
      'From the head of a PATCH or POST to its first byte taken',
      REQUEST_BUCKETS,
    ),
    uploadTakeovers: counter('upload_takeovers_total', 'Requests ended by a newer one for the same upload'),
    uploadRestarts: counter('upload_restarts_total', 'Uploads begun again from byte 0 for a file that was under way'),
    receiveBudget: gauge('receive_budget_bytes', 'Bytes held in memory on their way to the store'),
    receiveBudgetLimit: gauge('receive_budget_limit_bytes', 'Bytes that may be held in memory'),
    receiveSpool: gauge('receive_spool_bytes', 'Bytes of S3 parts that wait on disk'),
    receiveSpoolLimit: gauge('receive_spool_limit_bytes', 'Bytes of S3 parts that may wait on disk'),
    s3Calls: counter('s3_calls_total', 'Calls to the S3 server, each attempt of a retried one', [
      'operation',
      'outcome',
    ]),
    s3CallDuration: histogram(
      's3_call_duration_seconds',
      'From a call to the S3 server to the head of its answer',
      REQUEST_BUCKETS,
      ['operation'],
    ),
    admissionRejected: counter('upload_admission_rejected_total', 'Uploads not created now, by reason', ['reason']),
    rateLimited: counter('rate_limited_total', 'Requests refused because one subject sent too many', ['what']),
    lockWait: histogram('upload_lock_wait_seconds', 'Waiting for the lock of an upload', REQUEST_BUCKETS),
    lockTimeouts: counter('upload_lock_timeouts_total', 'Requests that did not get the lock of their upload'),
    uploadsReconciled: counter('uploads_reconciled_total', 'Uploads that the reconciler had to push on', [
      'from_state',
    ]),

    jobDuration: histogram('media_job_duration_seconds', 'Run time of jobs', WORK_BUCKETS, ['queue', 'outcome']),
    jobWait: histogram('media_job_wait_seconds', 'Time from queued to started', WORK_BUCKETS, ['queue']),
    jobsStalled: counter('media_jobs_stalled_total', 'Jobs whose worker stopped renewing its lock', ['queue']),
    jobRetries: counter('media_job_retries_total', 'Attempts of jobs that failed and are made again', ['queue']),
    mediaToolsFenced: gauge(
      'media_tools_fenced',
      '1 while media tools run behind a fence that was tried at start, 0 while MEDIA_ISOLATION=none',
      ['isolation'],
      'min',
    ),
    jobsAbandoned: counter(
      'media_jobs_abandoned_total',
      'Work on uploads given up for good: only an operator begins it again',
      ['queue', 'code'],
    ),
    laneSlots: gauge('media_lane_slots', 'Jobs that may run at a time, by lane', ['queue']),
    uploadVerdict: histogram('upload_verdict_seconds', 'From the last byte to accepted or rejected', WORK_BUCKETS),
    uploadReady: histogram('upload_ready_seconds', 'From the last byte to all renditions made', WORK_BUCKETS, ['kind']),
    webhookDeliveries: counter('webhook_deliveries_total', 'Attempts to deliver a webhook', ['outcome']),

    queueJobs: gauge('bullmq_jobs', 'Jobs in a queue by state', ['queue', 'state'], 'first'),
    queueOldestWaiting: gauge(
      'media_queue_oldest_waiting_seconds',
      'Age of the oldest job that waits to be run; 0 where none does',
      ['queue'],
      'first',
    ),
    queuePaused: gauge('media_queue_paused', '1 while an operator has paused the lane', ['queue'], 'first'),
    workdirFree: gauge('workdir_free_bytes', 'Free bytes on the disk of DATA_DIR', [], 'min'),
    redisUp: gauge('redis_up', '1 while Redis takes writes', [], 'min'),
    clockSkew: gauge('clock_skew_seconds', "The machine's clock minus that of Redis, which decides dates", [], 'first'),
    objectStoreUp: gauge('object_store_up', '1 while the object store answers', [], 'min'),

    /** Runs before every scrape, to set gauges whose value lies elsewhere. A second one of the same name replaces it. */
    onScrape(name: string, collect: () => Promise<void> | void): void {
      collectors.set(name, collect)
    },

    /** This process as plain JSON, for the process that answers the scrape for several. */
    async snapshot(): Promise<MetricsSnapshot> {
      await runCollectors()
      return await registry.getMetricsAsJSON()
    },

    /** The exposition format (`registry.contentType`), with `others` added up: sums, or what the metric asks for. */
    async text(others: MetricsSnapshot[] = []): Promise<string> {
      await runCollectors()
      if (others.length === 0) return await registry.metrics()
      return await AggregatorRegistry.aggregate([await registry.getMetricsAsJSON(), ...others]).metrics()
    },
  }
}

/** A collector that waits for what is away must not cost the scrape all the rest. */
async function withinScrape(collecting: Promise<void> | void): Promise<void> {
  let timer: NodeJS.Timeout | undefined
  const late = new Promise<never>((_resolve, reject) => {
    timer = setTimeout(() => reject(new Error('not within a scrape')), COLLECT_MS)
  })
  try {
    await Promise.race([collecting, late])
  } finally {
    clearTimeout(timer)
  }
}

/** Utilization between two scrapes; Node's own figure without a reference is an average over the whole life. */
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
