// Says to a screen reader what others see: progress in quarters, verdicts, and the line coming and going. It lies outside what
// is drawn, so that nothing is read twice because it was drawn again.

/** Two things said in one instant would cover each other. */
const PAUSE_MS = 1200

export class Announcer {
  #element
  /** @type {string[]} */
  #queue = []
  #busy = false
  /** What was said of each file last, so that it is said once. @type {Map<string, string>} */
  #said = new Map()

  /** @param {Element} element a live region */
  constructor(element) {
    this.#element = element
  }

  /** @param {string} subject @param {string} stage @param {string} words said when the stage of the subject is a new one */
  about(subject, stage, words) {
    if (this.#said.get(subject) === stage) return
    this.#said.set(subject, stage)
    this.say(words)
  }

  /** Notes a stage without a word: it was so when the page opened. @param {string} subject @param {string} stage */
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
