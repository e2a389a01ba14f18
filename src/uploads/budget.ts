// The memory budget for received bytes, one per process. Slow clients use only the bytes that they have sent, not
// a slot; nobody waits for a permit while sending. Above the limit a sink spills to disk (see the sinks), and
// pauses its socket only if that is not enough.

import { type Slab, Slabs } from './slabs.ts'

/** Shows how much is in use. */
type Shown = { receiveBudget: { set(bytes: number): void } }

export class ByteBudget {
  readonly #limitBytes: number
  readonly #metrics: Shown
  readonly #waiting = new Set<() => void>()
  readonly #borrowers: (() => void)[] = []
  /** The memory of bytes that were read below node:http. */
  readonly slabs: Slabs
  #used = 0
  #lent = 0

  constructor(limitBytes: number, metrics: Shown) {
    this.#limitBytes = limitBytes
    this.#metrics = metrics
    this.slabs = new Slabs(limitBytes / 2)
  }

  get limitBytes(): number {
    return this.#limitBytes
  }

  get used(): number {
    return this.#used
  }

  /** True if the reserved bytes must be reduced. */
  get aboveLimit(): boolean {
    return this.#used > this.#limitBytes
  }

  /** True earlier: time to spill to disk. */
  get aboveSoftLimit(): boolean {
    return this.#used > this.#limitBytes / 2
  }

  reserve(bytes: number): void {
    this.#used += bytes
    this.#metrics.receiveBudget.set(this.#used)
  }

  release(bytes: number): void {
    this.#used -= bytes
    this.#metrics.receiveBudget.set(this.#used)
    if (this.aboveLimit || this.#waiting.size === 0) return
    // All are woken: each takes a chunk or two and checks again.
    const waiting = [...this.#waiting]
    this.#waiting.clear()
    for (const resume of waiting) resume()
  }

  /** The bytes of these chunks are stored or dropped: nobody uses their memory any more. */
  releaseChunks(chunks: readonly Buffer[], bytes: number): void {
    this.slabs.giveBack(chunks)
    this.release(bytes)
  }

  /** Memory to read into; undefined while slabs would take memory that other uploads need. */
  takeSlab(): Slab | undefined {
    return this.aboveSoftLimit ? undefined : this.slabs.take()
  }

  /**
   * Reserves memory for reading bytes back from disk or the store: one reservation is always granted, or
   * nothing would proceed; more while they are below a quarter of the budget. Resolves with a function that releases it.
   */
  async reserveForReadback(bytes: number): Promise<() => void> {
    while (this.#lent > 0 && this.#lent + bytes > this.#limitBytes / 4)
      await new Promise<void>((resolve) => {
        this.#borrowers.push(resolve)
      })
    this.#lent += bytes
    this.reserve(bytes)
    let open = true
    return () => {
      if (!open) return
      open = false
      this.#lent -= bytes
      this.release(bytes)
      for (const look of this.#borrowers.splice(0)) look()
    }
  }

  /** Calls `resume` once when there is room. */
  whenRoom(resume: () => void): void {
    this.#waiting.add(resume)
  }

  forget(resume: () => void): void {
    this.#waiting.delete(resume)
  }
}
