// Shares a lane's concurrency: a party that has its share of running jobs lets others run first.

import { JobReleased } from './job-released.ts'

/** Minimum pause of a released job before it is tried again. */
const STAND_BACK_MS = 1000
/** Released jobs of one party are tried again one after the other, so that a thousand of them do not keep the lane busy. */
const APART_MS = 100

/** Jobs of one party that run at the same time in this process. */
export class FairShare {
  readonly #atATime: () => number
  readonly #running = new Map<string, number>()
  /** When the last released job of a party is tried again, by `performance.now()`. */
  readonly #lastAskMs = new Map<string, number>()

  /** @param atATime maximum of running jobs per party; read each time, because operators change the concurrency */
  constructor(atATime: () => number) {
    this.#atATime = atATime
  }

  /** Runs `work` for `party`. Throws JobReleased before it starts if the party has its share already. */
  async run<T>(party: string, work: () => Promise<T>): Promise<T> {
    const running = this.#running.get(party) ?? 0
    if (running >= Math.max(1, this.#atATime())) throw new JobReleased(this.#pauseOf(party))
    this.#running.set(party, running + 1)
    try {
      return await work()
    } finally {
      const left = (this.#running.get(party) ?? 1) - 1
      if (left > 0) this.#running.set(party, left)
      else {
        this.#running.delete(party)
        this.#lastAskMs.delete(party)
      }
    }
  }

  #pauseOf(party: string): number {
    const nowMs = performance.now()
    const atMs = Math.max(nowMs + STAND_BACK_MS, (this.#lastAskMs.get(party) ?? 0) + APART_MS)
    this.#lastAskMs.set(party, atMs)
    return Math.ceil(atMs - nowMs)
  }
}
