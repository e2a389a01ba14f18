// What the fleet can do now, as this process sees it: for everybody who asks whether it is their own line.

import type { SecurityLog } from './audit/security-log.ts'
import type { Clock } from './core/clock.ts'
import type { RedisConnection } from './core/redis.ts'
import type { Affected } from './evidence/outages/fleet-outages.ts'
import type { Queues } from './jobs/queues.ts'
import { checkRedis, checkStore } from './ops/checks.ts'
import { Controls } from './ops/controls.ts'
import type { ObjectStore } from './storage/object-store.ts'
import type { Admission } from './uploads/admission.ts'

/** Asked at most so often, whoever asks. */
const FRESH_MS = 5000
const REDIS_MS = 1000

export type PresentState = {
  /** Null: everything works. */
  affected: Affected | null
  /** Of an operator who closed new uploads. */
  reason: string | null
}

type StateDeps = {
  admission: Pick<Admission, 'draining' | 'closure'>
  redis: { producer: RedisConnection }
  store: Pick<ObjectStore, 'head'>
  queues: Pick<Queues, 'byLane'>
  clock: Clock
  securityLog: SecurityLog
}

export class PresentStateWatch {
  readonly #deps: StateDeps
  #told: { state: Promise<PresentState>; untilMs: number } | undefined

  constructor(deps: StateDeps) {
    this.#deps = deps
  }

  /** As it was seen in the last seconds. Never rejects. */
  now(): Promise<PresentState> {
    if (this.#told === undefined || performance.now() > this.#told.untilMs)
      this.#told = { state: this.look(), untilMs: performance.now() + FRESH_MS }
    return this.#told.state
  }

  /** One look. Never rejects. */
  async look(): Promise<PresentState> {
    const { admission, redis, store, ...deps } = this.#deps
    const [storeLook, redisLook] = await Promise.all([checkStore(store), checkRedis(redis.producer, REDIS_MS)])
    if (!storeLook.up) return { affected: 'store', reason: null }
    if (!redisLook.up) return { affected: 'redis', reason: null }
    const { closure } = admission
    if (closure !== null) return { affected: 'creations', reason: closure.reason }
    // One process that drains says nothing of the others.
    const controls = new Controls({ ...deps, redis: redis.producer })
    const isDrained = admission.draining && (await isEveryoneDraining(controls))
    return { affected: isDrained ? 'creations' : null, reason: null }
  }
}

/** In doubt they do not: Redis has just gone. */
async function isEveryoneDraining(controls: Controls): Promise<boolean> {
  return await controls.intake().then(
    ({ accepting }) => accepting.length === 0,
    () => false,
  )
}
