// What the console says while Redis is away or refuses writes, and while this process gives no numbers: what it means for
// uploads, and where to read on. Nothing is called open that is not known to be.

import { el } from './dom.js'
import { clockTime } from './words.js'

/**
 * @typedef {object} Trouble
 * @property {string} door in place of "Open for new uploads"
 * @property {string} words
 * @property {string | null} chapter heading in the runbook
 */

const WAITING =
  'Uploads wait: their requests are held for up to 20 s and then told to retry; clients go on by themselves when Redis is back. What was received is stored.'
const CHAPTER = 'Redis is lost'

/**
 * @param {{ up: boolean, refused?: boolean, error?: string }} look at Redis, by this process
 * @param {string | undefined} at time of the numbers on the page
 * @returns {Trouble | null}
 */
export function troubleOfRedis({ up, refused, error = '' }, at) {
  if (up) return null
  return refused ? troubleOfRefusal(error) : away(at)
}

/**
 * @param {unknown} error of a request
 * @param {string | undefined} at time of the numbers on the page; undefined: there are none
 * @returns {Trouble}
 */
export function troubleOfError(error, at) {
  if (/** @type {{ code?: string }} */ (error).code === 'REDIS_UNAVAILABLE') return away(at)
  return { door: 'Not known', words: `No numbers from this process: ${error}.${numbersOf(at)}`, chapter: null }
}

/** @param {string | undefined} at */
function away(at) {
  const words = `Redis does not answer. ${WAITING}${numbersOf(at)}`
  return { door: 'Not known: Redis is away', words, chapter: CHAPTER }
}

/** @param {string | undefined} at */
function numbersOf(at) {
  return at === undefined ? '' : ` Numbers as of ${clockTime(at, { seconds: true })}.`
}

/**
 * @param {string | null} refusal the error with which Redis refuses writes
 * @returns {Trouble | null}
 */
export function troubleOfRefusal(refusal) {
  if (refusal === null) return null
  const words = `Redis takes no writes: ${refusal}. ${WAITING}`
  return { door: 'Uploads wait: Redis takes no writes', words, chapter: CHAPTER }
}

/** Redrawn only if it changed, so that the link can be clicked. @param {HTMLElement} line @param {Trouble | null} trouble */
export function showTrouble(line, trouble) {
  const key = JSON.stringify(trouble)
  if (line.dataset['shown'] === key) return
  line.dataset['shown'] = key
  line.hidden = trouble === null
  line.replaceChildren(...(trouble === null ? [] : partsOf(trouble)))
}

/** @param {Trouble} trouble */
function partsOf({ words, chapter }) {
  if (chapter === null) return [words]
  const href = `console/runbook#${chapter.toLowerCase().replaceAll(' ', '-')}`
  return [words, ' ', el('a', { href, target: '_blank' }, `What to do: ${chapter}`)]
}
