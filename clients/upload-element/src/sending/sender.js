// All files that this page sends: checks them, finds unfinished uploads, limits how many run at once, and handles
// the connection, the screen and leaving the page.

import { checkFile } from '../checking/check.js'
import { fingerprintOf } from '../checking/fingerprint.js'
import { Job, terminate } from './job.js'
import { ScreenLock } from './screen-lock.js'

/** They share one line. Two, so that a small PDF does not wait for a long video. */
const AT_A_TIME = 2

/** @typedef {{id: string, fingerprint?: string | null}} Unfinished */

/**
 * @typedef {object} SenderDeps
 * @property {import('../api.js').Api} api
 * @property {AbortSignal} signal ends what it listens to
 * @property {string} submission
 * @property {(slot: string) => import('../model/profile.js').SlotRules | undefined} rules
 * @property {(slot: string) => Promise<Unfinished[]>} unfinished unfinished uploads of a slot, read anew
 * @property {(finding: import('../checking/check.js').Finding, job: Job) => import('../checking/check.js').LocalProblem | null} roomFor
 * why the slot cannot take this file
 * @property {(job: Job) => import('../checking/check.js').LocalProblem | null} twinOf the slot already has this file
 * @property {() => void} changed redraws the page
 * @property {(job: Job) => void} stored
 * @property {(slot: string, code: string) => void} unreached
 */

export class Sender {
  /** @type {Job[]} */
  jobs = []
  #deps
  #screen

  /** @param {SenderDeps} deps */
  constructor(deps) {
    this.#deps = deps
    const { signal } = deps
    this.#screen = new ScreenLock(signal)
    addEventListener('offline', () => this.#haltAll(), { signal })
    addEventListener('online', () => this.#goOn(['offline', 'waiting']), { signal })
    // Phones suspend hidden pages: retry at once when the page is visible again.
    const shown = () => {
      if (document.visibilityState === 'visible') this.#goOn(['waiting'])
    }
    document.addEventListener('visibilitychange', shown, { signal })
    const leaving = (/** @type {BeforeUnloadEvent} */ event) => {
      if (!this.busy) return
      event.preventDefault()
      // Browsers before 2023 ask only if this is set.
      event.returnValue = ''
    }
    addEventListener('beforeunload', leaving, { signal })
  }

  /** Whether leaving the page would stop an upload. */
  get busy() {
    return this.jobs.some((job) => job.active)
  }

  /**
   * A file that a person chose.
   * @param {File} file
   * @param {{slot: string, replaces?: string | null, expected?: {id: string, name: string} | null}} purpose
   */
  async add(file, { slot, replaces = null, expected = null }) {
    const job = new Job(
      file,
      { slot, replaces, expected },
      {
        addressOf: (path) => this.#deps.api.address(path).href,
        ticket: (asking) => this.#ticket(asking),
        unreached: (trying, code) => this.#deps.unreached(trying.slot, code),
        changed: () => this.#changed(),
        wasCancelled: (gone) => this.#wasCancelled(gone),
        cancelled: (ended) => this.drop(ended),
        stored: (done) => {
          this.#pump()
          this.#deps.stored(done)
        },
      },
    )
    this.jobs = [...this.jobs.filter((other) => other.slot !== slot || !isOver(other)), job]
    this.#changed()
    await this.#prepare(job)
  }

  /** @param {Job} job */
  async #prepare(job) {
    const rules = this.#deps.rules(job.slot)
    if (rules === undefined) return this.drop(job)
    job.finding = await checkFile(job.file, rules)
    const twin = job.finding.verdict === 'go' ? this.#deps.twinOf(job) : null
    if (twin !== null) job.finding = { ...job.finding, verdict: 'ask', problems: [twin] }
    if (job.finding.verdict === 'go') await this.enqueue(job)
    else job.become('blocked')
  }

  /** Queues a checked file, or a blocked one that the person wants to send anyway. @param {Job} job */
  async enqueue(job) {
    job.become('preparing')
    try {
      job.fingerprint ??= await fingerprintOf(job.file)
    } catch {
      return job.become('unreadable') // no longer readable
    }
    const begun = await this.#deps.unfinished(job.slot)
    if (!this.jobs.includes(job)) return
    const busy = this.jobs.map(({ uploadId }) => uploadId)
    const same = begun.find(({ id, fingerprint }) => fingerprint === job.fingerprint && !busy.includes(id))
    if (same !== undefined) job.url = this.#fileUrl(same.id)
    else if (job.expected !== null) return job.become('different')
    else if (this.#noRoom(job)) return job.become('blocked')
    job.become('queued')
    this.#pump()
  }

  /** @param {Job} job */
  #noRoom(job) {
    const problem = job.finding === null ? null : this.#deps.roomFor(job.finding, job)
    if (problem === null || job.finding === null) return false
    job.finding = { ...job.finding, verdict: 'stop', problems: [problem] }
    return true
  }

  /** Sends this file instead of the expected unfinished one, which is removed. @param {Job} job */
  async sendInstead(job) {
    const { expected } = job
    job.expected = null
    const begun = await this.#deps.unfinished(job.slot)
    const old = begun.find(({ id }) => id === expected?.id)
    if (old !== undefined) await this.remove(job.slot, old.id)
    await this.enqueue(job)
  }

  /** Removes an unfinished upload that nobody sends. @param {string} slot @param {string} uploadId */
  async remove(slot, uploadId) {
    await terminate(this.#fileUrl(uploadId), await this.#ticketFor(slot, uploadId))
  }

  /** @param {Job} job */
  pause(job) {
    job.halt('paused')
    this.#pump()
  }

  /** Continues after a pause, a wait, or a take-over by another page. @param {Job} job */
  resume(job) {
    job.halt('queued')
    this.#pump()
  }

  /** @param {Job} job */
  async cancel(job) {
    this.drop(job)
    await job.cancel()
  }

  /** Removes it from the page only; its upload stays on the service. @param {Job} job */
  drop(job) {
    this.jobs = this.jobs.filter((other) => other !== job)
    this.#changed()
    this.#pump()
  }

  /** Stops everything. What was sent stays on the service, and can be continued. */
  end() {
    for (const job of this.jobs) job.halt('paused')
    this.jobs = []
    this.#screen.keep(false)
  }

  /** The service reported received bytes. @param {string} uploadId */
  heard(uploadId) {
    this.jobs.find((job) => job.uploadId === uploadId)?.heard()
  }

  /** @param {Job} job */
  async #wasCancelled(job) {
    try {
      return (await this.#deps.api.get(`v1/uploads/${job.uploadId}`)).state === 'cancelled'
    } catch {
      return false // unknown upload, or no answer: it is sent again, or retried
    }
  }

  /** @param {string} uploadId */
  #fileUrl(uploadId) {
    return this.#deps.api.address(`files/${uploadId}`).href
  }

  #pump() {
    const running = this.jobs.filter(({ phase }) => ['sending', 'waiting', 'offline'].includes(phase))
    const next = this.jobs.filter(({ phase }) => phase === 'queued').slice(0, Math.max(0, AT_A_TIME - running.length))
    for (const job of next) void job.start()
    this.#changed()
  }

  #haltAll() {
    for (const job of this.jobs) if (job.phase === 'sending' || job.phase === 'waiting') job.halt('offline')
  }

  /** @param {string[]} phases */
  #goOn(phases) {
    for (const job of this.jobs) if (phases.includes(job.phase)) void job.start()
  }

  #changed() {
    this.#screen.keep(this.busy)
    this.#deps.changed()
  }

  /**
   * A ticket. An upload that is continued already counts in its slot; named as `replaces`, it is not counted twice
   * in a slot for several files.
   * @param {Job} job
   */
  #ticket(job) {
    return this.#ticketFor(job.slot, job.uploadId ?? job.replaces)
  }

  /** @param {string} slot @param {string | null} replaces */
  async #ticketFor(slot, replaces) {
    const several = (this.#deps.rules(slot)?.max ?? 1) > 1
    const { api, submission } = this.#deps
    const body = { slot, ...(several && replaces !== null ? { replaces } : {}) }
    return (await api.post(`v1/submissions/${encodeURIComponent(submission)}/tickets`, body)).ticket
  }
}

/** The person need not see it any more. @param {Job} job */
function isOver(job) {
  return ['blocked', 'different', 'refused', 'unreadable', 'stored'].includes(job.phase)
}
