// A file that this page handles: being checked, blocked, sent or waiting.

import { chooser } from './chooser.js'
import { h } from './dom.js'
import { dotted } from './dotted.js'
import { icon } from './icons.js'
import { localProblemText } from './problems.js'
import { progressBar } from './progress.js'

/** @typedef {import('../panel.js').Panel} Panel */
/** @typedef {import('../model/rows.js').Row} Row */
/** @typedef {import('../sending/job.js').Job} Job */
/**
 * What a row knows of the slot that it stands in.
 * @typedef {object} CardModel
 * @property {string} id
 * @property {import('../model/profile.js').SlotRules | undefined} rules
 * @property {string} accept of file inputs
 * @property {boolean} several whether the slot takes more than one file
 * @property {boolean} mayUpload
 * @property {boolean} mayBegin whether a new file may be sent, not only an unfinished one gone on with
 * @property {boolean} toChange a return asks for another file
 * @property {boolean} busy in a slot for one file: one is on its way already
 * @property {(id: string) => import('./dom.js').Content} tooLate what the slot says of one of its uploads
 */
/** @typedef {[words: string, act: () => unknown, kind?: string]} Action */

/** @param {Row} row @param {CardModel} card @param {Panel} panel */
export function localBody(row, card, panel) {
  const { job } = row
  if (job === null) return null
  if (job.phase === 'blocked') return blocked(job, card, panel)
  if (job.phase === 'different') return different(job, card, panel)
  if (job.phase === 'refused' || job.phase === 'unreadable') return ended(job, card, panel)
  return onItsWay(job, row, panel)
}

/** @param {Job} job @param {Row} row @param {Panel} panel */
function onItsWay(job, row, panel) {
  const { words } = panel
  const { t } = words
  const share = job.file.size === 0 ? 0 : job.sentBytes / job.file.size
  const begun = job.sentBytes > 0 || job.url !== null
  return [
    begun &&
      job.phase !== 'stored' &&
      progressBar(row.name, share, t.ofBytes(words.bytes(job.sentBytes), words.bytes(job.file.size)), words),
    h('p', { class: `note ${job.phase}` }, icon(phaseIcon(job)), h('span', null, phaseWords(job, panel))),
    job.finding?.large === true &&
      job.phase === 'sending' &&
      h('p', { class: 'facts' }, t.checks.large(words.bytes(job.file.size))),
    row.upload === null && job.replaces !== null && h('p', { class: 'facts' }, t.replaceLater),
    buttons(actionsOf(job, panel)),
  ]
}

/** @param {Job} job @returns {import('./icons.js').IconName} */
function phaseIcon({ phase }) {
  if (phase === 'offline') return 'offline'
  if (phase === 'paused') return 'pause'
  if (phase === 'sending') return 'up'
  return phase === 'stored' ? 'done' : 'clock'
}

/** @param {Job} job @param {Panel} panel */
function phaseWords(job, { words, now }) {
  const { t } = words
  switch (job.phase) {
    case 'preparing':
      return t.preparing
    case 'queued':
      return t.queued
    case 'paused':
      return t.paused
    case 'offline':
      return t.offline
    case 'taken':
      return t.taken
    case 'waiting':
      return t.waiting(Math.max(0, Math.ceil(((job.retryAtMs ?? 0) - now()) / 1000)))
    case 'stored':
      return t.stored
    default:
      return pace(job, words)
  }
}

/** @param {Job} job @param {import('../words/words.js').Words} words */
function pace(job, words) {
  const { t } = words
  const speed = job.speed.bytesPerSecond
  if (speed === null) return t.starting
  const left = job.secondsLeft
  return dotted([t.perSecond(words.bytes(speed)), left === null ? '' : t.timeLeft(words.span(rounded(left)))])
}

/** Rounded, so that the text does not change all the time. @param {number} seconds */
function rounded(seconds) {
  const step = seconds > 3600 ? 300 : seconds > 600 ? 60 : seconds > 90 ? 15 : seconds > 20 ? 5 : 1
  return Math.max(step, Math.round(seconds / step) * step)
}

/** @param {Job} job @param {Panel} panel @returns {Action[]} */
function actionsOf(job, panel) {
  const { t } = panel.words
  /** @type {Action} */
  const cancel = [t.cancel, () => panel.cancel(job), 'plain']
  switch (job.phase) {
    case 'sending':
    case 'queued':
    case 'offline':
      return [[t.pause, () => panel.sender.pause(job)], cancel]
    case 'waiting':
      return [[t.now, () => panel.sender.resume(job)], cancel]
    case 'paused':
      return [[t.resume, () => panel.sender.resume(job), 'main'], cancel]
    case 'taken':
      return [
        [t.takeBack, () => panel.sender.resume(job)],
        [t.dismiss, () => panel.sender.drop(job), 'plain'],
      ]
    default:
      return []
  }
}

/** @param {Action[]} actions */
function buttons(actions) {
  if (actions.length === 0) return null
  return h(
    'p',
    { class: 'actions' },
    actions.map(([words, act, kind = '']) =>
      h('button', { type: 'button', class: `button ${kind}`, onclick: act }, words),
    ),
  )
}

/** It has a problem, and no byte was sent. @param {Job} job @param {CardModel} card @param {Panel} panel */
function blocked(job, card, panel) {
  const { words } = panel
  const { t } = words
  const { problems = [], verdict = 'stop' } = job.finding ?? {}
  return [
    h(
      'ul',
      { class: 'problems' },
      problems.map((problem) =>
        h('li', { class: 'reject' }, icon('problem'), h('p', null, localProblemText(problem, card.rules, words))),
      ),
    ),
    h('p', { class: 'facts' }, t.checks.notSent),
    h(
      'p',
      { class: 'actions' },
      again(job, card, panel),
      verdict === 'ask' &&
        h('button', { type: 'button', class: 'button', onclick: () => panel.sender.enqueue(job) }, t.sendAnyway),
      h('button', { type: 'button', class: 'button plain', onclick: () => panel.sender.drop(job) }, t.dismiss),
    ),
  ]
}

/** @param {Job} job @param {CardModel} card @param {Panel} panel */
function different(job, card, panel) {
  const { t } = panel.words
  return [
    h('p', { class: 'note' }, icon('warn'), h('span', null, t.different(job.expected?.name ?? ''))),
    h(
      'p',
      { class: 'actions' },
      again(job, card, panel),
      h('button', { type: 'button', class: 'button', onclick: () => panel.sendInstead(job) }, t.sendInstead),
      h('button', { type: 'button', class: 'button plain', onclick: () => panel.sender.drop(job) }, t.dismiss),
    ),
  ]
}

/** The service refused it, or the browser can no longer read it. @param {Job} job @param {CardModel} card @param {Panel} panel */
function ended(job, card, panel) {
  const { words } = panel
  const { t } = words
  const refusal = job.refusal === null ? t.troubleTitle : words.of(job.refusal)
  return [
    h(
      'ul',
      { class: 'problems' },
      h('li', { class: 'reject' }, icon('problem'), h('p', null, job.phase === 'unreadable' ? t.unreadable : refusal)),
    ),
    h(
      'p',
      { class: 'actions' },
      again(job, card, panel),
      h('button', { type: 'button', class: 'button plain', onclick: () => panel.sender.drop(job) }, t.dismiss),
    ),
  ]
}

/** @param {Job} job @param {CardModel} card @param {Panel} panel */
function again(job, card, panel) {
  const { t } = panel.words
  const { slot, replaces, expected } = job
  return chooser({
    id: `again-${job.key}`,
    words: t.choose,
    label: `${t.choose}: ${job.file.name}`,
    accept: card.accept,
    main: true,
    chosen: (file) => {
      panel.sender.drop(job)
      panel.choose(file, { slot, replaces, expected })
    },
  })
}
