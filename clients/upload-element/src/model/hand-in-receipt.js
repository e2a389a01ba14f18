// The receipt of the whole hand-in: a link to its print view, ready before it is clicked (browsers open no window later), and
// its file.

import { Refusal } from '../api.js'
import { saveBlob } from '../save.js'

const MARGIN_MS = 10 * 60_000
const AFTER_TROUBLE_MS = 10_000

export class HandInReceipt {
  #api
  #path
  #name
  #changed
  /** @type {{revision: number, url: string, untilMs: number} | null} */
  #link = null
  #askAgainMs = 0

  /** @param {import('../api.js').Api} api @param {string} submission @param {() => void} changed */
  constructor(api, submission, changed) {
    this.#api = api
    this.#path = `v1/submissions/${encodeURIComponent(submission)}/receipt`
    this.#name = `receipt-${submission}.json`
    this.#changed = changed
  }

  /** The address of the print view; null while it is not known. @param {number} revision */
  print(revision) {
    const link = this.#link?.revision === revision ? this.#link : null
    if (link !== null && Date.now() < link.untilMs) return link.url
    if (Date.now() >= this.#askAgainMs) {
      this.#askAgainMs = Date.now() + AFTER_TROUBLE_MS
      void this.#ask(revision)
    }
    return link?.url ?? null
  }

  async save() {
    saveBlob(await this.#api.blob(this.#path), this.#name)
  }

  /** @param {number} revision */
  async #ask(revision) {
    try {
      const { url, expiresAt } = await this.#api.post(`${this.#path}/links`, { revision })
      this.#link = { revision, url, untilMs: Date.parse(expiresAt) - MARGIN_MS }
      this.#changed()
    } catch (error) {
      if (!(error instanceof Refusal)) throw error
      // 404: a service without such receipts. Other errors may be gone at the next try.
      if (error.code === 'NOT_FOUND') this.#askAgainMs = Number.POSITIVE_INFINITY
    }
  }
}
