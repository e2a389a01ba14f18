// Whether the object store is available, cached: checked every second or two while
// there are creations, and at once after an error.

import type { Metrics } from '../core/metrics.ts'
import { withTimeout } from '../core/with-timeout.ts'
import type { ObjectStore } from '../storage/object-store.ts'

const FRESH_MS = 1000
const LATE_MS = 3000
/** Maximum wait for a check, so that a slow store does not slow down creations. */
const WAIT_MS = 250
const PROBE_KEY = 'probe/reachable'

export class StoreWatch {
  readonly #store: Pick<ObjectStore, 'kind' | 'head'>
  readonly #metrics: Pick<Metrics, 'objectStoreUp'>
  #checkedAtMs = -FRESH_MS
  #checking: Promise<boolean> | undefined
  #up = true

  constructor(store: Pick<ObjectStore, 'kind' | 'head'>, metrics: Pick<Metrics, 'objectStoreUp'>) {
    this.#store = store
    this.#metrics = metrics
  }

  /**
   * True until a check fails. A local directory is not checked: its writes fail themselves.
   */
  async reachable(): Promise<boolean> {
    if (this.#store.kind === 'local') return true
    // A failure is never cached: it is checked again, once for all waiting creations.
    if (this.#up && performance.now() - this.#checkedAtMs < FRESH_MS) return true
    this.#checking ??= this.#check().finally(() => {
      this.#checking = undefined
    })
    // A slow check: the last one was good.
    return this.#up ? await withTimeout(this.#checking, WAIT_MS, () => true) : await this.#checking
  }

  async #check(): Promise<boolean> {
    const answered = this.#store.head(PROBE_KEY).then(
      () => true,
      () => false,
    )
    this.#up = await withTimeout(answered, LATE_MS, () => false)
    this.#checkedAtMs = performance.now()
    this.#metrics.objectStoreUp.set(this.#up ? 1 : 0)
    return this.#up
  }
}
