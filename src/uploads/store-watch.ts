// Whether the object store is available, cached: checked every second or two while
// there are creations, and at once after an error.

import type { Metrics } from '../core/metrics.ts'
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
    return this.#up ? await within(WAIT_MS, this.#checking) : await this.#checking
  }

  async #check(): Promise<boolean> {
    let timer: NodeJS.Timeout | undefined
    const late = new Promise<boolean>((resolve) => {
      timer = setTimeout(() => resolve(false), LATE_MS)
    })
    const answered = this.#store.head(PROBE_KEY).then(
      () => true,
      () => false,
    )
    this.#up = await Promise.race([answered, late]).finally(() => clearTimeout(timer))
    this.#checkedAtMs = performance.now()
    this.#metrics.objectStoreUp.set(this.#up ? 1 : 0)
    return this.#up
  }
}

/** The result of a check, or true if it takes longer: the last check was good. */
async function within(ms: number, look: Promise<boolean>): Promise<boolean> {
  let timer: NodeJS.Timeout | undefined
  const waited = new Promise<boolean>((resolve) => {
    timer = setTimeout(() => resolve(true), ms)
  })
  return await Promise.race([look, waited]).finally(() => clearTimeout(timer))
}
