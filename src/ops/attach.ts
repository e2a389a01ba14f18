// What every process does for operators: it sends heartbeats and applies the control settings.

import type { Queue } from 'bullmq'
import type { SecurityLog } from '../audit/security-log.ts'
import type { Clock } from '../core/clock.ts'
import type { Config } from '../core/config.ts'
import type { Logger } from '../core/logger.ts'
import type { Metrics } from '../core/metrics.ts'
import type { RedisConnection } from '../core/redis.ts'
import type { RedisWatch } from '../core/redis-watch.ts'
import type { Lane } from '../jobs/contract.ts'
import { freeBytesOf } from './checks.ts'
import { type ControlSettings, instanceName, watchControls } from './control-watch.ts'
import { Controls } from './controls.ts'
import { type ProcessRole, type ReportedState, startHeartbeat } from './heartbeat.ts'

export type AttachDeps = {
  config: Pick<Config, 'ops' | 'storage'>
  redis: { producer: RedisConnection }
  redisWatch: Pick<RedisWatch, 'skewMs'>
  queues: { byLane: Record<Lane, Queue> }
  securityLog: SecurityLog
  metrics: Metrics
  clock: Clock
  logger: Logger
}

export type Attached = {
  /** Set by an operator. */
  readonly draining: boolean
  stop(): Promise<void>
}

/**
 * Starts both; the control settings are applied when it resolves.
 *
 * @param apply applies the settings; called only after a change
 * @param lanes of a worker: current concurrency
 */
export async function attach(
  deps: AttachDeps,
  role: ProcessRole,
  apply: (settings: ControlSettings) => Promise<void> | void,
  lanes?: () => Partial<Record<Lane, number>>,
): Promise<Attached> {
  const { config, clock, logger, metrics, queues, redisWatch, securityLog } = deps
  const redis = deps.redis.producer
  const instance = instanceName(config.ops)
  let draining = false
  const endWatch = await watchControls({
    controls: new Controls({ redis, queues, clock, securityLog }),
    clock,
    logger,
    instance,
    async apply(settings) {
      draining = settings.draining
      await apply(settings)
    },
  })
  const state = async (): Promise<ReportedState> => {
    const freeBytes = await freeBytesOf(config.storage.dataDir).catch((err: unknown) => {
      logger.warn({ err }, 'the disk does not tell its free space')
      return undefined
    })
    return {
      draining,
      ...(lanes === undefined ? {} : { lanes: lanes() }),
      ...(freeBytes === undefined ? {} : { freeBytes }),
    }
  }
  const endPulse = startHeartbeat({ redis, redisWatch, metrics, clock, logger, role, instance, state })
  return {
    get draining() {
      return draining
    },
    async stop() {
      endWatch()
      await endPulse()
    },
  }
}
