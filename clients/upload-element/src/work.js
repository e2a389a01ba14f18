// What the elements of one submission share on a page: its documents, the files that are being sent, and the stream of events.
// One connection for all of them: browsers open few to one service.

import { Api, Refusal } from './api.js'
import { Live } from './live.js'
import { mayBegin } from './model/dates.js'
import { FieldStates } from './model/field-states.js'
import { HandInReceipt } from './model/hand-in-receipt.js'
import { Links } from './model/links.js'
import { Receipts } from './model/receipts.js'
import { duplicateProblem, noRoomProblem } from './model/room.js'
import { ServiceStatus } from './model/service-status.js'
import { Store } from './model/store.js'
import { Sender } from './sending/sender.js'
import { Tries } from './sending/tries.js'

const TICK_MS = 1000
const WARN_BEFORE_EXPIRY_MS = 30 * 60_000

/** @typedef {import('./sending/job.js').Job} Job */
/** Who shows it. @typedef {{changed: () => void, stored: (job: Job) => void}} Watcher */

export class Work {
  /** @type {Set<Watcher>} */
  #watchers = new Set()
  #end = new AbortController()
  /** By slot, in grace: whether there was an attempt before the deadline. @type {Map<string, boolean>} */
  grace = new Map()
  #tries
  /** @type {ReturnType<typeof setInterval> | undefined} */
  #ticking

  /**
   * @param {URL} service its address, which ends with `/`
   * @param {import('./session.js').Session} session
   */
  constructor(service, session) {
    this.session = session
    const { submission } = session
    const { signal } = this.#end
    const changed = () => this.changed()
    this.api = new Api(service, session.token)
    this.store = new Store(this.api, submission, changed)
    this.links = new Links(this.api, changed)
    this.receipts = new Receipts(this.api, changed)
    this.handInReceipt = new HandInReceipt(this.api, submission, changed)
    this.fieldStates = new FieldStates(changed)
    this.service = new ServiceStatus(this.api, changed)
    this.#tries = new Tries(this.api, submission, (slots) => {
      // Asked before, the answer may be another one now.
      for (const slot of slots) this.grace.delete(slot)
    })
    this.sender = new Sender({
      api: this.api,
      signal,
      submission,
      rules: (slot) => this.store.profile?.slots.get(slot),
      unfinished: (slot) => this.#unfinished(slot),
      roomFor: (finding, job) => noRoomProblem(finding, job, this.store, this.sender.jobs),
      twinOf: (job) => duplicateProblem(job, this.store, this.sender.jobs),
      changed,
      unreached: (slot, code) => this.#tries.note(slot, code),
      stored: (job) => {
        for (const watcher of this.#watchers) watcher.stored(job)
        void this.store.refresh()
      },
    })
    const events = `v1/submissions/${encodeURIComponent(submission)}/events`
    this.live = new Live(() => new EventSource(this.api.streamUrl(events)), signal, {
      changed: () => void this.store.refresh(),
      progress: (news) => {
        this.sender.heard(news.uploadId)
        this.store.hear(news)
        // An upload started on another page has no event before its first bytes are stored.
        if (this.store.upload(news.uploadId) === undefined) void this.store.refresh()
      },
      line: changed,
    })
  }

  /** Another token for the same, which is valid for longer or comes after the end of this one. @param {import('./session.js').Session} session */
  renew(session) {
    const ended = this.store.stage === 'expired' || this.store.stage === 'noAccess'
    if (session.token === this.session.token || (session.expMs <= this.session.expMs && !ended)) return
    this.session = session
    this.api.token = session.token
    this.store.reopen()
    // The stream of events ends with the token that it was opened with.
    this.live.start()
    void this.store.refresh()
  }

  /** The first one starts it. @param {Watcher} watcher */
  join(watcher) {
    this.#watchers.add(watcher)
    if (this.#ticking !== undefined) return
    this.#ticking = setInterval(() => this.#tick(), TICK_MS)
    this.live.start()
    void this.store.refresh()
  }

  /** The last one ends it, with what is being sent. @param {Watcher} watcher */
  leave(watcher) {
    this.#watchers.delete(watcher)
    if (this.#watchers.size > 0) return
    clearInterval(this.#ticking)
    this.live.stop()
    this.sender.end()
    this.#end.abort()
  }

  /** Whether nobody shows it any more: it does not start again. */
  get over() {
    return this.#end.signal.aborted
  }

  /** Where news that concern them all are told once. @param {Watcher} watcher */
  isFirst(watcher) {
    return [...this.#watchers][0] === watcher
  }

  changed() {
    for (const watcher of this.#watchers) watcher.changed()
  }

  get mayUpload() {
    const { submission, stage } = this.store
    const open = submission?.accepting === true && stage === 'ready'
    return open && this.session.can.includes('upload')
  }

  get expiresSoon() {
    return this.store.stage === 'ready' && this.api.now() > this.session.expMs - WARN_BEFORE_EXPIRY_MS
  }

  /** Whether a new file may be started in a slot. @param {string} slot */
  mayBegin(slot) {
    const { submission } = this.store
    if (!this.mayUpload || submission === null) return false
    return mayBegin(submission, slot, this.api.now()) || this.grace.get(slot) === true
  }

  /** A refused attempt before the deadline also gives grace, but is not in the submission document. @param {string} slot */
  async askGrace(slot) {
    try {
      await this.api.post(`v1/submissions/${encodeURIComponent(this.session.submission)}/tickets`, { slot })
      this.grace.set(slot, true)
    } catch (error) {
      if (!(error instanceof Refusal) || error.code !== 'DEADLINE_PASSED') throw error
      this.grace.set(slot, false)
    }
  }

  /** @param {string} slot @param {string} name @param {unknown} value */
  async saveField(slot, name, value) {
    const path = `v1/submissions/${encodeURIComponent(this.session.submission)}/slots/${encodeURIComponent(slot)}`
    await this.fieldStates.saving(slot, name, async () => {
      this.store.accept(await this.api.patch(path, { metadata: { [name]: value } }))
    })
  }

  /** @param {string} slot */
  async #unfinished(slot) {
    await this.store.refresh()
    const uploads = this.store.submission?.uploads ?? []
    return uploads.filter((upload) => upload.slot === slot && upload.state === 'receiving')
  }

  #tick() {
    if (this.store.stage === 'ready' && this.api.now() >= this.session.expMs) this.store.stage = 'expired'
    // Running uploads continue: a session is needed only to start them.
    if (this.store.stage === 'expired' || this.store.stage === 'gone') this.live.stop()
    if (this.store.stage === 'ready' && this.live.line !== 'offline') {
      void this.service.refresh()
      if (this.session.can.includes('upload')) void this.#tries.file()
    }
    this.changed()
  }
}
