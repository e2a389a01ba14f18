// What the service says of itself to everybody: whether it takes new files, and when it could not be used.

/** @typedef {{status: string, reason: string | null, outages: {from: string, to: string}[]}} Told */

const EVERY_MS = 300_000
const RECENT_MS = 86_400_000

export class ServiceStatus {
  /** The last that was told. @type {Told | null} */
  told = null
  #api
  #changed
  #notBeforeMs = 0

  /** @param {import('../api.js').Api} api @param {() => void} changed */
  constructor(api, changed) {
    this.#api = api
    this.#changed = changed
  }

  /** Asks, every five minutes at most: many pages are open at once. */
  async refresh() {
    if (performance.now() < this.#notBeforeMs) return
    this.#notBeforeMs = performance.now() + EVERY_MS
    try {
      this.told = await this.#api.get('v1/status')
    } catch {
      return // the page itself says that nobody answers
    }
    this.#changed()
  }

  /** The latest outage that ended in the last day. */
  get outage() {
    return this.told?.outages.find(({ to }) => Date.parse(to) > this.#api.now() - RECENT_MS) ?? null
  }
}
