// What a process can tell within a second while Redis is away or hangs: whether Redis and the store answer, its own disk,
// and the alerts that fire.

import type { Config } from '../core/config.ts'
import type { RedisConnection } from '../core/redis.ts'
import type { ObjectStore } from '../storage/object-store.ts'
import { type CheckResult, checkRedis, checkStore, freeBytesOf } from './checks.ts'
import { type Alerts, firingAlerts } from './firing-alerts.ts'

/** Longer than any command of a Redis that is well takes. */
const REDIS_MS = 1000

export type Pulse = {
  redis: CheckResult
  store: CheckResult & { kind: string }
  /** Of this process; null: it does not tell. */
  freeBytes: number | null
  alerts: Alerts
}

export type PulseDeps = {
  config: Pick<Config, 'ops' | 'storage'>
  redis: RedisConnection
  store: Pick<ObjectStore, 'kind' | 'head'>
}

/** Never rejects. */
export async function takePulse({ config, redis, store }: PulseDeps): Promise<Pulse> {
  const [redisLook, storeLook, freeBytes, alerts] = await Promise.all([
    checkRedis(redis, REDIS_MS),
    checkStore(store),
    // Shown as not known; a store on this disk is reported by checkStore.
    freeBytesOf(config.storage.dataDir).catch(() => null),
    firingAlerts(config.ops.prometheusUrl),
  ])
  return { redis: redisLook, store: { kind: store.kind, ...storeLook }, freeBytes, alerts }
}
