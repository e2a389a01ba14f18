// What the operations side is given. Every process has one: the service and each worker.

import type { Clock } from '../core/clock.ts'
import type { Config } from '../core/config.ts'
import type { Logger } from '../core/logger.ts'
import type { Metrics, MetricsSnapshot } from '../core/metrics.ts'
import type { RedisConnection } from '../core/redis.ts'
import type { RedisWatch } from '../core/redis-watch.ts'
import type { Queues } from '../jobs/queues.ts'
import type { ObjectStore } from '../storage/object-store.ts'
import type { Found } from './find/find-index.ts'

/** What this process alone knows of itself. */
export type ProcessState = {
  readonly started: boolean
  readonly draining: boolean
  /** Worker: what it has too little of, and which lanes take no jobs for it. */
  readonly shortOf?: string
}

/** What is told of a submission to whoever has its owner on the phone; read by the console, not here. */
export type Cases = {
  /** One line of a list of what was found; undefined: it is gone. */
  summary: (found: Found) => Promise<object | undefined>
  /** Everything; undefined: there is no such submission. */
  file: (found: Found) => Promise<object | undefined>
  /** The submission of an upload; undefined: there is no such upload, or it belongs to none. */
  ofUpload: (uploadId: string) => Promise<Found | undefined>
}

export type OpsDeps = {
  config: Pick<Config, 'ops' | 'http' | 'storage' | 'clockSkewLimitMs'>
  logger: Logger
  clock: Clock
  metrics: Metrics
  redis: RedisConnection
  redisWatch: Pick<RedisWatch, 'skewMs' | 'refusal'>
  store: Pick<ObjectStore, 'kind' | 'head' | 'freeBytes'>
  queues: Pick<Queues, 'byLane'>
  state: ProcessState
  /** Snapshots of the other processes behind the same port, which have no listener of their own. */
  siblings?: () => Promise<MetricsSnapshot[]>
  /** How this process fences its media tools in, and what was tried against it; absent where it runs none. */
  mediaTools?: { isolation: string; proven: readonly string[] }
  /** Absent: the console shows the day, and finds nobody. */
  cases?: Cases
}
