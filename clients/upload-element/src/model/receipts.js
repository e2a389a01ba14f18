// Receipts: requested when somebody opens the proof of receipt; offered only if the service signs receipts.

import { Refusal } from '../api.js'
import { saveBlob } from '../save.js'

export class Receipts {
  /** Whether this service is known to sign receipts. */
  known = false
  #asked = false
  #api
  #changed

  /** @param {import('../api.js').Api} api @param {() => void} changed */
  constructor(api, changed) {
    this.#api = api
    this.#changed = changed
  }

  /** @param {string} uploadId */
  async probe(uploadId) {
    if (this.#asked) return
    this.#asked = true
    try {
      await this.#api.get(pathOf(uploadId))
      this.known = true
      this.#changed()
    } catch (error) {
      if (!(error instanceof Refusal)) throw error
      // 404: a service without receipts. Other errors may be gone at the next try.
      this.#asked = error.code === 'NOT_FOUND'
    }
  }

  /** @param {string} uploadId */
  async save(uploadId) {
    saveBlob(await this.#api.blob(pathOf(uploadId)), `receipt-${uploadId}.json`)
  }
}

/** @param {string} uploadId */
function pathOf(uploadId) {
  return `v1/uploads/${uploadId}/receipt`
}
