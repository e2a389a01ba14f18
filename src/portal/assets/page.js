// The controller of the page: its state, its work, and the actions of its buttons. Views read it and draw.

import { Api, Refusal } from './api.js'
import { Live } from './live.js'
import { mayBegin } from './model/dates.js'
import { FieldStates } from './model/field-states.js'
import { HandInReceipt } from './model/hand-in-receipt.js'
import { Links } from './model/links.js'
import { News } from './model/news.js'
import { Receipts } from './model/receipts.js'
import { duplicateProblem, noRoomProblem } from './model/room.js'
import { Seal } from './model/seal.js'
import { ServiceStatus } from './model/service-status.js'
import { Store } from './model/store.js'
import { follow } from './save.js'
import { Sender } from './sending/sender.js'
import { Tries } from './sending/tries.js'
import { rememberLanguage, Words } from './words/words.js'

const TICK_MS = 1000
const WARN_BEFORE_EXPIRY_MS = 30 * 60_000
const COPIED_MS = 2500

export class Page {
  /** @type {import('./view/dialog.js').Question | null} */
  question = null
  /** The text that was copied last. @type {string | null} */
  copied = null
  /** The user closed the tray. */
  trayClosed = false
  #draw
  #drawing = false
  /** By slot, in grace: whether there was an attempt before the deadline. @type {Map<string, boolean>} */
  grace = new Map()
  #tries
  /** Ids of uploads that were completed from this page. @type {Set<string>} */
  #stored = new Set()

  /**
   * @param {(page: Page) => void} draw
   * @param {import('./session.js').Session} session
   * @param {Words} words
   * @param {import('./view/announcer.js').Announcer} announcer
   */
  constructor(draw, session, words, announcer) {
    this.#draw = draw
    this.session = session
    this.words = words
    this.announcer = announcer
    const changed = () => this.changed()
    this.api = new Api(session)
    this.store = new Store(this.api, session.submission, changed)
    this.links = new Links(this.api, changed)
    this.receipts = new Receipts(this.api, changed)
    this.handInReceipt = new HandInReceipt(this.api, session.submission, changed)
    this.fieldStates = new FieldStates(changed)
    this.seal = new Seal(this, session)
    this.service = new ServiceStatus(this.api, changed)
    this.#tries = new Tries(this.api, session.submission, (slots) => {
      // Asked before, the answer may be another one now.
      for (const slot of slots) this.grace.delete(slot)
    })
    this.sender = new Sender({
      api: this.api,
      submission: session.submission,
      rules: (slot) => this.store.profile?.slots.get(slot),
      unfinished: (slot) => this.#unfinished(slot),
      roomFor: (finding, job) => noRoomProblem(finding, job, this.store, this.sender.jobs),
      twinOf: (job) => duplicateProblem(job, this.store, this.sender.jobs),
      changed,
      unreached: (slot, code) => this.#tries.note(slot, code),
      stored: (job) => {
        if (job.uploadId !== null) this.#stored.add(job.uploadId)
        this.trayClosed = false
        void this.store.refresh()
      },
    })
    const events = `v1/submissions/${encodeURIComponent(session.submission)}/events`
    this.live = new Live(() => new EventSource(this.api.streamUrl(events)), {
      changed: () => void this.store.refresh(),
      progress: (news) => {
        this.sender.heard(news.uploadId)
        this.store.hear(news)
        // An upload started on another page has no event before its first bytes are stored.
        if (this.store.upload(news.uploadId) === undefined) void this.store.refresh()
      },
      line: changed,
    })
    this.news = new News(this)
    this.switchLanguage = () => this.#switchLanguage()
  }

  start() {
    this.live.start()
    void this.store.refresh()
    setInterval(() => this.#tick(), TICK_MS)
  }

  /** Redraws the page, once per frame. */
  changed() {
    this.news.announceChanges()
    document.title = this.#title()
    if (this.#drawing) return
    this.#drawing = true
    requestAnimationFrame(() => {
      this.#drawing = false
      this.#draw(this)
    })
  }

  now() {
    return Date.now()
  }

  get mayUpload() {
    const { submission, stage } = this.store
    const open = submission?.accepting === true && stage === 'ready'
    return open && this.session.can.includes('upload')
  }

  /** Files were sent from this page, none is being sent, and none of the chosen ones is unsent. */
  get hasSent() {
    return this.#stored.size > 0 && !this.sender.busy && !this.sender.jobs.some(({ asks }) => asks)
  }

  closeTray() {
    this.trayClosed = true
    this.changed()
  }

  get expiresSoon() {
    return this.store.stage === 'ready' && this.api.now() > this.session.expMs - WARN_BEFORE_EXPIRY_MS
  }

  /** Labels of slots, by their ids. @param {readonly string[]} ids */
  labels(ids) {
    const slots = this.store.submission?.slots ?? []
    return ids.map((id) => {
      const label = slots.find(({ slot }) => slot === id)?.label
      return label === undefined ? id : this.words.of(label)
    })
  }

  /** Whether a new file may be started in a slot. @param {string} slot */
  mayBegin(slot) {
    const { submission } = this.store
    if (!this.mayUpload || submission === null) return false
    return mayBegin(submission, slot, this.api.now()) || this.grace.get(slot) === true
  }

  /** A refused attempt before the deadline also gives grace, but is not in the submission document. @param {string} slot */
  async askGrace(slot) {
    await this.#trying(async () => {
      try {
        await this.api.post(`v1/submissions/${encodeURIComponent(this.session.submission)}/tickets`, { slot })
        this.grace.set(slot, true)
      } catch (error) {
        if (!(error instanceof Refusal) || error.code !== 'DEADLINE_PASSED') throw error
        this.grace.set(slot, false)
      }
    })
  }

  /** @param {File} file @param {{slot: string, replaces?: string | null, expected?: {id: string, name: string} | null}} purpose */
  choose(file, purpose) {
    void this.sender.add(file, purpose)
  }

  /** @param {import('./sending/job.js').Job} job */
  async sendInstead(job) {
    await this.#trying(() => this.sender.sendInstead(job))
  }

  /** @param {import('./sending/job.js').Job} job */
  async cancel(job) {
    if (job.url !== null && !(await this.#sureCancel(job.file.name))) return
    await this.#trying(() => this.sender.cancel(job))
  }

  /** @param {string} slot @param {{id: string}} upload @param {string} name */
  async removeUnfinished(slot, { id }, name) {
    if (await this.#sureCancel(name)) await this.#trying(() => this.sender.remove(slot, id))
  }

  /** @param {string} name */
  #sureCancel(name) {
    const { t } = this.words
    return this.ask({ title: t.sureCancel, text: t.sureCancelText(name), yes: t.cancelSending, no: t.goOn })
  }

  /** @param {Omit<import('./view/dialog.js').Question, 'answer'>} question @returns {Promise<boolean>} */
  ask(question) {
    return new Promise((resolve) => {
      this.question = {
        ...question,
        answer: (sure) => {
          this.question = null
          resolve(sure)
          this.changed()
        },
      }
      this.changed()
    })
  }

  /** @param {string} slot @param {string} name @param {unknown} value */
  async saveField(slot, name, value) {
    const path = `v1/submissions/${encodeURIComponent(this.session.submission)}/slots/${encodeURIComponent(slot)}`
    await this.fieldStates.saving(slot, name, async () => {
      this.store.accept(await this.api.patch(path, { metadata: { [name]: value } }))
    })
  }

  /** @param {{id: string}} upload */
  async saveOriginal({ id }) {
    await this.#trying(async () => follow(await this.links.download(id)))
  }

  /** @param {string} text */
  async copy(text) {
    await navigator.clipboard?.writeText(text)
    this.copied = text
    this.changed()
    setTimeout(() => {
      this.copied = null
      this.changed()
    }, COPIED_MS)
  }

  /** Reloads the documents after success and after failure. @param {() => Promise<unknown>} act */
  async #trying(act) {
    try {
      await act()
    } catch (error) {
      console.warn(error)
      this.announcer.say(this.words.t.troubleTitle)
    }
    await this.store.refresh()
  }

  /** @param {string} slot */
  async #unfinished(slot) {
    await this.store.refresh()
    const uploads = this.store.submission?.uploads ?? []
    return uploads.filter((upload) => upload.slot === slot && upload.state === 'receiving')
  }

  #switchLanguage() {
    this.words = new Words(this.words.language === 'th' ? 'en' : 'th')
    rememberLanguage(this.words.language)
    document.documentElement.lang = this.words.language
    this.changed()
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

  #title() {
    const { t } = this.words
    const active = this.sender.jobs.filter((job) => job.active)
    const all = active.reduce((sum, { file }) => sum + file.size, 0)
    const sent = active.reduce((sum, { sentBytes }) => sum + sentBytes, 0)
    const name = `${t.title} · ${this.session.submission}`
    return all === 0 ? name : `${Math.floor((sent / all) * 100)}% · ${name}`
  }
}
