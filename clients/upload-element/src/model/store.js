// The state of the page: the last submission document with all uploads, and the progress events since.

/** @typedef {import('../../../../src/submissions/document/schemas.ts').SubmissionDocument} SubmissionDocument */
/** @typedef {import('../../../../src/api/listed-upload.ts').ListedUpload} ListedUpload */
/** @typedef {SubmissionDocument & {uploads: ListedUpload[]}} Submission */
/**
 * @typedef {object} Heard
 * @property {number} [receivedBytes] of an upload, as the service reports it
 * @property {ListedUpload['progress'] | null} progress of a worker
 * @property {number} atMs when `receivedBytes` last increased
 */
/** `trouble`: the document could not be loaded yet. @typedef {'loading' | 'ready' | 'trouble' | 'expired' | 'noAccess' | 'gone'} Stage */

import { Refusal } from '../api.js'
import { readProfile } from './profile.js'

/** Several events within this time cause one request. */
const SETTLE_MS = 150

export class Store {
  /** @type {Stage} */
  stage = 'loading'
  /** @type {Submission | null} */
  submission = null
  /** @type {import('./profile.js').Profile | null} */
  profile = null
  /** @type {Map<string, Heard>} */
  heard = new Map()
  #api
  #path
  #changed
  /** @type {Promise<void> | null} */
  #loading = null
  #again = false

  /** @param {import('../api.js').Api} api @param {string} id @param {() => void} changed */
  constructor(api, id, changed) {
    this.#api = api
    this.#path = `v1/submissions/${encodeURIComponent(id)}`
    this.#changed = changed
  }

  /** @param {string} id */
  upload(id) {
    return this.submission?.uploads.find((upload) => upload.id === id)
  }

  /** With another session. */
  reopen() {
    this.stage = this.submission === null ? 'loading' : 'ready'
  }

  /** Loads the document. Concurrent calls share one request; a call during the response causes one more. */
  refresh() {
    if (this.#loading !== null) {
      this.#again = true
      return this.#loading
    }
    this.#loading = this.#load().finally(() => {
      this.#loading = null
      if (!this.#again) return
      this.#again = false
      setTimeout(() => void this.refresh(), SETTLE_MS)
    })
    return this.#loading
  }

  async #load() {
    try {
      const submission = await this.#expanded()
      if (this.profile === null || this.submission?.profile !== submission.profile)
        this.profile = readProfile(await this.#api.get(`v1/profiles/${encodeURIComponent(submission.profile)}`))
      this.submission = submission
      this.stage = 'ready'
    } catch (error) {
      this.#refused(error)
    }
    this.#changed()
  }

  /** The submission with all its uploads, however many answers they take. @returns {Promise<Submission>} */
  async #expanded() {
    const submission = await this.#api.get(`${this.#path}?expand=uploads`)
    let cursor = submission.uploadsCursor ?? null
    while (cursor !== null) {
      const page = await this.#api.get(`${this.#path}/uploads?cursor=${encodeURIComponent(cursor)}`)
      submission.uploads.push(...page.items)
      cursor = page.nextCursor
    }
    return submission
  }

  /** @param {unknown} error */
  #refused(error) {
    if (!(error instanceof Refusal)) throw error
    if (error.status === 401) this.stage = 'expired'
    else if (error.status === 403) this.stage = 'noAccess'
    else if (error.status === 404 || error.status === 410) this.stage = 'gone'
    // The last document stays valid.
    else if (this.submission === null) this.stage = 'trouble'
  }

  /** @param {SubmissionDocument} document the response of a call that changed it */
  accept(document) {
    if (this.submission !== null) this.submission = { ...document, uploads: this.submission.uploads }
    this.#changed()
  }

  /** @param {{uploadId: string, receivedBytes?: number, progress: Heard['progress']}} news */
  hear({ uploadId, receivedBytes, progress }) {
    const before = this.heard.get(uploadId)
    const rose = receivedBytes !== undefined && receivedBytes > (before?.receivedBytes ?? 0)
    const first = before === undefined
    this.heard.set(uploadId, {
      ...(receivedBytes === undefined ? {} : { receivedBytes }),
      progress,
      // The first event tells the position, not that bytes are moving.
      atMs: rose && !first ? performance.now() : (before?.atMs ?? Number.NEGATIVE_INFINITY),
    })
    this.#changed()
  }
}
