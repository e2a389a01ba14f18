// One slot: its requirements, its state, its files, and the next action.

import { acceptOf } from '../model/profile.js'
import { slotsToChange } from '../model/returned.js'
import { rowsOf, slotState } from '../model/rows.js'
import { chooser, dropTarget } from './chooser.js'
import { h } from './dom.js'
import { dotted } from './dotted.js'
import { fields } from './fields.js'
import { fileRow } from './file-row.js'
import { icon } from './icons.js'
import { problemList } from './problems.js'
import { ruleLines } from './rules.js'

/** @typedef {import('../panel.js').Panel} Panel */
/** @typedef {import('../model/store.js').Submission} Submission */
/** @typedef {import('../model/rows.js').Row} Row */
/** @typedef {import('../model/rows.js').Slot} Slot */
/** @typedef {import('./local-row.js').CardModel} CardModel */

/** @type {Record<ReturnType<typeof slotState>, import('./icons.js').IconName>} */
const ICONS = {
  empty: 'dash',
  blocked: 'warn',
  optional: 'dash',
  receiving: 'up',
  unfinished: 'pause',
  checking: 'clock',
  accepted: 'done',
  rejected: 'problem',
}

/** @param {Slot} slot @param {number | null} number its place among the others @param {Panel} panel */
export function card(slot, number, panel) {
  const { words, store, sender } = panel
  const { t } = words
  const rules = store.profile?.slots.get(slot.slot)
  const { rows, earlier } = rowsOf(slot, store, sender.jobs)
  const toChange = slotsToChange(/** @type {Submission} */ (store.submission)).includes(slot.slot)
  const state = toChange ? 'rejected' : slotState(slot, rows)
  const model = { ...modelOf(slot, rules, rows, panel), toChange }
  const chosen = (/** @type {File} */ file) => panel.choose(file, { slot: slot.slot })
  const open = model.mayBegin && !model.busy && mayAdd(slot, rows)
  const own = slot.problems.filter(({ upload }) => upload === undefined)
  return h(
    'li',
    {
      key: slot.slot,
      id: `slot-${slot.slot}`,
      class: `card ${state}`,
      tabindex: '-1',
      ...(open ? dropTarget(chosen) : {}),
    },
    h(
      'header',
      null,
      h(
        'h3',
        null,
        number !== null && [h('span', { class: 'number' }, number), ' '],
        h('span', null, words.of(slot.label)),
      ),
      h('p', { class: `state ${state}` }, icon(ICONS[state]), t.slotStates[state]),
    ),
    rules !== undefined && ruleLines(rules, slot, words),
    slot.alternativeTo !== undefined &&
      h('p', { class: 'facts' }, t.insteadOf(panel.labels(slot.alternativeTo).join(', '))),
    rows.length > 0 &&
      h(
        'ul',
        { class: 'files' },
        rows.map((row) => fileRow(row, model, panel)),
      ),
    problemList(own, words),
    rules !== undefined && fields(slot, rules, panel),
    open && adding(slot, rows, model, chosen, panel),
    model.mayUpload && !model.mayBegin && rows.length === 0 && late(slot.slot, panel),
    history(earlier, words),
  )
}

/** @param {Slot} slot @param {CardModel['rules']} rules @param {Row[]} rows @param {Panel} panel @returns {Omit<CardModel, 'toChange'>} */
function modelOf(slot, rules, rows, panel) {
  const several = slot.max > 1
  return {
    id: slot.slot,
    rules,
    accept: rules === undefined ? '' : acceptOf(rules),
    several,
    mayUpload: panel.mayUpload,
    mayBegin: panel.mayBegin(slot.slot),
    busy:
      !several && rows.some(({ kind }) => ['local', 'elsewhere', 'unfinished', 'checking', 'failed'].includes(kind)),
    tooLate: (id) => {
      const said = slot.problems.filter(
        ({ upload, code }) =>
          upload === id && (code === 'STORED_TOO_LATE' || code === 'SLOT_OVERFULL' || code === 'PLAN_TIME_MISMATCH'),
      )
      return problemList(said, panel.words)
    },
  }
}

/** A slot for one file that has a file takes another only as a replacement. @param {Slot} slot @param {Row[]} rows */
function mayAdd(slot, rows) {
  const taken = rows.filter(({ kind, job }) => kind !== 'rejected' && job?.replaces == null).length
  return slot.max === 1 ? rows.length === 0 : taken < slot.max
}

/** @param {Slot} slot @param {Row[]} rows @param {CardModel} model @param {(file: File) => void} chosen @param {Panel} panel */
function adding(slot, rows, model, chosen, { words }) {
  const { t } = words
  const label = words.of(slot.label)
  const more = rows.length > 0
  return h(
    'p',
    { class: 'actions adding', key: 'adding' },
    chooser({
      id: `choose-${slot.slot}`,
      words: !more ? t.choose : rows.every(({ kind }) => kind === 'rejected') ? t.replace : t.add,
      label: more ? t.addFor(label) : t.chooseFor(label),
      accept: model.accept,
      main: slot.state !== 'accepted' && slot.min > 0,
      chosen,
    }),
    h('span', { class: 'drop-hint', 'aria-hidden': 'true' }, t.dropHere),
  )
}

/** In grace: no new file may be started, unless there was an attempt in time. @param {string} slot @param {Panel} panel */
function late(slot, panel) {
  const { t } = panel.words
  const asked = panel.grace.get(slot) !== undefined
  return h(
    'div',
    { class: 'late', key: 'late' },
    h('p', { class: 'facts' }, asked ? t.graceNo : t.graceOver),
    !asked && h('button', { type: 'button', class: 'button small', onclick: () => panel.askGrace(slot) }, t.graceAsk),
  )
}

/** @param {import('../model/store.js').ListedUpload[]} earlier @param {import('../words/words.js').Words} words */
function history(earlier, words) {
  const { t } = words
  if (earlier.length === 0) return null
  return h(
    'details',
    { class: 'more', key: 'history' },
    h('summary', null, t.history(earlier.length)),
    h(
      'ul',
      { class: 'history' },
      earlier.map((upload) =>
        h(
          'li',
          { key: upload.id },
          h('span', null, upload.declared.filename || t.unnamed),
          dotted([outcome(upload, t), words.moment(upload.storedAt ?? upload.createdAt)], 'facts'),
        ),
      ),
    ),
  )
}

/** @param {import('../model/store.js').ListedUpload} upload @param {import('../words/th.js').Table} t */
function outcome({ superseded, state }, t) {
  if (superseded) return t.outcomes.superseded
  return state === 'rejected' || state === 'expired' || state === 'cancelled' ? t.outcomes[state] : t.outcomes.accepted
}
