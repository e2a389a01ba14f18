// The summary: what is done, missing and being checked; and the next action.

import { lastReturn, slotsToChange } from '../model/returned.js'
import { rowsOf, slotState } from '../model/rows.js'
import { goTo, h } from './dom.js'
import { icon } from './icons.js'
import { sealing } from './seal.js'

/** @typedef {import('../page.js').Page} Page */
/** @typedef {import('../model/store.js').Submission} Submission */

/** @param {Page} page */
export function summary(page) {
  const { submission } = page.store
  if (submission === null) return null
  const { t } = page.words
  const items = itemsOf(submission)
  const done = items.filter(({ state }) => state === 'done').length
  return h(
    'section',
    { class: `summary ${moodOf(submission)}`, key: 'summary', 'aria-label': t.progressLabel },
    h('h2', null, icon(iconOf(submission)), titleOf(submission, page)),
    returnReason(submission, page),
    textOf(submission, page).map((text) => h('p', null, text)),
    submission.state !== 'sealed' && [
      h(
        'div',
        { class: 'segments', 'aria-hidden': 'true' },
        items.map(({ slot, state }) => h('span', { key: slot, class: state })),
      ),
      h('p', { class: 'count' }, t.ofSlots(done, items.length)),
    ],
    slotList(t.toChange, slotsToChange(submission), 'change', page),
    slotList(t.missing, submission.missing, 'missing', page),
    slotList(t.pending, submission.pending, 'pending', page),
    sealing(submission, page),
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

/** A returned submission is not shown as good, though its files still are: changes were requested. @param {Submission} submission */
function moodOf({ state, complete }) {
  if (state === 'returned') return 'returned'
  return state === 'sealed' || complete ? 'good' : 'open'
}

/** @param {Submission} submission @returns {import('./icons.js').IconName} */
function iconOf(submission) {
  if (submission.state === 'sealed') return 'lock'
  const mood = moodOf(submission)
  if (mood === 'returned') return 'back'
  return mood === 'good' ? 'done' : 'clock'
}

/** @param {Submission} submission @param {Page} page */
function titleOf({ state, complete, missing, sealRequestedAt }, { words: { t } }) {
  if (state === 'sealed') return t.sealed
  if (state === 'returned') return t.returned
  if (sealRequestedAt !== null) return t.armed
  if (complete) return t.complete
  return missing.length === 0 ? t.allPending : t.incomplete
}

/** @param {Submission} submission @param {Page} page @returns {string[]} */
function textOf({ state, complete, creditedAt, revisions }, { words, seal }) {
  const { t } = words
  const sealedAt = revisions.at(-1)?.sealedAt
  return [
    state === 'sealed' && sealedAt !== undefined ? t.sealedText(words.moment(sealedAt)) : '',
    state === 'returned' ? `${t.returnedText} ${seal.allowed ? t.returnedSeal : t.sealElsewhere}` : '',
    state === 'open' && complete ? `${t.completeText} ${seal.allowed ? t.completeSeal : t.sealElsewhere}` : '',
    creditedAt === null ? '' : t.credited(words.moment(creditedAt, true)),
    state === 'sealed' ? t.sealedProof : '',
  ].filter((text) => text !== '')
}

/** The reason, as written by the person who returned it. @param {Submission} submission @param {Page} page */
function returnReason(submission, { words: { t } }) {
  const last = lastReturn(submission)
  if (submission.state !== 'returned' || last?.reason === undefined) return null
  return h('p', { class: 'reason' }, h('strong', null, t.reason), ' ', h('span', null, last.reason))
}

/** @param {string} title @param {string[]} slots @param {string} kind @param {Page} page */
function slotList(title, slots, kind, page) {
  if (slots.length === 0) return null
  const labels = page.labels(slots)
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
          h('a', { href: `#slot-${slot}`, onclick: (/** @type {Event} */ event) => follow(event, slot) }, labels[i]),
          kind === 'missing' && progressOf(slot, page),
        ),
      ),
    ),
  )
}

/** Progress of a missing slot; empty if nothing was started. @param {string} id @param {Page} page */
function progressOf(id, { store, sender, words: { t } }) {
  const slot = store.submission?.slots.find((candidate) => candidate.slot === id)
  if (slot === undefined) return null
  const state = slotState(slot, rowsOf(slot, store, sender.jobs).rows)
  return state === 'empty' ? null : [' ', h('span', { class: `how ${state}` }, t.slotStates[state])]
}

/** @param {Event} event @param {string} slot */
function follow(event, slot) {
  event.preventDefault()
  goTo(`slot-${slot}`)
}
