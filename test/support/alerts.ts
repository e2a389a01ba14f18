// Series that fire each alert once, as promtool's unit tests take them: `name{labels} start+step×count`, a value a minute.

export type Firing = {
  alert: string
  series: Record<string, string>
  /** Minutes after the first value. */
  at: number
  /** Of the firing alert, beside its severity. */
  labels?: Record<string, string>
  /** `{{ $value | … }}` as Prometheus writes it. */
  value?: string
}

const service = '{job="songngan-service", instance="s1"}'
const up = { 'up{job="songngan-service", instance="s1"}': '1x60' }

/** A share of refused creations: `rejected` a minute beside 100 made. */
const refused = (rejected: number) => ({
  'upload_admission_rejected_total{reason="space", job="songngan-service"}': `0+${rejected}x60`,
  'uploads_created_total{job="songngan-service"}': '0+100x60',
  ...up,
})

/** A histogram of which everything lies in the bucket up to `le`. */
const all = (name: string, labels: string, le: number) => ({
  [`${name}_bucket{${labels}le="${le / 2}"}`]: '0x60',
  [`${name}_bucket{${labels}le="${le}"}`]: '0+60x60',
  [`${name}_bucket{${labels}le="+Inf"}`]: '0+60x60',
  ...up,
})

export const FIRINGS: Firing[] = [
  {
    alert: 'SongnganServiceDown',
    series: { [`up${service}`]: '0x60' },
    at: 10,
  },
  {
    alert: 'SongnganProcessDown',
    series: { 'up{job="songngan-worker", instance="w1"}': '0x60', ...up },
    at: 10,
    labels: { job: 'songngan-worker', instance: 'w1' },
  },
  { alert: 'SongnganUploadsRefusedMany', series: refused(25), at: 20, value: '20%' },
  { alert: 'SongnganUploadsRefusedSome', series: refused(2), at: 20, value: '1.961%' },
  { alert: 'SongnganAdmissionClosed', series: { [`upload_admission_closed${service}`]: '1x60', ...up }, at: 10 },
  {
    alert: 'SongnganAllServicesDrained',
    series: {
      [`instance_draining${service}`]: '1x60',
      'instance_draining{job="songngan-service", instance="s2"}': '1x60',
      'instance_draining{job="songngan-worker", instance="w1"}': '0x60',
      ...up,
    },
    at: 10,
  },
  {
    alert: 'SongnganInstanceDrained',
    series: {
      [`instance_draining${service}`]: '0x60',
      'instance_draining{job="songngan-worker", instance="w1"}': '1x60',
      ...up,
    },
    at: 40,
    labels: { job: 'songngan-worker', instance: 'w1' },
  },
  {
    alert: 'SongnganHeadSlow',
    series: all('http_request_duration_seconds', 'method="HEAD", route="/files/*", ', 5),
    at: 20,
    value: '4.975s',
  },
  {
    alert: 'SongnganEventLoopBusy',
    series: { [`nodejs_eventloop_utilization_ratio${service}`]: '0.99x60', ...up },
    at: 20,
    labels: { instance: 's1' },
  },
  {
    alert: 'SongnganUnexpectedErrors',
    series: { 'http_request_duration_seconds_count{status="500"}': '0+60x60', ...up },
    at: 20,
    value: '1',
  },
  {
    alert: 'SongnganRestartsFromZero',
    series: { [`upload_restarts_total${service}`]: '0+1x60', ...up },
    at: 20,
    value: '15',
  },
  {
    alert: 'SongnganLockTimeouts',
    series: { [`upload_lock_timeouts_total${service}`]: '0+1x60', ...up },
    at: 20,
    value: '10',
  },
  {
    alert: 'SongnganRateLimited',
    series: { 'rate_limited_total{what="creation", instance="s1"}': '0+20x60', ...up },
    at: 20,
    labels: { what: 'creation' },
    value: '200',
  },
  {
    alert: 'SongnganReceiveBudgetFull',
    series: {
      [`receive_budget_bytes${service}`]: '95x60',
      [`receive_budget_limit_bytes${service}`]: '100x60',
      ...up,
    },
    at: 20,
    labels: { instance: 's1' },
    value: '95%',
  },
  {
    alert: 'SongnganSpoolFull',
    series: {
      [`receive_spool_bytes${service}`]: '9x60',
      [`receive_spool_limit_bytes${service}`]: '10x60',
      ...up,
    },
    at: 20,
    labels: { instance: 's1' },
    value: '90%',
  },
  {
    alert: 'SongnganDiskLow',
    series: { [`workdir_free_bytes${service}`]: `${5 * 2 ** 30}x60`, ...up },
    at: 20,
    labels: { instance: 's1' },
    value: '5Gi',
  },
  {
    alert: 'SongnganDiskFull',
    series: { [`workdir_free_bytes${service}`]: `${2 ** 30}x60`, ...up },
    at: 20,
    labels: { instance: 's1' },
    value: '1Gi',
  },
  {
    alert: 'SongnganMemoryHigh',
    series: { [`process_resident_memory_bytes${service}`]: `${2 ** 31}x60`, ...up },
    at: 20,
    labels: { instance: 's1' },
    value: '2Gi',
  },
  { alert: 'SongnganRedisDown', series: { [`redis_up${service}`]: '0x60', ...up }, at: 5 },
  {
    alert: 'SongnganClockWrong',
    series: { 'clock_skew_seconds{job="songngan-worker", instance="w1"}': '-300x60', ...up },
    at: 5,
    labels: { job: 'songngan-worker', instance: 'w1' },
    value: '5m 0s',
  },
  { alert: 'SongnganStoreDown', series: { [`object_store_up${service}`]: '0x60', ...up }, at: 5 },
  {
    alert: 'SongnganStoreSlow',
    series: all('s3_call_duration_seconds', 'operation="UploadPart", ', 10),
    at: 20,
    value: '9.75s',
  },
  {
    alert: 'SongnganStoreErrors',
    series: {
      's3_calls_total{operation="PutObject", outcome="error"}': '0+1x60',
      's3_calls_total{operation="PutObject", outcome="ok"}': '0+9x60',
      ...up,
    },
    at: 20,
    value: '10%',
  },
  {
    alert: 'SongnganVerdictsLate',
    series: { 'media_queue_oldest_waiting_seconds{queue="validate"}': '90x60', ...up },
    at: 10,
    labels: { queue: 'validate' },
    value: '1m 30s',
  },
  {
    alert: 'SongnganQueueOld',
    series: { 'media_queue_oldest_waiting_seconds{queue="transcode"}': '900x60', ...up },
    at: 20,
    labels: { queue: 'transcode' },
    value: '15m 0s',
  },
  {
    alert: 'SongnganLaneWithoutWorker',
    series: {
      'bullmq_jobs{queue="inspect", state="prioritized"}': '3x60',
      'media_lane_slots{queue="validate"}': '8x60',
      ...up,
    },
    at: 10,
    labels: { queue: 'inspect' },
  },
  {
    alert: 'SongnganToolsUnfenced',
    series: { 'media_tools_fenced{isolation="none", instance="w1"}': '0x60', ...up },
    at: 10,
    labels: { instance: 'w1', isolation: 'none' },
  },
  {
    alert: 'SongnganLanePaused',
    series: { 'media_queue_paused{queue="transcode"}': '1x60', ...up },
    at: 40,
    labels: { queue: 'transcode' },
  },
  {
    alert: 'SongnganJobsFailing',
    series: { 'bullmq_jobs{queue="inspect", state="failed"}': '0+1x60', ...up },
    at: 20,
    labels: { queue: 'inspect' },
    value: '15',
  },
  {
    alert: 'SongnganJobsStalled',
    series: { 'media_jobs_stalled_total{queue="transcode"}': '0+1x60', ...up },
    at: 20,
    labels: { queue: 'transcode' },
    value: '15',
  },
  {
    alert: 'SongnganJobsAbandoned',
    // A counter that begins with its first value is seen to rise from the second on.
    series: { 'media_jobs_abandoned_total{queue="transcode", code="OUTPUT_INVALID"}': '0+0x10 3x50', ...up },
    at: 20,
    labels: { queue: 'transcode', code: 'OUTPUT_INVALID' },
    value: '3',
  },
  {
    alert: 'SongnganReconcilerBusy',
    series: { 'uploads_reconciled_total{from_state="stored"}': '0+2x60', ...up },
    at: 20,
    value: '30',
  },
  {
    alert: 'SongnganDeadlinesLate',
    series: { [`deadlines_behind_seconds${service}`]: '0+60x60', ...up },
    at: 10,
    value: '10m 0s',
  },
  {
    alert: 'SongnganWebhooksFailing',
    series: {
      'webhook_deliveries_total{outcome="rejected"}': '0+9x60',
      'webhook_deliveries_total{outcome="delivered"}': '0+1x60',
      ...up,
    },
    at: 30,
    value: '90%',
  },
  {
    alert: 'SongnganWebhooksDelayed',
    // All of 129 rejected, twice within a scrape, after five minutes, and after half an hour: no ratio of rates shows it.
    series: {
      'bullmq_jobs{queue="notify", state="delayed"}': '0x4 129x55',
      'bullmq_jobs{queue="notify", state="failed"}': '0x60',
      'webhook_deliveries_total{outcome="rejected"}': '_x4 258x4 387x29 516x20',
      ...up,
    },
    at: 30,
    value: '129',
  },
  {
    alert: 'SongnganCredentialGuessing',
    series: { 'security_events_total{event="api_key.login", result="refused"}': '0+10x60', ...up },
    at: 20,
    labels: { event: 'api_key.login' },
    value: '100',
  },
  {
    alert: 'SongnganMetricsIncomplete',
    series: { 'metrics_collect_errors_total{collector="queues", instance="s1"}': '0+1x60', ...up },
    at: 20,
    labels: { instance: 's1', collector: 'queues' },
  },
]
