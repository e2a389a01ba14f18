// One timer for all slow connections of a process: each sender has a turn four times per second.

import type { ByteAllowance } from '../../lib/byte-allowance.ts'

const TURN_MS = 250
const SLOTS = 10
const TURNS_PER_SECOND = 1000 / TURN_MS

export type Turn = (nowMs: number) => void

/** Thousands of separate timers would cost more CPU than the sending itself. */
export class Pacer {
  readonly #slots: Set<Turn>[] = Array.from({ length: SLOTS }, () => new Set())
  readonly #timer: NodeJS.Timeout
  #next = 0
  /** Of all connections together; undefined: no limit. */
  readonly allowance: ByteAllowance | undefined

  constructor(allowance?: ByteAllowance) {
    this.allowance = allowance
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

  /** How many of the wanted bytes a connection may send in this turn; 0 while all have to wait. */
  allowed(wanted: number, nowMs: number): number {
    return (
      this.allowance?.take(wanted, nowMs, TURNS_PER_SECOND * this.#slots.reduce((sum, { size }) => sum + size, 0)) ??
      wanted
    )
  }

  close(): void {
    clearInterval(this.#timer)
  }
}
