// Whether the object store answers, known without asking it for every creation: looked at every second or two while
// somebody wants to create, and at once after trouble.

import type { Metrics } from '../core/metrics.ts'
import type { ObjectStore } from '../storage/object-store.ts'

const FRESH_MS = 1000
const LATE_MS = 3000
/** A store that is only slow must not make creations slow: longer than this nobody waits for a look at it. */
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
   * True while the store answers, and until a look at it has failed. A local directory is asked by its own writes.
   */
  async reachable(): Promise<boolean> {
    if (this.#store.kind === 'local') return true
    // Bad news is never believed twice: the crowd that was refused shares one look.
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

/** What a look says, or true when it takes longer: the store was up when it was looked at last. */
async function within(ms: number, look: Promise<boolean>): Promise<boolean> {
  let timer: NodeJS.Timeout | undefined
  const waited = new Promise<boolean>((resolve) => {
    timer = setTimeout(() => resolve(true), ms)
  })
  return await Promise.race([look, waited]).finally(() => clearTimeout(timer))
}
