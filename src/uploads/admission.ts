// May a new upload begin now? Refused only for reasons that would make running ones suffer: no space, draining, an
// event loop that is late, an unreachable store; never for a count. And where an operator said so. Running uploads are
// never asked.

import { monitorEventLoopDelay } from 'node:perf_hooks'
import type { Clock } from '../core/clock.ts'
import { AppError } from '../core/errors.ts'
import type { Metrics } from '../core/metrics.ts'
import type { RedisConnection } from '../core/redis.ts'
import type { ObjectStore } from '../storage/object-store.ts'
import { Space } from './space.ts'
import { StoreWatch } from './store-watch.ts'

/** A loop whose median turn is later than this has no time for newcomers. */
const LATE_MS = 250
const SAMPLE_MS = 1000

/** New uploads are refused by an operator's word. */
export type Closure = {
  /** Told to callers. */
  reason: string
  retryAfterSeconds: number
}

type Refused = 'DRAINING' | 'OVERLOADED' | 'ADMISSION_CLOSED' | 'NO_SPACE' | 'STORE_UNAVAILABLE'

export class Admission {
  readonly #metrics: Metrics
  readonly #space: Space
  readonly #watch: StoreWatch
  readonly #delay = monitorEventLoopDelay({ resolution: 20 })
  readonly #timer: NodeJS.Timeout
  #draining = false
  #drainOrdered = false
  #closure: Closure | null = null
  #late = false

  constructor(deps: { store: ObjectStore; metrics: Metrics; clock: Clock; redis: RedisConnection }) {
    const { store, metrics } = deps
    this.#metrics = metrics
    this.#space = new Space(deps)
    this.#watch = new StoreWatch(store, metrics)
    this.#delay.enable()
    this.#timer = setInterval(() => {
      // Of the last second only: a quiet night must not hide a surge.
      this.#late = this.#delay.percentile(50) / 1e6 > LATE_MS
      this.#delay.reset()
    }, SAMPLE_MS)
    this.#timer.unref()
  }

  get draining(): boolean {
    return this.#draining || this.#drainOrdered
  }

  /** From now on nothing new: the process is about to end. */
  drain(): void {
    this.#draining = true
  }

  /** An operator's switch for new uploads; null: open. */
  setClosed(closure: Closure | null): void {
    this.#closure = closure
  }

  /** An operator's word that other processes take what is new; unlike `drain` it can be taken back. */
  setDraining(draining: boolean): void {
    this.#drainOrdered = draining
  }

  /**
   * Throws DRAINING, ADMISSION_CLOSED, OVERLOADED, STORE_UNAVAILABLE, NO_SPACE (as 503: the client may come back) when
   * nothing may be created.
   */
  async check(declaredBytes: number): Promise<void> {
    if (this.draining) throw this.#refusal('DRAINING', 'draining', 2)
    if (this.#closure !== null) {
      const { reason, retryAfterSeconds } = this.#closure
      throw this.#refusal('ADMISSION_CLOSED', 'closed', retryAfterSeconds, { reason })
    }
    if (this.#late) throw this.#refusal('OVERLOADED', 'event-loop', 5)
    if (!(await this.#watch.reachable())) throw this.#refusal('STORE_UNAVAILABLE', 'store', 10)
    if (!(await this.#space.promise(declaredBytes))) throw this.#refusal('NO_SPACE', 'space', 60)
  }

  #refusal(code: Refused, reason: string, seconds: number, details: Record<string, string> = {}): AppError {
    this.#metrics.admissionRejected.inc({ reason })
    // Spread the return of a crowd that was refused together.
    return new AppError(code, {
      status: 503,
      details,
      retryAfterSeconds: seconds + Math.floor(Math.random() * seconds),
    })
  }

  close(): void {
    clearInterval(this.#timer)
    this.#delay.disable()
  }
}
