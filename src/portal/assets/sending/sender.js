// All files that this page sends: looks at them first, finds what was begun before, keeps to a few at a time, and minds the
// line, the screen and the person who is about to leave.

import { look } from '../checking/check.js'
import { fingerprintOf } from '../checking/fingerprint.js'
import { fileUrl, Job, terminate } from './job.js'
import { ScreenLock } from './screen-lock.js'

/** A phone's line is shared by all; one more than one, so that a small PDF need not wait for an hour of video. */
const AT_A_TIME = 2

/** @typedef {{id: string, fingerprint?: string | null}} Unfinished */

/**
 * @typedef {object} SenderParts
 * @property {import('../api.js').Api} api
 * @property {string} submission
 * @property {(slot: string) => import('../model/profile.js').SlotRules | undefined} rules
 * @property {(slot: string) => Promise<Unfinished[]>} unfinished uploads of a slot that somebody began, as they are now
 * @property {(finding: import('../checking/check.js').Finding, job: Job) => import('../checking/check.js').Fault | null} roomFor
 * why the slot has no room for such a file
 * @property {(job: Job) => import('../checking/check.js').Fault | null} twinOf the slot has this very file already
 * @property {() => void} changed something to show
 * @property {(job: Job) => void} stored
 */

export class Sender {
  /** @type {Job[]} */
  jobs = []
  #parts
  #screen = new ScreenLock()

  /** @param {SenderParts} parts */
  constructor(parts) {
    this.#parts = parts
    addEventListener('offline', () => this.#haltAll())
    addEventListener('online', () => this.#goOn(['offline', 'waiting']))
    // A phone puts pages to sleep: what waited longer than it thought tries at once.
    document.addEventListener('visibilitychange', () => {
      if (document.visibilityState === 'visible') this.#goOn(['waiting'])
    })
    addEventListener('beforeunload', (event) => {
      if (!this.busy) return
      event.preventDefault()
      // Browsers before 2023 ask only where this is set.
      event.returnValue = ''
    })
  }

  /** Whether leaving would stop something. */
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
        ticket: (asking) => this.#ticket(asking),
        changed: () => this.#changed(),
        wasCancelled: (gone) => this.#wasCancelled(gone),
        cancelled: (ended) => this.drop(ended),
        stored: (done) => {
          this.#pump()
          this.#parts.stored(done)
        },
      },
    )
    this.jobs = [...this.jobs.filter((other) => other.slot !== slot || !isOver(other)), job]
    this.#changed()
    await this.#prepare(job)
  }

  /** @param {Job} job */
  async #prepare(job) {
    const rules = this.#parts.rules(job.slot)
    if (rules === undefined) return this.drop(job)
    job.finding = await look(job.file, rules)
    const twin = job.finding.verdict === 'go' ? this.#parts.twinOf(job) : null
    if (twin !== null) job.finding = { ...job.finding, verdict: 'ask', faults: [twin] }
    if (job.finding.verdict === 'go') await this.enqueue(job)
    else job.become('blocked')
  }

  /** What was blocked is sent all the same, or what was looked at is sent. @param {Job} job */
  async enqueue(job) {
    job.become('preparing')
    try {
      job.fingerprint ??= await fingerprintOf(job.file)
    } catch {
      return job.become('unreadable') // read a moment ago, and now no more
    }
    const begun = await this.#parts.unfinished(job.slot)
    if (!this.jobs.includes(job)) return
    const busy = this.jobs.map(({ uploadId }) => uploadId)
    const same = begun.find(({ id, fingerprint }) => fingerprint === job.fingerprint && !busy.includes(id))
    if (same !== undefined) job.url = fileUrl(same.id)
    else if (job.expected !== null) return job.become('different')
    else if (this.#noRoom(job)) return job.become('blocked')
    job.become('queued')
    this.#pump()
  }

  /** @param {Job} job */
  #noRoom(job) {
    const fault = job.finding === null ? null : this.#parts.roomFor(job.finding, job)
    if (fault === null || job.finding === null) return false
    job.finding = { ...job.finding, verdict: 'stop', faults: [fault] }
    return true
  }

  /** Instead of the unfinished one that was expected, which is removed. @param {Job} job */
  async sendInstead(job) {
    const { expected } = job
    job.expected = null
    const begun = await this.#parts.unfinished(job.slot)
    const old = begun.find(({ id }) => id === expected?.id)
    if (old !== undefined) await this.remove(job.slot, old.id)
    await this.enqueue(job)
  }

  /** Removes an unfinished upload that nobody sends. @param {string} slot @param {string} uploadId */
  async remove(slot, uploadId) {
    await terminate(fileUrl(uploadId), await this.#ticketFor(slot, uploadId))
  }

  /** @param {Job} job */
  pause(job) {
    job.halt('paused')
    this.#pump()
  }

  /** After a pause, a wait, or a take-over by another page. @param {Job} job */
  resume(job) {
    job.halt('queued')
    this.#pump()
  }

  /** @param {Job} job */
  async cancel(job) {
    this.drop(job)
    await job.cancel()
  }

  /** Forgets it; what the service has of it stays there. @param {Job} job */
  drop(job) {
    this.jobs = this.jobs.filter((other) => other !== job)
    this.#changed()
    this.#pump()
  }

  /** The service has bytes of it. @param {string} uploadId */
  heard(uploadId) {
    this.jobs.find((job) => job.uploadId === uploadId)?.heard()
  }

  /** @param {Job} job */
  async #wasCancelled(job) {
    try {
      return (await this.#parts.api.get(`v1/uploads/${job.uploadId}`)).state === 'cancelled'
    } catch {
      return false // never heard of, or nobody answers: it is sent anew, or tried again
    }
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
    this.#parts.changed()
  }

  /**
   * Leave to send. An upload that is gone on with has its place already; named as the one to replace, it is not counted twice
   * in a slot for several files.
   * @param {Job} job
   */
  #ticket(job) {
    return this.#ticketFor(job.slot, job.uploadId ?? job.replaces)
  }

  /** @param {string} slot @param {string | null} replaces */
  async #ticketFor(slot, replaces) {
    const several = (this.#parts.rules(slot)?.max ?? 1) > 1
    const { api, submission } = this.#parts
    const body = { slot, ...(several && replaces !== null ? { replaces } : {}) }
    return (await api.post(`v1/submissions/${encodeURIComponent(submission)}/tickets`, body)).ticket
  }
}

/** Said what it had to say. @param {Job} job */
function isOver(job) {
  return ['blocked', 'different', 'refused', 'unreadable', 'stored'].includes(job.phase)
}
