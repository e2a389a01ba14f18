// A lane's jobs at a time, shared: whoever has so many running already lets others go first.

import { JobReleased } from './job-released.ts'

/** How long a job stands back, at least, before it asks again. */
const STAND_BACK_MS = 1000
/** One party's jobs ask again one after the other: a thousand of them must not keep the lane busy with asking. */
const APART_MS = 100

/** Jobs of one party that run at the same time in this process. */
export class FairShare {
  readonly #atATime: () => number
  readonly #running = new Map<string, number>()
  /** When the last of a party's jobs that stand back asks again, on the clock of `performance`. */
  readonly #lastAskMs = new Map<string, number>()

  /** @param atATime most that one party may have running; asked anew each time, for operators change a lane's width */
  constructor(atATime: () => number) {
    this.#atATime = atATime
  }

  /** Runs `work` as `party`'s. Throws JobReleased, with nothing begun, where it has its share. */
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
