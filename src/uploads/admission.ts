// Admission of new uploads. Refused only if running uploads would suffer: no space, draining, a late
// event loop, an unavailable store; never because of a count. Or if an operator closed it. Running uploads are
// never refused.

import { monitorEventLoopDelay } from 'node:perf_hooks'
import { AppError } from '../core/errors.ts'
import type { Metrics } from '../core/metrics.ts'
import type { ObjectStore } from '../storage/object-store.ts'
import { Space, type SpaceDeps } from './space.ts'
import { StoreWatch } from './store-watch.ts'

/** Median delay of the event loop above which new uploads are refused. */
export const LATE_LOOP_MS = 250
const SAMPLE_MS = 1000

/** An operator has closed admission. */
export type Closure = {
  /** Shown to callers. */
  reason: string
  retryAfterSeconds: number
}

type Refused = 'DRAINING' | 'OVERLOADED' | 'ADMISSION_CLOSED' | 'NO_SPACE' | 'STORE_UNAVAILABLE'

export class Admission {
  readonly #metrics: Metrics
  readonly #space: Space
  readonly #watch: StoreWatch
  readonly #delay = monitorEventLoopDelay({ resolution: 20 })
  readonly #lateLoopMs: number
  #timer: NodeJS.Timeout | undefined
  #draining = false
  #drainOrdered = false
  #closure: Closure | null = null
  #late = false

  constructor(deps: SpaceDeps & { store: ObjectStore; metrics: Metrics; lateLoopMs: number }) {
    const { store, metrics, lateLoopMs } = deps
    this.#metrics = metrics
    this.#space = new Space(deps)
    this.#watch = new StoreWatch(store, metrics)
    this.#lateLoopMs = lateLoopMs
  }

  /** From when the service listens: what blocks the loop while it starts is no surge, and refused its first creations. */
  watchLoop(): void {
    this.#delay.enable()
    this.#timer = setInterval(() => {
      // Only of the last second: a quiet night must not hide a surge.
      this.#late = this.#delay.percentile(50) / 1e6 > this.#lateLoopMs
      this.#delay.reset()
    }, SAMPLE_MS)
    this.#timer.unref()
  }

  get draining(): boolean {
    return this.#draining || this.#drainOrdered
  }

  /** Refuses everything new: the process is ending. */
  drain(): void {
    this.#draining = true
  }

  /** By an operator; null: open. */
  get closure(): Closure | null {
    return this.#closure
  }

  /** Set by an operator; null: open. */
  setClosed(closure: Closure | null): void {
    this.#closure = closure
  }

  /** Draining set by an operator; unlike `drain` it can be ended. */
  setDraining(draining: boolean): void {
    this.#drainOrdered = draining
  }

  /**
   * Throws DRAINING, ADMISSION_CLOSED, OVERLOADED, STORE_UNAVAILABLE, NO_SPACE (as 503, so that clients retry) if
   * no upload may be created.
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
    // Random, so that clients refused together do not all return at once.
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
