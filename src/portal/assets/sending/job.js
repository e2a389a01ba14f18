// One file on its way from this page: sent by tus-js-client, which speaks the protocol; this decides when to try again.
// It never gives up while the page is open: lines come back.

import { defaultOptions, Upload } from 'tus-js-client'
import { addressOf } from '../api.js'
import { delayMs, failureOf, keepUrl } from './failure.js'
import { Speed } from './speed.js'

/**
 * preparing: the page looks at the file. blocked: it found something, and asks. different: not the file that was to be gone
 * on with. queued, sending, waiting (for the next try), offline, paused: on its way. taken: another page goes on with it.
 * unreadable: the browser has lost the file. refused: by the service. stored: all bytes are there.
 * @typedef {'preparing' | 'blocked' | 'different' | 'queued' | 'sending' | 'waiting' | 'offline' | 'paused' | 'taken'
 *   | 'unreadable' | 'refused' | 'stored'} Phase
 */
/**
 * @typedef {object} JobParts
 * @property {(job: Job) => Promise<string>} ticket
 * @property {() => void} changed
 * @property {(job: Job) => void} stored
 * @property {(job: Job) => Promise<boolean>} wasCancelled whether somebody, here or elsewhere, wanted it ended
 * @property {(job: Job) => void} cancelled
 */

/**
 * Nothing goes out for so long, and nothing arrives: the line is dead, though the browser has not noticed. On a slow line
 * the system takes the last megabytes at once, and the service counts once a minute.
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
  /** Where the upload is, once it has been created. @type {string | null} */
  url = null
  sentBytes = 0
  /** Of the next try, while `waiting`. @type {number | null} */
  retryAtMs = null
  /** The service's words, while `refused`. @type {{th: string, en: string} | null} */
  refusal = null
  speed = new Speed()
  #parts
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
  /** Rises with every begin and end: what comes back to an older one is too late. */
  #run = 0

  /**
   * @param {File} file
   * @param {{slot: string, replaces: string | null, expected: {id: string, name: string} | null}} purpose
   * `expected`: the unfinished upload that the person meant to go on with
   * @param {JobParts} parts
   */
  constructor(file, purpose, parts) {
    this.file = file
    this.slot = purpose.slot
    this.replaces = purpose.replaces
    this.expected = purpose.expected
    this.key = `job-${++made}`
    this.#parts = parts
  }

  /** Id of the upload, once it has been created. */
  get uploadId() {
    return this.url === null ? null : (this.url.split('/').at(-1) ?? null)
  }

  /** Whether closing the page would stop something. */
  get active() {
    return ['preparing', 'queued', 'sending', 'waiting', 'offline'].includes(this.phase)
  }

  /** Nothing goes on until the person has decided. */
  get asks() {
    return ['blocked', 'different', 'refused', 'unreadable', 'paused'].includes(this.phase)
  }

  /** Seconds to the end; null where it is not known. */
  get secondsLeft() {
    const speed = this.speed.bytesPerSecond
    return speed === null || speed <= 0 ? null : (this.file.size - this.sentBytes) / speed
  }

  /** @param {Phase} phase */
  become(phase) {
    this.phase = phase
    this.#parts.changed()
  }

  /** Begins or goes on. */
  async start() {
    const run = this.#stop()
    this.become('sending')
    try {
      this.#ticket ??= await this.#parts.ticket(this)
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

  /** Ends for good. The upload, if there is one, is removed from the service. */
  async cancel() {
    this.#stop()
    if (this.url === null) return
    this.#ticket ??= await this.#parts.ticket(this)
    await terminate(this.url, this.#ticket)
  }

  /** The service has told of bytes that arrived: the line lives, whatever the browser counts. */
  heard() {
    this.#aliveAtMs = performance.now()
  }

  #send() {
    this.heard()
    this.#watchdog = setInterval(() => this.#watch(), STALL_CHECK_MS)
    this.#upload = new Upload(this.file, {
      // Told where an upload is, and where to make one, tus-js-client makes one when the first is not found.
      ...(this.url === null ? { endpoint: addressOf('files').href } : { uploadUrl: this.url }),
      headers: { Authorization: `Bearer ${this.#ticket}` },
      metadata: {
        filename: this.file.name,
        filetype: this.file.type,
        ...(this.fingerprint === null ? {} : { fingerprint: this.fingerprint }),
      },
      // The service's list of unfinished uploads is the memory: it is the same on every machine.
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
        this.#parts.stored(this)
      },
      onError: (/** @type {unknown} */ error) => void this.#failed(error),
    })
    this.#upload.start()
  }

  /** The upload as this page reaches it, whatever name of the service its Location has. @param {string} location */
  #moveTo(location) {
    this.url = fileUrl(location.split('/').at(-1) ?? '')
    this.#upload.url = this.url
    this.#parts.changed()
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
    this.#parts.changed()
  }

  /** @param {unknown} error */
  async #failed(error) {
    // Read first: the abort of a request that has been answered takes its answer away.
    const failure = failureOf(error)
    const run = this.#stop()
    const readable = await this.#readable()
    if (run !== this.#run) return
    if (!readable) return this.become('unreadable')
    if (failure.kind === 'wait') return this.#wait(failure.retryAfterMs)
    if (failure.kind === 'taken') return this.become('taken')
    if (failure.kind === 'cancelled') return this.#parts.cancelled(this)
    if (failure.kind === 'refused') return this.#refuse(failure.message)
    if (++this.#renewals > MAX_RENEWALS) return this.#refuse(null)
    this.#ticket = null
    if (failure.kind === 'anew') {
      const cancelled = await this.#parts.wasCancelled(this)
      if (run !== this.#run) return
      if (cancelled) return this.#parts.cancelled(this)
      // Gone for good, by the service's own word: the file is here, so it is sent anew.
      this.url = null
    }
    await this.start()
  }

  /** @param {any} error a Refusal of the API */
  #ticketRefused(error) {
    if (error.passing === true) this.#wait(null)
    else this.#refuse(error.problem?.message ?? null)
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

  /** A file on a stick that was pulled out, or changed meanwhile, fails like a line that is cut. */
  async #readable() {
    try {
      await this.file.slice(0, 1).arrayBuffer()
      return true
    } catch {
      return false // that is the answer
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
    // After an abort tus-js-client calls none of its handlers any more. What is under way is stored by the service.
    void this.#upload?.abort()
    this.#upload = null
    return this.#run
  }
}

/** @param {string} id of an upload */
export function fileUrl(id) {
  return addressOf(`files/${id}`).href
}

/** Removes an unfinished upload from the service. @param {string} url @param {string} ticket */
export async function terminate(url, ticket) {
  await Upload.terminate(url, { ...defaultOptions, headers: { Authorization: `Bearer ${ticket}` } })
}
