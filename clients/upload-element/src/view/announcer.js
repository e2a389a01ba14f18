// Announces to screen readers: progress in quarters, verdicts, connection lost and back. Its element is outside
// the drawn page, so that redrawing does not repeat an announcement.

/** Announcements without a pause would cancel each other. */
const PAUSE_MS = 1200

export class Announcer {
  #element
  /** @type {string[]} */
  #queue = []
  #busy = false
  /** The last announced stage of each file. @type {Map<string, string>} */
  #said = new Map()

  /** @param {Element} element a live region */
  constructor(element) {
    this.#element = element
  }

  /** @param {string} subject @param {string} stage @param {string} words announced if the stage is new */
  about(subject, stage, words) {
    if (this.#said.get(subject) === stage) return
    this.#said.set(subject, stage)
    this.say(words)
  }

  /** Notes a stage without announcing it: it was so when the page opened. @param {string} subject @param {string} stage */
  know(subject, stage) {
    if (!this.#said.has(subject)) this.#said.set(subject, stage)
  }

  /** @param {string} words */
  say(words) {
    this.#queue.push(words)
    if (!this.#busy) this.#next()
  }

  #next() {
    const words = this.#queue.shift()
    this.#busy = words !== undefined
    if (words === undefined) return
    this.#element.textContent = words
    setTimeout(() => this.#next(), PAUSE_MS)
  }
}
