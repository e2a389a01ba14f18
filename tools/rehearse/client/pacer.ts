// One timer for all slow connections of a process: each sender has a turn four times per second.

const TURN_MS = 250
const SLOTS = 10

export type Turn = (nowMs: number) => void

/** Thousands of separate timers would cost more CPU than the sending itself. */
export class Pacer {
  readonly #slots: Set<Turn>[] = Array.from({ length: SLOTS }, () => new Set())
  readonly #timer: NodeJS.Timeout
  #next = 0

  constructor() {
    let slot = 0
    this.#timer = setInterval(() => {
      const now = performance.now()
      for (const turn of this.#slots[slot] ?? []) turn(now)
      slot = (slot + 1) % SLOTS
    }, TURN_MS / SLOTS)
  }

  /** Returns a function that ends the turns. */
  add(turn: Turn): () => void {
    const slot = this.#slots[this.#next]
    this.#next = (this.#next + 1) % SLOTS
    slot?.add(turn)
    return () => void slot?.delete(turn)
  }

  close(): void {
    clearInterval(this.#timer)
  }
}
