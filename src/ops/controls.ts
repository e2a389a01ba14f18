// What operators may switch while everything runs: whether new uploads are taken, which lanes work and how much at a
// time, which instance lets others take what is new. It stands in Redis, so that it holds for every process and over
// restarts; who switched what stands beside it and in the log.

import type { Queue } from 'bullmq'
import { type Clock, isoTime } from '../core/clock.ts'
import type { Logger } from '../core/logger.ts'
import { type RedisConnection, viaRedis } from '../core/redis.ts'
import { LANES, type Lane } from '../jobs/contract.ts'
import { redisKeys } from '../records/keys.ts'

/** Who switched it and when. */
export type AuditEntry = { by: string; at: string }

/** New uploads are refused; `reason` is told to callers. */
export type Closure = AuditEntry & { reason: string; retryAfterSeconds: number }

export type ControlState = {
  /** Null: open. */
  admission: Closure | null
  /** Jobs at a time in each worker process; a lane that is missing has its configured number. */
  concurrency: Partial<Record<Lane, AuditEntry & { jobs: number }>>
  /** By instance: only processes that ran already when it was said are meant. */
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
    const word = `admission closed, back in ${retryAfterSeconds} s: ${reason}`
    await this.#set(by, ADMISSION, { ...closure }, word)
  }

  async openAdmission(by: string): Promise<void> {
    await this.#set(by, ADMISSION, null, 'admission open')
  }

  /** Running jobs end; waiting ones wait, over restarts too. */
  async pauseLane(by: string, lane: Lane): Promise<void> {
    // BullMQ's own switch, so that its dashboard shows and turns the same one.
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

  /** @param jobs at a time in each worker process; null: as configured */
  async setConcurrency(by: string, lane: Lane, jobs: number | null): Promise<void> {
    const word = `lane ${lane}: ${jobs ?? 'the configured number of'} jobs at a time`
    await this.#set(by, CONCURRENCY + lane, jobs === null ? null : { jobs }, word)
  }

  /** The processes of this instance take nothing new until they are started again or it is taken back. */
  async drain(by: string, instance: string): Promise<void> {
    await this.#set(by, DRAIN + instance, {}, `${instance} drains`)
  }

  async endDrain(by: string, instance: string): Promise<void> {
    await this.#set(by, DRAIN + instance, null, `${instance} drains no more`)
  }

  /** Who switched what, newest first. */
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

  /** Said after it was done: what is written here has happened. */
  async #note(by: string, what: string): Promise<void> {
    const { redis, clock, logger } = this.#deps
    logger.warn({ operator: by, what }, 'an operator switched something')
    const entry: ControlEntry = { by, at: isoTime(clock.now()), what }
    const log = redis.multi().lpush(redisKeys.controlLog, JSON.stringify(entry))
    await viaRedis(log.ltrim(redisKeys.controlLog, 0, LOG_ENTRIES - 1).exec())
  }
}

/** Reads the Redis hash; what a newer version wrote and this one does not know is left out. */
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
