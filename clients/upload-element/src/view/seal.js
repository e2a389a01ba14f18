// The hand-in button, if the session has `seal`. A complete submission can be sealed; one that only waits for verdicts can
// be sealed automatically after them, and this can be withdrawn.

import { h } from './dom.js'
import { icon } from './icons.js'

/** @typedef {import('../panel.js').Panel} Panel */
/** @typedef {import('../model/store.js').Submission} Submission */

/** @param {Submission} submission @param {Panel} panel */
export function sealing(submission, panel) {
  const { seal, words } = panel
  if (!seal.allowed || submission.state === 'sealed') return null
  const armed = submission.sealRequestedAt !== null
  const told = toldOf(submission, panel)
  return h(
    'div',
    { class: 'seal', key: 'seal' },
    armed
      ? h('button', { type: 'button', class: 'button', onclick: () => seal.withdraw() }, words.t.sealWithdraw)
      : seal.state !== 'unavailable' && sealButton(submission, panel),
    told !== '' && h('p', { class: 'facts', role: 'status' }, told),
  )
}

/** @param {Submission} submission @param {Panel} panel */
export function sealButton(submission, { seal, words: { t } }) {
  const waiting = isWaiting(submission)
  const busy = seal.state === 'sealing'
  return h(
    'button',
    {
      type: 'button',
      class: 'button main',
      disabled: busy || !(submission.complete || waiting),
      onclick: () => seal.ask(waiting),
    },
    icon('lock'),
    busy ? t.sealing : waiting ? t.sealWhenComplete : submission.state === 'returned' ? t.sealAgain : t.seal,
  )
}

/** Nothing is missing, and verdicts are pending. @param {Submission} submission */
function isWaiting({ complete, missing, pending }) {
  return !complete && missing.length === 0 && pending.length > 0
}

/** @param {Submission} submission @param {Panel} panel */
function toldOf(submission, { seal: { state }, words: { t } }) {
  if (submission.sealRequestedAt !== null) return t.sealArmed
  if (state === 'incomplete') return t.sealIncomplete
  if (state === 'unavailable') return t.sealUnavailable
  if (state === 'trouble') return t.troubleTitle
  return submission.complete || isWaiting(submission) ? '' : t.sealLater
}
