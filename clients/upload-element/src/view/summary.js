// The summary: what is done, missing and being checked; and the next action.

import { whenOf } from '../model/dates.js'
import { lastReturn, slotsToChange } from '../model/returned.js'
import { rowsOf, slotState } from '../model/rows.js'
import { endsMs, standingOf } from '../model/standing.js'
import { h } from './dom.js'
import { handedIn } from './handed-in.js'
import { leftSeconds } from './heading.js'
import { icon } from './icons.js'
import { sealing } from './seal.js'

/** @typedef {import('../panel.js').Panel} Panel */
/** @typedef {import('../model/store.js').Submission} Submission */
/** @typedef {import('../model/standing.js').Standing} Standing */

/** @type {Record<Standing, {mood: string, mark: import('./icons.js').IconName}>} */
const LOOKS = {
  incomplete: { mood: 'open', mark: 'clock' },
  pending: { mood: 'open', mark: 'clock' },
  armed: { mood: 'good', mark: 'done' },
  // Not green: at twenty to twelve, green says that nothing is left to do.
  notHandedIn: { mood: 'urgent', mark: 'warn' },
  byItself: { mood: 'good', mark: 'clock' },
  returned: { mood: 'returned', mark: 'back' },
  sealed: { mood: 'good', mark: 'lock' },
  sealedByItself: { mood: 'good', mark: 'lock' },
  overByItself: { mood: 'open', mark: 'clock' },
  overPending: { mood: 'returned', mark: 'clock' },
  overNotHandedIn: { mood: 'urgent', mark: 'warn' },
  lapsed: { mood: 'lapsed', mark: 'problem' },
}

/** @param {Panel} panel */
export function summary(panel) {
  const { submission } = panel.store
  if (submission === null) return null
  const { t } = panel.words
  const standing = standingOf(submission, panel.api.now())
  const { mood, mark } = LOOKS[standing]
  const items = itemsOf(submission)
  const done = items.filter(({ state }) => state === 'done').length
  return h(
    'section',
    { class: `summary ${mood}`, key: 'summary', 'aria-label': t.progressLabel },
    h('h2', null, icon(mark), t.standing[standing]),
    returnReason(submission, panel),
    textOf(submission, standing, panel).map((text) => h('p', null, text)),
    submission.state !== 'sealed' && [
      h(
        'div',
        { class: 'segments', 'aria-hidden': 'true' },
        items.map(({ slot, state }) => h('span', { key: slot, class: state })),
      ),
      h('p', { class: 'count' }, t.ofSlots(done, items.length)),
    ],
    slotList(t.toChange, slotsToChange(submission), 'change', panel),
    slotList(t.missing, submission.missing, 'missing', panel),
    slotList(t.pending, submission.pending, 'pending', panel),
    handedIn(panel),
    standing !== 'lapsed' && sealing(submission, panel),
  )
}

/** Slots that need a file or have one, in order. @param {Submission} submission */
function itemsOf(submission) {
  const { slots, missing, pending } = submission
  const toDo = [...missing, ...slotsToChange(submission)]
  return slots.flatMap(({ slot, counted }) => {
    if (toDo.includes(slot)) return [{ slot, state: 'missing' }]
    if (counted.length > 0) return [{ slot, state: 'done' }]
    return pending.includes(slot) ? [{ slot, state: 'pending' }] : []
  })
}

/** @param {Submission} submission @param {Standing} standing @param {Panel} panel @returns {string[]} */
function textOf(submission, standing, { words, seal, api }) {
  const { t } = words
  const { state, deadline, creditedAt, revisions, sealAtDeadline } = submission
  const when = whenOf(submission, api.now())
  const sealedAt = revisions.at(-1)?.sealedAt
  const end = deadline === null ? '' : words.moment(endsMs(submission))
  const how = (/** @type {string} */ here) => (seal.allowed ? here : t.sealElsewhere)
  /** @type {Partial<Record<Standing, string[]>>} */
  const texts = {
    incomplete: [sealAtDeadline && deadline !== null ? t.byItselfIfComplete(end) : ''],
    pending: [sealAtDeadline && deadline !== null ? t.byItselfIfGood(end) : ''],
    notHandedIn: [
      `${t.completeText} ${how(t.completeSeal)}`,
      when.at === 'open' ? t.leftUntil(words.span(leftSeconds(when.leftMs)), words.moment(when.ms)) : '',
    ],
    byItself: [t.byItselfText(end), seal.allowed ? t.byItselfSeal : ''],
    returned: [`${t.returnedText} ${how(t.returnedSeal)}`],
    sealed: [sealedAt === undefined ? '' : t.sealedText(words.moment(sealedAt, true))],
    sealedByItself: [sealedAt === undefined ? '' : t.sealedByItselfText(words.moment(sealedAt, true))],
    overByItself: [t.overByItselfText],
    overPending: [t.overPendingText],
    overNotHandedIn: [`${t.overCompleteText} ${how(t.overCompleteSeal)}`],
    lapsed: [t.lapsedText, t.lapsedHelp],
  }
  // Beside “not handed in” it would be read as the time of handing in.
  const isDone = ['sealed', 'sealedByItself', 'armed', 'byItself', 'overByItself'].includes(standing)
  const credited = creditedAt === null || !isDone ? '' : t.credited(words.moment(creditedAt, true))
  const frozen = state === 'sealed' ? t.sealedFixed : ''
  return [...(texts[standing] ?? []), credited, frozen].filter((text) => text !== '')
}

/** The reason, as written by the person who returned it. @param {Submission} submission @param {Panel} panel */
function returnReason(submission, { words: { t } }) {
  const last = lastReturn(submission)
  if (submission.state !== 'returned' || last?.reason === undefined) return null
  return h('p', { class: 'reason' }, h('strong', null, t.reason), ' ', h('span', null, last.reason))
}

/** @param {string} title @param {string[]} slots @param {string} kind @param {Panel} panel */
function slotList(title, slots, kind, panel) {
  if (slots.length === 0) return null
  const labels = panel.labels(slots)
  return h(
    'div',
    { class: `slots ${kind}`, key: kind },
    h('h3', null, title),
    h(
      'ul',
      null,
      slots.map((slot, i) =>
        h(
          'li',
          { key: slot },
          h(
            'a',
            { href: `#slot-${slot}`, onclick: (/** @type {Event} */ event) => follow(event, slot, panel) },
            labels[i],
          ),
          kind === 'missing' && progressOf(slot, panel),
        ),
      ),
    ),
  )
}

/** Progress of a missing slot; empty if nothing was started. @param {string} id @param {Panel} panel */
function progressOf(id, { store, sender, words: { t } }) {
  const slot = store.submission?.slots.find((candidate) => candidate.slot === id)
  if (slot === undefined) return null
  const state = slotState(slot, rowsOf(slot, store, sender.jobs).rows)
  return state === 'empty' ? null : [' ', h('span', { class: `how ${state}` }, t.slotStates[state])]
}

/** @param {Event} event @param {string} slot @param {Panel} panel */
function follow(event, slot, panel) {
  event.preventDefault()
  panel.goTo(`slot-${slot}`)
}
