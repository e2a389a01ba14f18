// The controller of the check page: what was shown to it, what the service said of it, and files that are compared with it.

import { problemIn, Refusal } from '../../../../clients/upload-element/src/api.js'
import { sha256OfFile } from '../../../../clients/upload-element/src/checking/sha256.js'
import { rememberLanguage } from '../chrome/language.js'
import { serviceHere } from '../chrome/service.js'
import { CheckWords } from './check-words.js'
import { MAX_RECEIPT_BYTES, receiptIn } from './held.js'

const TIMEOUT_MS = 40_000

/**
 * @typedef {{slot: string, upload: string, filename?: string | null, bytes: number, sha256: string | null,
 *   storedAt: string | null, late: boolean, repaired: boolean}} HandedFile
 * @typedef {Record<string, any> & {kind: string, portal: string, submission: string | null}} Claims
 * @typedef {{code: string, claims: Claims, key: {withdrawnFrom: string | null},
 *   current?: {state: string, revision: number | null}, labels: Record<string, {th: string, en: string}>}} Checked
 * @typedef {{name: string, percent: number, result: 'reading' | 'same' | 'other' | 'unknown' | 'unreadable',
 *   match?: HandedFile}} Comparison
 */

export class CheckPage {
  /** @type {'idle' | 'asking' | 'done'} */
  stage = 'idle'
  /** @type {Checked | null} */
  checked = null
  /** Why it is not valid, or could not be checked. @type {Refusal | null} */
  refusal = null
  /** What was shown is no receipt. */
  noReceipt = false
  /** @type {Comparison[]} */
  comparisons = []
  /** Of the answer that is waited for: an earlier one is not shown after it. */
  #asked = 0
  #draw

  /**
   * @param {(page: CheckPage) => void} draw @param {CheckWords} words
   * @param {import('../../../../clients/upload-element/src/view/announcer.js').Announcer} announcer
   */
  constructor(draw, words, announcer) {
    this.#draw = draw
    this.words = words
    this.announcer = announcer
    this.switchLanguage = () => {
      this.words = new CheckWords(this.words.language === 'th' ? 'en' : 'th')
      rememberLanguage(this.words.language)
      this.changed()
    }
  }

  changed() {
    document.documentElement.lang = this.words.language
    document.title = this.words.t.verify.title
    this.#draw(this)
  }

  /** The files of the receipt. @returns {HandedFile[]} */
  get files() {
    const { claims } = this.checked ?? {}
    if (claims === undefined || claims.kind === 'attempt') return []
    return claims.kind === 'submission' ? claims['uploads'] : [/** @type {any} */ (claims)]
  }

  /** @param {string} id */
  checkId(id) {
    return this.#ask({ id })
  }

  /** @param {string} text */
  async checkText(text) {
    const body = receiptIn(text)
    if (body !== null) return await this.#ask(body)
    this.#forget()
    this.noReceipt = true
    this.#finish()
  }

  /** Receipts are checked; other files are compared with the receipt that is shown. @param {File[]} files */
  async take(files) {
    for (const file of files) {
      const body = file.size <= MAX_RECEIPT_BYTES ? receiptIn(await textOf(file)) : null
      if (body !== null) await this.#ask(body)
      else if (this.files.length > 0) await this.#compare(file)
      else await this.checkText('')
    }
  }

  /** @param {object} body */
  async #ask(body) {
    this.#forget()
    this.stage = 'asking'
    const turn = ++this.#asked
    this.changed()
    try {
      const checked = await verify(body)
      if (turn === this.#asked) this.checked = checked
    } catch (error) {
      if (!(error instanceof Refusal)) throw error
      if (turn === this.#asked) this.refusal = error
    }
    if (turn === this.#asked) this.#finish()
  }

  #forget() {
    this.checked = null
    this.refusal = null
    this.noReceipt = false
    this.comparisons = []
  }

  #finish() {
    this.stage = 'done'
    this.changed()
    document.getElementById('result')?.focus()
  }

  /** @param {File} file */
  async #compare(file) {
    /** @type {Comparison} */
    const comparison = { name: file.name, percent: 0, result: 'reading' }
    const files = this.files
    this.comparisons = [...this.comparisons, comparison]
    this.changed()
    try {
      const sum = await sha256OfFile(file, (bytes) => {
        const percent = Math.floor((bytes / file.size) * 100)
        if (percent === comparison.percent) return
        comparison.percent = percent
        this.changed()
      })
      const match = files.find(({ sha256 }) => sha256 === sum)
      const isPending = files.some(({ sha256, bytes }) => sha256 === null && bytes === file.size)
      comparison.result = match !== undefined ? 'same' : isPending ? 'unknown' : 'other'
      if (match !== undefined) comparison.match = match
    } catch (error) {
      console.warn(error)
      comparison.result = 'unreadable'
    }
    this.changed()
    this.announcer.say(`${file.name}: ${this.words.t.verify.compared[comparison.result]}`)
  }
}

/** @param {Blob} file */
async function textOf(file) {
  return await file.text().catch(() => '') // unreadable: then it is no receipt
}

/** @param {object} body @returns {Promise<Checked>} */
async function verify(body) {
  const response = await fetch(new URL('v1/receipts/verify', serviceHere()), {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(body),
    signal: AbortSignal.timeout?.(TIMEOUT_MS) ?? null,
  }).catch((/** @type {unknown} */ cause) => {
    throw new Refusal(0, { cause })
  })
  const text = await response.text().catch(() => '')
  if (!response.ok) throw new Refusal(response.status, problemIn(text))
  return JSON.parse(text)
}
