// Keeps many concurrent callers within a number of calls a second.

import { setTimeout } from 'node:timers/promises'

/** So far the calls may run behind before they are made up for in a row. */
const BEHIND_MS = 100

export class Pacer {
  readonly #everyMs: number
  #nextMs = 0

  /** @param perSecond calls */
  constructor(perSecond: number) {
    this.#everyMs = 1000 / perSecond
  }

  /** Resolves when the caller may make `calls` calls. */
  async turn(calls = 1): Promise<void> {
    const nowMs = performance.now()
    this.#nextMs = Math.max(this.#nextMs, nowMs - BEHIND_MS) + calls * this.#everyMs
    const waitMs = this.#nextMs - nowMs
    if (waitMs >= 1) await setTimeout(waitMs)
  }
}
