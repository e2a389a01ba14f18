// The tables of the dashboard: lanes, refusals, processes, operator changes.

import { el } from './dom.js'
import { bytesInWords, clockTime, numberInWords, timeInWords } from './words.js'

/** @typedef {Awaited<ReturnType<typeof import('./api.js').askDay>>} DashboardSnapshot */
/** @typedef {(what: string, body: object) => Promise<void>} ApplyChange */

/** Waiting times in seconds that are marked as too long; shortest for verdicts, which people wait for. */
const OLD_SECONDS = { validate: 30, inspect: 1800, transcode: 3600, notify: 300, maintain: 300 }

/** @param {DashboardSnapshot} day @param {ApplyChange} applyChange */
export function lanesTable(day, applyChange) {
  const rows = Object.entries(day.lanes).map(([name, lane]) => {
    const old = lane.oldestWaitingSeconds > (OLD_SECONDS[/** @type {keyof typeof OLD_SECONDS} */ (name)] ?? 600)
    const waits = lane.waiting + lane.active > 0
    const drain = lane.paused ? 'paused' : lane.drainSeconds === null ? 'stalled' : timeInWords(lane.drainSeconds)
    return el(
      'tr',
      { class: lane.paused ? 'warn' : '' },
      el('th', { scope: 'row' }, name, lane.concurrency === null ? null : el('small', {}, ` × ${lane.concurrency}`)),
      number(lane.waiting),
      number(lane.active),
      number(lane.delayed),
      number(lane.failed, lane.failed > 0 ? 'bad' : ''),
      el('td', { class: old ? 'bad' : '' }, lane.waiting > 0 ? timeInWords(lane.oldestWaitingSeconds) : '–'),
      el('td', {}, `${numberInWords(lane.donePerMinute)}/min`),
      el('td', { class: waits && lane.drainSeconds === null ? 'bad' : '' }, waits ? drain : '–'),
      day.readOnly ? null : el('td', {}, pauseButton(name, lane, applyChange)),
    )
  })
  return table(
    'lanes',
    'Queues',
    ['lane', 'waiting', 'running', 'delayed', 'failed', 'oldest', 'done', 'drained in', ...(day.readOnly ? [] : [''])],
    rows,
  )
}

/** @param {string} name @param {{ paused: boolean }} lane @param {ApplyChange} applyChange */
function pauseButton(name, { paused }, applyChange) {
  const turn = () => void applyChange(`lanes/${name}`, { paused: !paused })
  return el('button', { type: 'button', 'data-key': `lane-${name}`, click: turn }, paused ? 'resume' : 'pause')
}

/** @param {DashboardSnapshot} day */
export function refusalsTable(day) {
  const row =
    (/** @type {string} */ kind) =>
    (/** @type {{ code: string, count: number }} */ { code, count }) =>
      el('tr', {}, el('th', { scope: 'row' }, el('code', {}, code)), number(count), el('td', {}, kind))
  const rows = [
    ...day.refusals.slice(0, 7).map(row('refused')),
    ...day.held.slice(0, 3).map(row('told to retry later')),
  ]
  if (rows.length === 0) rows.push(el('tr', {}, el('td', { class: 'empty', colspan: 3 }, 'none in this period')))
  return table('refusals', 'Refusals', ['code', 'answers', ''], rows)
}

/** A difference between clocks that somebody has to look at. */
const NOTABLE_SKEW_MS = 5000

/** @param {any} one of the processes that live */
function stateInWords({ draining, clockSkewMs = 0 }) {
  const state = draining ? 'draining' : 'alive'
  if (Math.abs(clockSkewMs) < NOTABLE_SKEW_MS) return state
  return `${state}, clock ${timeInWords(Math.abs(clockSkewMs) / 1000)} ${clockSkewMs > 0 ? 'ahead' : 'behind'}`
}

/** @param {DashboardSnapshot} day */
export function processesTable(day) {
  const { alive, silent } = day.processes
  const nowMs = Date.parse(day.at)
  const row = (/** @type {any} */ one, /** @type {boolean} */ isAlive) =>
    el(
      'tr',
      { class: isAlive ? '' : 'bad' },
      el('th', { scope: 'row' }, one.role, ' ', el('small', {}, one.name)),
      el('td', {}, isAlive ? stateInWords(one) : `no heartbeat for ${timeInWords((nowMs - one.atMs) / 1000)}`),
      el('td', {}, timeInWords((nowMs - one.startedAtMs) / 1000)),
      el('td', {}, `${Math.round(one.loopShare * 100)} %`),
      el('td', {}, bytesInWords(one.rssBytes)),
    )
  const rows = [
    ...silent.map((/** @type {any} */ one) => row(one, false)),
    ...alive.map((/** @type {any} */ one) => row(one, true)),
  ]
  const workers = alive.filter((/** @type {any} */ { role }) => role === 'worker').length
  const title = `${alive.length} processes alive, ${workers === 1 ? 'one' : workers} of them ${workers === 1 ? 'a worker' : 'workers'}`
  return table('processes', title, ['process', 'state', 'up for', 'busy', 'memory'], rows, workers === 0 ? 'bad' : '')
}

/** @param {DashboardSnapshot} day @param {ApplyChange} applyChange */
export function switchesList(day, applyChange) {
  const rows = day.log.map((/** @type {{ at: string, by: string, what: string }} */ { at, by, what }) =>
    el('li', {}, el('time', { datetime: at }, clockTime(at)), ' ', what, el('small', {}, ` ${by}`)),
  )
  return el(
    'section',
    { class: 'switches' },
    el('h2', {}, 'Operator changes'),
    day.readOnly ? null : doorForm(day, applyChange),
    rows.length === 0 ? el('p', { class: 'empty' }, 'None.') : el('ol', {}, ...rows),
  )
}

/** @param {DashboardSnapshot} day @param {ApplyChange} applyChange */
function doorForm(day, applyChange) {
  if (day.admission) {
    const open = () => void applyChange('admission', { open: true })
    return el('button', { type: 'button', 'data-key': 'door', click: open }, 'Open for new uploads')
  }
  const close = () => {
    const reason = prompt('New uploads will be refused; running uploads continue. Reason (shown to callers):')
    if (reason?.trim()) void applyChange('admission', { open: false, reason: reason.trim() })
  }
  return el('button', { type: 'button', 'data-key': 'door', click: close }, 'Close for new uploads …')
}

/** @param {number} n @param {string} [mood] */
function number(n, mood = '') {
  return el('td', { class: mood }, numberInWords(n))
}

/**
 * @param {string} name
 * @param {string} title
 * @param {string[]} heads
 * @param {Node[]} rows
 * @param {string} [mood]
 */
export function table(name, title, heads, rows, mood = '') {
  return el(
    'section',
    { class: name },
    el('h2', { class: mood }, title),
    el(
      'div',
      { class: 'scroll' },
      el(
        'table',
        {},
        el('thead', {}, el('tr', {}, ...heads.map((head) => el('th', { scope: 'col' }, head)))),
        el('tbody', {}, ...rows),
      ),
    ),
  )
}
