// One clock for all slow lines of a process: each of its senders has a turn four times a second.

const TURN_MS = 250
const SLOTS = 10

export type Turn = (nowMs: number) => void

/** Thousands of timers would cost more than what they send. */
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

  /** Returns what ends the turns. */
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
