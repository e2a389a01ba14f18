// What one element shows of a submission, in its language, and the actions of its buttons. Views read it and draw.

import { News } from './model/news.js'
import { Seal } from './model/seal.js'
import { Telling } from './model/telling.js'
import { follow } from './save.js'

const COPIED_MS = 2500

/** @typedef {import('./sending/job.js').Job} Job */

export class Panel {
  /** @type {import('./view/dialog.js').Question | null} */
  question = null
  /** The text that was copied last. @type {string | null} */
  copied = null
  /** The user closed the tray. */
  trayClosed = false
  #draw
  #drawing = false
  #news
  #telling
  #left = false
  /** Ids of uploads that were completed here. @type {Set<string>} */
  #stored = new Set()

  /**
   * @param {import('./work.js').Work} work
   * @param {object} of its element
   * @param {string | null} of.slot the only one that is shown; null: all
   * @param {import('./words/words.js').Words} of.words
   * @param {import('./view/announcer.js').Announcer} of.announcer
   * @param {ShadowRoot} of.root
   * @param {HTMLElement} of.place where it is drawn
   * @param {(panel: Panel) => void} of.draw
   * @param {import('./model/telling.js').Tell} of.tell
   */
  constructor(work, { slot, words, announcer, root, place, draw, tell }) {
    this.work = work
    this.slot = slot
    this.words = words
    this.announcer = announcer
    this.root = root
    this.place = place
    this.#draw = draw
    this.api = work.api
    this.store = work.store
    this.sender = work.sender
    this.live = work.live
    this.links = work.links
    this.receipts = work.receipts
    this.handInReceipt = work.handInReceipt
    this.fieldStates = work.fieldStates
    this.service = work.service
    this.grace = work.grace
    this.seal = new Seal(this)
    this.#news = new News(this)
    this.#telling = new Telling(this, tell)
  }

  get session() {
    return this.work.session
  }

  /** Redraws, once per frame. */
  changed() {
    this.#news.announceChanges()
    this.#telling.tellChanges()
    if (this.#drawing) return
    this.#drawing = true
    requestAnimationFrame(() => {
      this.#drawing = false
      // Its element may have another one by now.
      if (!this.#left) this.#draw(this)
    })
  }

  /** A file was sent from this page. @param {Job} job */
  stored(job) {
    if (!this.shows(job.slot)) return
    if (job.uploadId !== null) this.#stored.add(job.uploadId)
    this.trayClosed = false
    this.#telling.stored(job)
  }

  /** @param {string | null} slot */
  shows(slot) {
    return this.slot === null || slot === this.slot
  }

  /** Whether what concerns all elements of a page is announced here. */
  get speaksForAll() {
    return this.work.isFirst(this)
  }

  /** Scrolls to a part of the element and gives it the focus. @param {string} id */
  goTo(id) {
    const element = this.root.getElementById(id)
    element?.scrollIntoView({ block: 'start' })
    element?.focus({ preventScroll: true })
  }

  leave() {
    this.#left = true
    this.work.leave(this)
  }

  now() {
    return Date.now()
  }

  get mayUpload() {
    return this.work.mayUpload
  }

  /** Files were sent from this page, none is being sent, and none of the chosen ones is unsent. */
  get hasSent() {
    return this.#stored.size > 0 && !this.sender.busy && !this.sender.jobs.some(({ asks }) => asks)
  }

  closeTray() {
    this.trayClosed = true
    this.changed()
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
    return this.work.mayBegin(slot)
  }

  /** @param {string} slot */
  async askGrace(slot) {
    await this.#trying(() => this.work.askGrace(slot))
  }

  /** @param {File} file @param {{slot: string, replaces?: string | null, expected?: {id: string, name: string} | null}} purpose */
  choose(file, purpose) {
    void this.sender.add(file, purpose)
  }

  /** @param {Job} job */
  async sendInstead(job) {
    await this.#trying(() => this.sender.sendInstead(job))
  }

  /** @param {Job} job */
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
  saveField(slot, name, value) {
    return this.work.saveField(slot, name, value)
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
}
