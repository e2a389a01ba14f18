// `<songngan-upload>`: hands in the files of a submission, or those of one slot, in the page of a portal.

import { dress } from './dress.js'
import { Panel } from './panel.js'
import { readSession } from './session.js'
import { Announcer } from './view/announcer.js'
import { draw, drawClosed } from './view/draw.js'
import { languageOf, Words } from './words/words.js'
import { workFor } from './works.js'

export class SongnganUpload extends HTMLElement {
  static observedAttributes = ['service', 'token', 'slot-id', 'lang']
  /** Null: one is still to come. @type {string | null} */
  #token = null
  /** @type {Panel | null} */
  #panel = null
  #root
  #place
  #announcer
  #settling = false

  constructor() {
    super()
    this.#root = this.attachShadow({ mode: 'open' })
    dress(this.#root)
    this.#place = document.createElement('div')
    this.#place.className = 'root'
    const region = document.createElement('div')
    region.id = 'announcements'
    region.className = 'unseen'
    region.setAttribute('role', 'status')
    region.setAttribute('aria-live', 'polite')
    this.#root.append(this.#place, region)
    this.#announcer = new Announcer(region)
    // A file that misses its card by a little must not replace the page.
    for (const kind of ['dragover', 'drop']) this.addEventListener(kind, (event) => event.preventDefault())
  }

  /** The address of the service. */
  get service() {
    return this.getAttribute('service') ?? ''
  }

  set service(address) {
    this.setAttribute('service', address)
  }

  /** Of the session. As a property it does not stand in the page's HTML. */
  get token() {
    return this.#token
  }

  set token(token) {
    this.#token = token
    this.#settle()
  }

  /** The only slot that is shown; null: all of them. */
  get slotId() {
    return this.getAttribute('slot-id')
  }

  set slotId(id) {
    if (id === null) this.removeAttribute('slot-id')
    else this.setAttribute('slot-id', id)
  }

  connectedCallback() {
    // Properties that were set before the script was loaded hide those of the class.
    for (const name of ['service', 'token', 'slotId']) {
      const own = Object.getOwnPropertyDescriptor(this, name)
      if (own === undefined || !Reflect.deleteProperty(this, name)) continue
      Object.assign(this, { [name]: own.value })
    }
    this.#settle()
  }

  disconnectedCallback() {
    this.#settle()
  }

  /** @param {string} name @param {string | null} _before @param {string | null} value */
  attributeChangedCallback(name, _before, value) {
    if (name === 'token') this.#token = value
    this.#settle()
  }

  /** To the files, as a “skip to the files” does. @override */
  focus() {
    this.#root.getElementById('files')?.focus()
  }

  /** After all that is set and moved at once: an element that is moved goes on. */
  #settle() {
    if (this.#settling) return
    this.#settling = true
    queueMicrotask(() => {
      this.#settling = false
      if (this.isConnected) this.#show()
      else this.#close()
    })
  }

  #show() {
    const words = new Words(languageOf([this.closest('[lang]')?.getAttribute('lang') ?? null, ...navigator.languages]))
    const session = this.#token === null ? null : readSession(this.#token)
    if (session === null) {
      this.#close()
      this.#place.lang = words.language
      drawClosed(this.#place, words, this.#token === null)
      return
    }
    const work = workFor(folderOf(new URL(this.service, document.baseURI)), session)
    if (this.#panel?.work !== work || this.#panel.slot !== this.slotId) {
      this.#close()
      this.#panel = new Panel(work, {
        slot: this.slotId,
        words,
        announcer: this.#announcer,
        root: this.#root,
        place: this.#place,
        draw,
        tell: (name, detail) => this.#tell(name, detail),
      })
      work.join(this.#panel)
    }
    this.#panel.words = words
    this.#panel.changed()
  }

  /** @param {string} name @param {object} detail */
  #tell(name, detail) {
    this.dispatchEvent(new CustomEvent(`songngan-${name}`, { detail, bubbles: true, composed: true }))
  }

  #close() {
    this.#panel?.leave()
    this.#panel = null
  }
}

/** With a `/` at its end, so that addresses are relative to all of it. @param {URL} url */
function folderOf(url) {
  return new URL(`${url.pathname.replace(/\/$/, '')}/`, url)
}
