// One file that this page sends. tus-js-client speaks the protocol; this class decides when to retry.
// It retries for as long as the page is open.

import { defaultOptions, Upload } from 'tus-js-client'
import { delayMs, failureOf, keepUrl } from './failure.js'
import { Speed } from './speed.js'

/**
 * preparing: the page checks the file. blocked: it found a problem and asks. different: not the file that was to be
 * continued. queued, sending, waiting (for the next try), offline, paused: active. taken: another page continues it.
 * unreadable: the browser can no longer read the file. refused: by the service. stored: all bytes are received.
 * @typedef {'preparing' | 'blocked' | 'different' | 'queued' | 'sending' | 'waiting' | 'offline' | 'paused' | 'taken'
 *   | 'unreadable' | 'refused' | 'stored'} Phase
 */
/**
 * @typedef {object} JobDeps
 * @property {(path: string) => string} addressOf an address of the service
 * @property {(job: Job) => Promise<string>} ticket
 * @property {() => void} changed
 * @property {(job: Job) => void} stored
 * @property {(job: Job) => Promise<boolean>} wasCancelled whether somebody cancelled it, here or elsewhere
 * @property {(job: Job) => void} cancelled
 * @property {(job: Job, code: string) => void} unreached a try to begin it reached nobody, or was refused for a while
 */

/**
 * Without any progress for this time the connection is dead, though the browser has not noticed. On a slow line
 * the system buffers the last megabytes, and the service saves progress once a minute.
 */
const STALL_MS = 100_000
const STALL_CHECK_MS = 5000
const MAX_RENEWALS = 3

let made = 0

export class Job {
  /** @type {Phase} */
  phase = 'preparing'
  /** @type {import('../checking/check.js').Finding | null} */
  finding = null
  /** @type {string | null} */
  fingerprint = null
  /** URL of the upload, once it has been created. @type {string | null} */
  url = null
  sentBytes = 0
  /** Time of the next try, while `waiting`. @type {number | null} */
  retryAtMs = null
  /** The text of the service, while `refused`. @type {{th: string, en: string} | null} */
  refusal = null
  speed = new Speed()
  #deps
  /** @type {any} */
  #upload = null
  /** @type {string | null} */
  #ticket = null
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  #timer
  #attempt = 0
  #renewals = 0
  #aliveAtMs = 0
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  #watchdog
  /** Counts starts and ends: results of an older run are ignored. */
  #run = 0

  /**
   * @param {File} file
   * @param {{slot: string, replaces: string | null, expected: {id: string, name: string} | null}} purpose
   * `expected`: the unfinished upload that the person wants to continue
   * @param {JobDeps} deps
   */
  constructor(file, purpose, deps) {
    this.file = file
    this.slot = purpose.slot
    this.replaces = purpose.replaces
    this.expected = purpose.expected
    this.key = `job-${++made}`
    this.#deps = deps
  }

  /** Id of the upload, once it has been created. */
  get uploadId() {
    return this.url === null ? null : (this.url.split('/').at(-1) ?? null)
  }

  /** Whether closing the page would stop something. */
  get active() {
    return ['preparing', 'queued', 'sending', 'waiting', 'offline'].includes(this.phase)
  }

  /** Whether it waits for a decision of the person. */
  get asks() {
    return ['blocked', 'different', 'refused', 'unreadable', 'paused'].includes(this.phase)
  }

  /** Remaining seconds; null if unknown. */
  get secondsLeft() {
    const speed = this.speed.bytesPerSecond
    return speed === null || speed <= 0 ? null : (this.file.size - this.sentBytes) / speed
  }

  /** @param {Phase} phase */
  become(phase) {
    this.phase = phase
    this.#deps.changed()
  }

  /** Starts or continues. */
  async start() {
    const run = this.#stop()
    this.become('sending')
    try {
      this.#ticket ??= await this.#deps.ticket(this)
    } catch (error) {
      if (run === this.#run) this.#ticketRefused(error)
      return
    }
    if (run === this.#run) this.#send()
  }

  /** @param {'paused' | 'offline' | 'queued'} phase */
  halt(phase) {
    this.#stop()
    this.become(phase)
  }

  /** Cancels. The upload, if there is one, is removed from the service. */
  async cancel() {
    this.#stop()
    if (this.url === null) return
    this.#ticket ??= await this.#deps.ticket(this)
    await terminate(this.url, this.#ticket)
  }

  /** The service reported received bytes: the connection works, whatever the browser counts. */
  heard() {
    this.#aliveAtMs = performance.now()
  }

  #send() {
    this.heard()
    this.#watchdog = setInterval(() => this.#watch(), STALL_CHECK_MS)
    this.#upload = new Upload(this.file, {
      // Given both URLs, tus-js-client creates a new upload if the old one is not found.
      ...(this.url === null ? { endpoint: this.#deps.addressOf('files') } : { uploadUrl: this.url }),
      headers: { Authorization: `Bearer ${this.#ticket}` },
      metadata: {
        filename: this.file.name,
        filetype: this.file.type,
        ...(this.fingerprint === null ? {} : { fingerprint: this.fingerprint }),
      },
      // The service's list of unfinished uploads is used instead: it is the same on every device.
      storeFingerprintForResuming: false,
      retryDelays: null,
      onAfterResponse: keepUrl,
      onUploadUrlAvailable: () => {
        this.#moveTo(this.#upload.url)
      },
      onProgress: (/** @type {number} */ sent) => this.#progress(sent),
      onSuccess: () => {
        this.#stop()
        this.sentBytes = this.file.size
        this.become('stored')
        this.#deps.stored(this)
      },
      onError: (/** @type {unknown} */ error) => void this.#failed(error),
    })
    this.#upload.start()
  }

  /** The upload under the address of the service that is known here, whatever host its Location names. @param {string} given */
  #moveTo(given) {
    this.url = this.#deps.addressOf(`files/${given.split('/').at(-1) ?? ''}`)
    this.#upload.url = this.url
    this.#deps.changed()
  }

  /** @param {number} sent */
  #progress(sent) {
    this.heard()
    if (sent > this.sentBytes) {
      this.#attempt = 0
      this.#renewals = 0
    }
    this.sentBytes = sent
    this.speed.note(sent)
    this.#deps.changed()
  }

  /** @param {unknown} error */
  async #failed(error) {
    // Read first: aborting an answered request discards its response.
    const failure = failureOf(error)
    const run = this.#stop()
    const readable = await this.#readable()
    if (run !== this.#run) return
    if (!readable) return this.become('unreadable')
    if (failure.kind === 'wait') {
      // What has begun is on record.
      if (this.url === null) this.#deps.unreached(this, failure.code)
      return this.#wait(failure.retryAfterMs)
    }
    if (failure.kind === 'taken') return this.become('taken')
    if (failure.kind === 'cancelled') return this.#deps.cancelled(this)
    if (failure.kind === 'refused') return this.#refuse(failure.message)
    if (++this.#renewals > MAX_RENEWALS) return this.#refuse(null)
    this.#ticket = null
    if (failure.kind === 'anew') {
      const cancelled = await this.#deps.wasCancelled(this)
      if (run !== this.#run) return
      if (cancelled) return this.#deps.cancelled(this)
      // The service says that the upload is gone: the file is still here and is sent again.
      this.url = null
    }
    await this.start()
  }

  /** @param {any} error a Refusal of the API */
  #ticketRefused(error) {
    if (error.passing === true) {
      this.#deps.unreached(this, error.code)
      this.#wait(null)
    } else this.#refuse(error.problem?.message ?? null)
  }

  /** @param {{th: string, en: string} | null} message */
  #refuse(message) {
    this.refusal = message
    this.become('refused')
  }

  /** @param {number | null} askedMs */
  #wait(askedMs) {
    this.speed.forget()
    if (navigator.onLine === false) return this.become('offline')
    const pauseMs = delayMs(this.#attempt++, askedMs)
    this.retryAtMs = Date.now() + pauseMs
    this.#timer = setTimeout(() => void this.start(), pauseMs)
    this.become('waiting')
  }

  /** A file that was removed or changed fails like a lost connection: it is read to tell them apart. */
  async #readable() {
    try {
      await this.file.slice(0, 1).arrayBuffer()
      return true
    } catch {
      return false // not readable
    }
  }

  #watch() {
    if (performance.now() - this.#aliveAtMs < STALL_MS) return
    this.#stop()
    this.#wait(null)
  }

  #stop() {
    this.#run += 1
    clearTimeout(this.#timer)
    clearInterval(this.#watchdog)
    this.retryAtMs = null
    // After an abort tus-js-client calls no handler. The service stores the bytes that are in flight.
    void this.#upload?.abort()
    this.#upload = null
    return this.#run
  }
}

/** Removes an unfinished upload from the service. @param {string} url @param {string} ticket */
export async function terminate(url, ticket) {
  await Upload.terminate(url, { ...defaultOptions, headers: { Authorization: `Bearer ${ticket}` } })
}
