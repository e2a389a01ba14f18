// Dependencies of the operations listener, which the service and each worker have.

import type { CredentialGuard } from '../audit/credential-guard.ts'
import type { SecurityLog } from '../audit/security-log.ts'
import type { Clock } from '../core/clock.ts'
import type { Config } from '../core/config.ts'
import type { Logger } from '../core/logger.ts'
import type { Metrics, MetricsSnapshot } from '../core/metrics.ts'
import type { RedisConnection } from '../core/redis.ts'
import type { RedisWatch } from '../core/redis-watch.ts'
import type { Queues } from '../jobs/queues.ts'
import type { ObjectStore } from '../storage/object-store.ts'
import type { Found } from './find/find-index.ts'
import type { Group, Standing } from './find/standings.ts'

/** What this process alone knows of itself. */
export type ProcessState = {
  readonly started: boolean
  readonly draining: boolean
  /** Worker: what it has too little of, and which lanes take no jobs for it. */
  readonly shortOf?: string
}

/** Data for the support look-up of the console. */
export type SupportLookup = {
  /** A summary for the result list; undefined: deleted. */
  summary: (found: Found) => Promise<object | undefined>
  /** The support record; undefined: there is no such submission. */
  file: (found: Found) => Promise<object | undefined>
  /** How a submission stands now, and the slots that lack a file; null: it is in no group. */
  standing: (found: Found) => Promise<(Group & { standing: Standing; missing: string[] }) | null>
  /** The submission of an upload; undefined: no such upload, or it has no submission. */
  ofUpload: (uploadId: string) => Promise<Found | undefined>
}

export type OpsDeps = {
  config: Pick<
    Config,
    'ops' | 'http' | 'storage' | 'clockSkewLimitMs' | 'wrongCredentialsPerMinute' | 'retention' | 'tickets' | 'loadTest'
  >
  logger: Logger
  clock: Clock
  metrics: Metrics
  redis: RedisConnection
  redisWatch: Pick<RedisWatch, 'skewMs' | 'refusal'>
  store: Pick<ObjectStore, 'kind' | 'head' | 'freeBytes' | 'list' | 'listMultipartUploads'>
  queues: Pick<Queues, 'byLane'>
  securityLog: SecurityLog
  credentialGuard: CredentialGuard
  state: ProcessState
  /** Metrics snapshots of the other processes behind the same port, which have no operations listener. */
  siblings?: () => Promise<MetricsSnapshot[]>
  /** Isolation of media tools in this process, and what was proven at start; absent if it runs none. */
  mediaTools?: { isolation: string; proven: readonly string[] }
  /** What this service signs with; absent in a worker, which signs nothing. */
  signing?: () => Promise<object>
  /** Absent: the console has no support look-up. */
  support?: SupportLookup
}
