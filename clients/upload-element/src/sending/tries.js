// Tries that reached nobody, or were refused for a while: kept in this browser, and filed as claims when the service answers again.
// They count only where the service knows that it could not be used then.

import { Refusal } from '../api.js'

/** @typedef {{at: string, slot: string, code: string}} Try */

/** The service takes as many at a time. */
const AT_A_TIME = 50
const MAX_KEPT = 200
const AGAIN_MS = 30_000

export class Tries {
  #api
  #submission
  #filed
  /** @type {Try[]} */
  #tries
  #notBeforeMs = 0

  /**
   * @param {import('../api.js').Api} api
   * @param {string} submission
   * @param {(slots: string[]) => void} filed told of slots whose tries the service has now
   */
  constructor(api, submission, filed) {
    this.#api = api
    this.#submission = submission
    this.#filed = filed
    this.#tries = recall(this.#key)
  }

  get #key() {
    return `songngan.tries.${this.#submission}`
  }

  /** One a minute and slot: more prove no more. @param {string} slot @param {string} code what came instead of an answer */
  note(slot, code) {
    const at = new Date(this.#api.now()).toISOString()
    const minute = at.slice(0, 16)
    if (this.#tries.some((one) => one.slot === slot && one.at.startsWith(minute))) return
    this.#keep([...this.#tries, { at, slot, code }].slice(-MAX_KEPT))
  }

  /** Files what is kept. Where the service does not answer, it is kept on. */
  async file() {
    const sent = this.#tries.slice(0, AT_A_TIME)
    if (sent.length === 0 || performance.now() < this.#notBeforeMs) return
    this.#notBeforeMs = performance.now() + AGAIN_MS
    try {
      await this.#api.post(`v1/submissions/${encodeURIComponent(this.#submission)}/attempts`, { attempts: sent })
    } catch (error) {
      // An expired session is followed by another one; anything else that is final stays so.
      if (!(error instanceof Refusal) || error.passing || error.status === 401) return
    }
    this.#keep(this.#tries.filter((one) => !sent.includes(one)))
    this.#filed([...new Set(sent.map(({ slot }) => slot))])
  }

  /** @param {Try[]} tries */
  #keep(tries) {
    this.#tries = tries
    try {
      if (tries.length === 0) localStorage.removeItem(this.#key)
      else localStorage.setItem(this.#key, JSON.stringify(tries))
    } catch {
      // Storage is switched off or full: they are kept as long as the page is open.
    }
  }
}

/** @param {string} key @returns {Try[]} */
function recall(key) {
  try {
    const kept = JSON.parse(localStorage.getItem(key) ?? '[]')
    return Array.isArray(kept) ? kept : []
  } catch {
    return [] // storage is switched off, or somebody else's
  }
}
