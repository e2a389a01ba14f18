// Memory for bytes on their way to the store: one account per process. Slow clients cost the bytes they have sent, not
// a slot; nobody waits for a permit while sending. Who finds the account overdrawn relieves itself (see the sinks), and
// only when that is not enough pauses its socket.

import type { Metrics } from '../core/metrics.ts'

export class ByteBudget {
  readonly #limitBytes: number
  readonly #metrics: Pick<Metrics, 'receiveBudget'>
  readonly #waiting = new Set<() => void>()
  readonly #borrowers: (() => void)[] = []
  #used = 0
  #lent = 0

  constructor(limitBytes: number, metrics: Pick<Metrics, 'receiveBudget'>) {
    this.#limitBytes = limitBytes
    this.#metrics = metrics
  }

  get limitBytes(): number {
    return this.#limitBytes
  }

  get used(): number {
    return this.#used
  }

  /** True when what is held should become less. */
  get aboveLimit(): boolean {
    return this.#used > this.#limitBytes
  }

  /** True well before that: time to let go of what can wait on disk. */
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
    // Everybody is woken: each takes a chunk or two and looks again, which is fair enough and needs no order.
    const waiting = [...this.#waiting]
    this.#waiting.clear()
    for (const resume of waiting) resume()
  }

  /**
   * Lets bytes that lie on disk or in the store come back into memory on their way to the store: one loan always, or
   * nobody would get on; more while all loans together are a quarter of the account. Resolves with what pays it back.
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

  /** Calls `resume` once there is room again. */
  whenRoom(resume: () => void): void {
    this.#waiting.add(resume)
  }

  forget(resume: () => void): void {
    this.#waiting.delete(resume)
  }
}
