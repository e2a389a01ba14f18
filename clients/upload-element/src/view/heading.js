// Whose request it is, and the time left.

import { whenOf } from '../model/dates.js'
import { h } from './dom.js'
import { dotted } from './dotted.js'
import { icon } from './icons.js'

/** @typedef {import('../panel.js').Panel} Panel */

const DAY_MS = 86_400_000
const HOUR_MS = 3_600_000

/** @param {Panel} panel */
export function heading(panel) {
  const { words, store } = panel
  const { submission, profile } = store
  if (submission === null) return null
  const { t } = words
  return h(
    'div',
    { class: 'heading', key: 'heading' },
    applicant(submission.metadata['name'], words),
    h(
      'p',
      { class: 'who' },
      profile !== null && dotted([words.of(profile.position), words.of(profile.rank)]),
      h('span', { class: 'id' }, `${t.submission} `, h('bdi', null, submission.id)),
    ),
    timeLeft(panel),
  )
}

/** @param {Panel} panel */
export function timeLeft({ words, store: { submission }, api }) {
  return submission !== null && submission.state !== 'sealed' && deadline(whenOf(submission, api.now()), words)
}

/** The applicant, as the portal names the person. @param {unknown} name @param {import('../words/words.js').Words} words */
function applicant(name, words) {
  return typeof name === 'string' && name !== '' && h('p', { class: 'applicant' }, words.t.forWhom(name))
}

/** @param {import('../model/dates.js').When} when @param {import('../words/words.js').Words} words */
function deadline(when, words) {
  const { t } = words
  const line = (/** @type {string} */ kind, /** @type {string} */ text, /** @type {string} */ left = '') =>
    h(
      'p',
      { class: `deadline ${kind}` },
      h('span', { class: 'when' }, icon(kind === 'closed' ? 'lock' : 'clock'), h('span', null, text)),
      left !== '' && h('strong', { class: 'left' }, left),
    )
  switch (when.at) {
    case 'always':
      return null
    case 'before':
      return line('soon', t.opens(words.moment(when.ms)))
    case 'grace':
      return line('soon', t.grace(words.moment(when.ms)))
    case 'repair':
      return line('soon', t.repair(words.moment(when.ms)))
    case 'closed':
      return line('closed', t.closed(words.moment(when.ms)))
    case 'open': {
      const kind = when.leftMs < HOUR_MS ? 'last' : when.leftMs < DAY_MS ? 'soon' : 'far'
      return line(kind, t.deadline(words.moment(when.ms)), t.left(words.span(leftSeconds(when.leftMs))))
    }
  }
}

/** Seconds are shown only in the last hour: a running number makes people hurry. @param {number} leftMs */
export function leftSeconds(leftMs) {
  const step = leftMs < HOUR_MS ? 1 : 60
  return Math.floor(Math.max(0, leftMs) / 1000 / step) * step
}
