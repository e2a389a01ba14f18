// The control settings that operators change at run time: admission of new uploads, paused lanes, concurrency,
// draining instances. They are in Redis, so they apply to every process and survive
// restarts. Changes are recorded in the security log.

import type { Queue } from 'bullmq'
import { type Actor, actorInWords, type SecurityEntry, type SecurityEventName } from '../audit/security-events.ts'
import type { SecurityLog } from '../audit/security-log.ts'
import { type Clock, isoTime } from '../core/clock.ts'
import { type RedisConnection, viaRedis } from '../core/redis.ts'
import { LANES, type Lane } from '../jobs/contract.ts'
import { redisKeysOf } from '../records/keys.ts'
import { readProcesses } from './heartbeat.ts'
import { type Intake, intakeOf } from './intake.ts'

/** Who changed it (actor in words) and when. */
export type Changed = { by: string; at: string }

/** New uploads are refused; callers see `reason`. */
export type Closure = Changed & { reason: string; retryAfterSeconds: number }

export type ControlState = {
  /** Null: open. */
  admission: Closure | null
  /** Concurrency of each worker process; missing lanes use the configured one. */
  concurrency: Partial<Record<Lane, Changed & { jobs: number }>>
  /** By instance; applies only to processes that were started before it was set. */
  drains: Record<string, Changed>
}

export const DEFAULT_RETRY_SECONDS = 60
export const MAX_RETRY_SECONDS = 3600
export const MAX_CONCURRENCY = 256

const ADMISSION = 'admission'
const CONCURRENCY = 'concurrency:'
const DRAIN = 'drain:'

export type ControlDeps = {
  redis: RedisConnection
  queues: { byLane: Record<Lane, Queue> }
  clock: Clock
  securityLog: SecurityLog
}

export class Controls {
  readonly #deps: ControlDeps

  constructor(deps: ControlDeps) {
    this.#deps = deps
  }

  async read(): Promise<ControlState> {
    return decodeControls(await viaRedis(this.#deps.redis.hgetall(redisKeysOf(this.#deps.redis).controls)))
  }

  async closeAdmission(actor: Actor, closure: { reason: string; retryAfterSeconds: number }): Promise<void> {
    const { reason, retryAfterSeconds } = closure
    await this.#set(actor, ADMISSION, { ...closure })
    const what = `admission closed, Retry-After ${retryAfterSeconds} s: ${reason}`
    await this.#note('admission.close', actor, null, what)
  }

  async openAdmission(actor: Actor): Promise<void> {
    await this.#set(actor, ADMISSION, null)
    await this.#note('admission.open', actor, null, 'admission open')
  }

  /** Running jobs are finished; waiting ones wait, also over restarts. */
  async pauseLane(actor: Actor, lane: Lane): Promise<void> {
    // BullMQ's own pause, so that its dashboard shows and changes the same setting.
    await viaRedis(this.#deps.queues.byLane[lane].pause())
    await this.#note('lane.pause', actor, `lane ${lane}`, `lane ${lane} paused`)
  }

  async resumeLane(actor: Actor, lane: Lane): Promise<void> {
    await viaRedis(this.#deps.queues.byLane[lane].resume())
    await this.#note('lane.resume', actor, `lane ${lane}`, `lane ${lane} resumed`)
  }

  async pausedLanes(): Promise<Lane[]> {
    const paused = await viaRedis(Promise.all(LANES.map((lane) => this.#deps.queues.byLane[lane].isPaused())))
    return LANES.filter((_, i) => paused[i])
  }

  /** @param jobs concurrency of each worker process; null: as configured */
  async setConcurrency(actor: Actor, lane: Lane, jobs: number | null): Promise<void> {
    await this.#set(actor, CONCURRENCY + lane, jobs === null ? null : { jobs })
    const what = `lane ${lane}: concurrency ${jobs ?? 'as configured'}`
    await this.#note('lane.concurrency', actor, `lane ${lane}`, what)
  }

  /**
   * The processes of this instance accept nothing new until they are restarted or undrained.
   *
   * @param options.evenLast also if no other instance accepts new uploads
   * @returns false: nothing was changed, since it is the last one
   */
  async drain(actor: Actor, instance: string, { evenLast = false } = {}): Promise<boolean> {
    const before = await this.intake()
    const matters = !evenLast && before.accepting.includes(instance)
    if (matters && before.accepting.length === 1) return false
    await this.#set(actor, DRAIN + instance, {})
    // Of two drains at the same time each would count on the other's instance: both are taken back.
    if (matters && (await this.intake()).accepting.length === 0) {
      await this.#set(actor, DRAIN + instance, null)
      return false
    }
    await this.#note('instance.drain', actor, `instance ${instance}`, `${instance}: draining`)
    return true
  }

  /** Which instances accept new uploads now, and which drain. */
  async intake(): Promise<Intake> {
    const { redis, clock } = this.#deps
    const [{ drains }, { alive }] = await Promise.all([this.read(), readProcesses(redis, clock.now())])
    return intakeOf(alive, drains)
  }

  async endDrain(actor: Actor, instance: string): Promise<void> {
    await this.#set(actor, DRAIN + instance, null)
    await this.#note('instance.undrain', actor, `instance ${instance}`, `${instance}: draining ended`)
  }

  /** The newest changes in the security log, newest first. */
  async log(limit: number): Promise<SecurityEntry[]> {
    return await this.#deps.securityLog.newest(limit, ['change'])
  }

  async #set(actor: Actor, field: string, value: object | null): Promise<void> {
    const { redis, clock } = this.#deps
    const changed = { ...value, by: actorInWords(actor), at: isoTime(clock.now()) }
    await viaRedis(
      value === null
        ? redis.hdel(redisKeysOf(this.#deps.redis).controls, field)
        : redis.hset(redisKeysOf(this.#deps.redis).controls, field, JSON.stringify(changed)),
    )
  }

  async #note(event: SecurityEventName, actor: Actor, on: string | null, what: string): Promise<void> {
    await this.#deps.securityLog.record({ event, actor, on, what })
  }
}

/** An entry of the security log as the pages show it. */
export function changeInWords({ at, by, from, what }: SecurityEntry): Changed & { what: string } {
  return { at, by: actorInWords({ by, from }), what }
}

/** Decodes the Redis hash; unknown fields of newer versions are ignored. @internal */
export function decodeControls(fields: Record<string, string>): ControlState {
  const state: ControlState = { admission: null, concurrency: {}, drains: {} }
  for (const [field, json] of Object.entries(fields)) {
    if (field === ADMISSION) state.admission = JSON.parse(json) as Closure
    else if (field.startsWith(DRAIN)) state.drains[field.slice(DRAIN.length)] = JSON.parse(json) as Changed
    else if (field.startsWith(CONCURRENCY)) {
      const lane = LANES.find((one) => field === CONCURRENCY + one)
      if (lane !== undefined) state.concurrency[lane] = JSON.parse(json) as Changed & { jobs: number }
    }
  }
  return state
}
