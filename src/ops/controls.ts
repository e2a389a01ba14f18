// The control settings that operators change at run time: admission of new uploads, paused lanes, concurrency,
// draining instances. They are in Redis, so they apply to every process and survive
// restarts. Changes are recorded in an audit list in Redis and in the log.

import type { Queue } from 'bullmq'
import { type Clock, isoTime } from '../core/clock.ts'
import type { Logger } from '../core/logger.ts'
import { type RedisConnection, viaRedis } from '../core/redis.ts'
import { LANES, type Lane } from '../jobs/contract.ts'
import { redisKeys } from '../records/keys.ts'

/** Who changed it and when. */
export type AuditEntry = { by: string; at: string }

/** New uploads are refused; callers see `reason`. */
export type Closure = AuditEntry & { reason: string; retryAfterSeconds: number }

export type ControlState = {
  /** Null: open. */
  admission: Closure | null
  /** Concurrency of each worker process; missing lanes use the configured one. */
  concurrency: Partial<Record<Lane, AuditEntry & { jobs: number }>>
  /** By instance; applies only to processes that were started before it was set. */
  drains: Record<string, AuditEntry>
}

export type ControlEntry = AuditEntry & { what: string }

export const DEFAULT_RETRY_SECONDS = 60
export const MAX_RETRY_SECONDS = 3600
export const MAX_CONCURRENCY = 256
const LOG_ENTRIES = 200

const ADMISSION = 'admission'
const CONCURRENCY = 'concurrency:'
const DRAIN = 'drain:'

export type ControlDeps = {
  redis: RedisConnection
  queues: { byLane: Record<Lane, Queue> }
  clock: Clock
  logger: Logger
}

export class Controls {
  readonly #deps: ControlDeps

  constructor(deps: ControlDeps) {
    this.#deps = deps
  }

  async read(): Promise<ControlState> {
    return decodeControls(await viaRedis(this.#deps.redis.hgetall(redisKeys.controls)))
  }

  async closeAdmission(by: string, closure: { reason: string; retryAfterSeconds: number }): Promise<void> {
    const { reason, retryAfterSeconds } = closure
    const word = `admission closed, Retry-After ${retryAfterSeconds} s: ${reason}`
    await this.#set(by, ADMISSION, { ...closure }, word)
  }

  async openAdmission(by: string): Promise<void> {
    await this.#set(by, ADMISSION, null, 'admission open')
  }

  /** Running jobs are finished; waiting ones wait, also over restarts. */
  async pauseLane(by: string, lane: Lane): Promise<void> {
    // BullMQ's own pause, so that its dashboard shows and changes the same setting.
    await viaRedis(this.#deps.queues.byLane[lane].pause())
    await this.#note(by, `lane ${lane} paused`)
  }

  async resumeLane(by: string, lane: Lane): Promise<void> {
    await viaRedis(this.#deps.queues.byLane[lane].resume())
    await this.#note(by, `lane ${lane} resumed`)
  }

  async pausedLanes(): Promise<Lane[]> {
    const paused = await viaRedis(Promise.all(LANES.map((lane) => this.#deps.queues.byLane[lane].isPaused())))
    return LANES.filter((_, i) => paused[i])
  }

  /** @param jobs concurrency of each worker process; null: as configured */
  async setConcurrency(by: string, lane: Lane, jobs: number | null): Promise<void> {
    const word = `lane ${lane}: concurrency ${jobs ?? 'as configured'}`
    await this.#set(by, CONCURRENCY + lane, jobs === null ? null : { jobs }, word)
  }

  /** The processes of this instance accept nothing new until they are restarted or undrained. */
  async drain(by: string, instance: string): Promise<void> {
    await this.#set(by, DRAIN + instance, {}, `${instance}: draining`)
  }

  async endDrain(by: string, instance: string): Promise<void> {
    await this.#set(by, DRAIN + instance, null, `${instance}: draining ended`)
  }

  /** The audit entries, newest first. */
  async log(limit = LOG_ENTRIES): Promise<ControlEntry[]> {
    const lines = await viaRedis(this.#deps.redis.lrange(redisKeys.controlLog, 0, limit - 1))
    return lines.map((line) => JSON.parse(line) as ControlEntry)
  }

  async #set(by: string, field: string, value: object | null, what: string): Promise<void> {
    const { redis, clock } = this.#deps
    const word = { ...value, by, at: isoTime(clock.now()) }
    await viaRedis(
      value === null
        ? redis.hdel(redisKeys.controls, field)
        : redis.hset(redisKeys.controls, field, JSON.stringify(word)),
    )
    await this.#note(by, what)
  }

  /** Writes an audit entry after the change. */
  async #note(by: string, what: string): Promise<void> {
    const { redis, clock, logger } = this.#deps
    logger.warn({ operator: by, what }, 'control setting changed by an operator')
    const entry: ControlEntry = { by, at: isoTime(clock.now()), what }
    const log = redis.multi().lpush(redisKeys.controlLog, JSON.stringify(entry))
    await viaRedis(log.ltrim(redisKeys.controlLog, 0, LOG_ENTRIES - 1).exec())
  }
}

/** Decodes the Redis hash; unknown fields of newer versions are ignored. @internal */
export function decodeControls(fields: Record<string, string>): ControlState {
  const state: ControlState = { admission: null, concurrency: {}, drains: {} }
  for (const [field, json] of Object.entries(fields)) {
    if (field === ADMISSION) state.admission = JSON.parse(json) as Closure
    else if (field.startsWith(DRAIN)) state.drains[field.slice(DRAIN.length)] = JSON.parse(json) as AuditEntry
    else if (field.startsWith(CONCURRENCY)) {
      const lane = LANES.find((one) => field === CONCURRENCY + one)
      if (lane !== undefined) state.concurrency[lane] = JSON.parse(json) as AuditEntry & { jobs: number }
    }
  }
  return state
}
