// The dashboard: arrivals and expected arrivals, open uploads, queues, processes.

import { askDay, turn } from './api.js'
import { draw } from './chart.js'
import { el, isCopying } from './dom.js'
import { byteScale } from './scale.js'
import { rejectionsTable, standingsTable } from './standings.js'
import { lanesTable, processesTable, refusalsTable, switchesList } from './tables.js'
import { bytesInWords, clockTime, numberInWords, timeInWords } from './words.js'

/** @typedef {Awaited<ReturnType<typeof askDay>>} DashboardSnapshot */

/**
 * @param {HTMLElement} door
 * @param {{ mood: string, words: string }} how
 */
export function showDoor(door, { mood, words }) {
  door.className = `chip ${mood}`
  door.textContent = words
}

/**
 * Whether new uploads are accepted, in words.
 *
 * @param {DashboardSnapshot} day
 * @internal
 */
export function doorOf({ admission, intake }) {
  const { accepting, draining } = intake
  if (admission) return { mood: 'bad', words: `New uploads closed: ${admission.reason}` }
  if (accepting.length === 0 && draining.length === 0) return { mood: 'bad', words: 'No new uploads: no service runs' }
  if (accepting.length === 0)
    return { mood: 'bad', words: `No new uploads: every service drains (${draining.join(', ')})` }
  if (draining.length > 0) return { mood: 'warn', words: `Open; draining ${draining.join(', ')}` }
  return { mood: 'good', words: 'Open for new uploads' }
}

/**
 * @param {HTMLElement} main
 * @param {DashboardSnapshot} day
 * @param {import('./standings.js').Standings | undefined} standings
 * @param {() => void} refresh
 */
export function showDay(main, day, standings, refresh) {
  // Redrawing would clear a text selection.
  if (isCopying(main)) return
  const focused = document.activeElement?.getAttribute('data-key')
  const charts = [arrivals(day), bytes(day), verdicts(day)]
  main.replaceChildren(
    tiles(day),
    el(
      'section',
      { class: 'tables people' },
      standingsTable(standings, Date.parse(day.at)),
      rejectionsTable(standings),
    ),
    el(
      'section',
      { class: 'charts' },
      ...charts.map(({ title, note, class: name }) =>
        el('figure', { class: name }, el('figcaption', {}, el('h2', {}, title), el('p', {}, ...note)), el('div')),
      ),
    ),
    el(
      'section',
      { class: 'tables' },
      lanesTable(day, applyChange(refresh)),
      el('div', {}, refusalsTable(day), switchesList(day, applyChange(refresh))),
      processesTable(day),
    ),
  )
  // Drawn after layout, when the width is known.
  for (const [i, box] of [...main.querySelectorAll('figure > div')].entries()) {
    const chart = charts[i]
    if (chart !== undefined) box.append(draw(chart.chart, box.clientWidth, box.clientHeight))
  }
  if (focused) /** @type {HTMLElement | null} */ (main.querySelector(`[data-key="${focused}"]`))?.focus()
}

/** @param {() => void} refresh */
function applyChange(refresh) {
  return (/** @type {string} */ what, /** @type {object} */ body) =>
    turn(what, body).then(refresh, (error) => alert(String(error)))
}

/** @param {DashboardSnapshot} day */
function tiles(day) {
  const { now, deadline, expected } = day
  const left = deadline ? (deadline.atMs - Date.parse(day.at)) / 1000 : 0
  const noun = now.paused === 1 ? 'upload' : 'uploads'
  const paused = now.paused > 0 ? `, ${numberInWords(now.paused)} ${noun} stalled (client gone)` : ''
  return el(
    'section',
    { class: 'tiles' },
    tile('Open uploads', numberInWords(now.open), `${bytesInWords(now.bytesLeft)} remaining${paused}`),
    tile('Receiving', `${bytesInWords(now.bytesPerSecond)}/s`, `${numberInWords(now.sending)} sending now`),
    tile(
      'New uploads',
      `${numberInWords(now.createdPerMinute)}/min`,
      `${numberInWords(day.totals.created)} in this period`,
    ),
    tile(
      'Refused',
      `${numberInWords(now.refusedPerMinute)}/min`,
      `${numberInWords(day.totals.refused)} in this period`,
      now.refusedPerMinute > 0 ? 'bad' : '',
    ),
    tile(
      'Verdicts',
      `${numberInWords(now.verdictsPerMinute)}/min`,
      now.verdictP95Seconds === null ? 'none in 5 min' : `95 % within ${timeInWords(now.verdictP95Seconds)}`,
      now.verdictP95Seconds !== null && now.verdictP95Seconds > 5 ? 'warn' : '',
    ),
    deadline === null
      ? tile('Deadline', '–', 'none within a day')
      : tile(
          left >= 0 ? `Deadline ${clockTime(deadline.at)}` : `Deadline was ${clockTime(deadline.at)}`,
          left >= 0 ? `in ${timeInWords(left)}` : `${timeInWords(-left)} ago`,
          `${numberInWords(deadline.submissions)} submissions` +
            (left > 0 && expected ? `; ${numberInWords(expected.stillToCome)} more uploads expected` : ''),
        ),
  )
}

/**
 * @param {string} name
 * @param {string} value
 * @param {string} more
 * @param {string} [mood]
 */
function tile(name, value, more, mood = '') {
  return el('div', { class: `tile ${mood}` }, el('h2', {}, name), el('strong', {}, value), el('p', {}, more))
}

/** The common members of all charts. @param {DashboardSnapshot} day */
function frame(day) {
  const nowMs = Date.parse(day.at)
  const points = day.expected?.points ?? []
  const ends = [nowMs, ...points.map((/** @type {{ atMs: number }} */ { atMs }) => atMs + day.bucketSeconds * 1000)]
  const deadlineMs = day.deadline?.atMs ?? 0
  // A near deadline is part of the time range.
  if (deadlineMs > nowMs && deadlineMs - nowMs < day.windowSeconds * 500) ends.push(deadlineMs)
  const toMs = Math.max(...ends)
  return {
    barMs: day.bucketSeconds * 1000,
    fromMs: nowMs - day.windowSeconds * 1000,
    toMs: toMs === nowMs ? nowMs : toMs + (day.windowSeconds * 1000) / 60,
    marks: day.deadline ? [{ atMs: deadlineMs, words: `deadline ${clockTime(deadlineMs)}`, row: 0 }] : [],
    nowMs,
  }
}

/** @param {DashboardSnapshot} day */
function arrivals(day) {
  const { nowMs, ...common } = frame(day)
  const perMinute = 60 / day.bucketSeconds
  const line = (day.expected?.points ?? []).map((/** @type {{ atMs: number, perMinute: number }} */ point) => ({
    atMs: point.atMs,
    value: point.perMinute,
  }))
  const bars = day.buckets.map((/** @type {{ atMs: number, created: number, refused: number }} */ bucket) => ({
    atMs: bucket.atMs,
    values: [bucket.created * perMinute, bucket.refused * perMinute],
  }))
  return {
    title: 'New uploads per minute',
    class: 'wide',
    note: [
      el('span', { class: 'key created' }, 'accepted'),
      el('span', { class: 'key refused' }, 'refused'),
      el('span', { class: 'key curve' }, 'expected arrivals'),
    ],
    chart: {
      ...common,
      bars,
      line,
      classes: ['created', 'refused'],
      inWords: numberInWords,
      marks: [...common.marks, ...(common.toMs > nowMs ? [{ atMs: nowMs, words: 'now', row: 1 }] : [])],
      label: 'New uploads per minute, accepted and refused, against expected arrivals',
    },
  }
}

/** @param {DashboardSnapshot} day */
function bytes(day) {
  const { nowMs: _, ...common } = frame(day)
  const bars = day.buckets.map((/** @type {{ atMs: number, bytes: number }} */ bucket) => ({
    atMs: bucket.atMs,
    values: [bucket.bytes / day.bucketSeconds],
  }))
  return {
    title: 'Bytes per second',
    class: '',
    note: [`${bytesInWords(day.totals.bytes)} in this period`],
    chart: { ...common, bars, classes: ['bytes'], inWords: bytesInWords, scale: byteScale, label: 'Bytes per second' },
  }
}

/** @param {DashboardSnapshot} day */
function verdicts(day) {
  const { nowMs: _, ...common } = frame(day)
  const perMinute = 60 / day.bucketSeconds
  const bars = day.buckets.map((/** @type {{ atMs: number, verdicts: number }} */ bucket) => ({
    atMs: bucket.atMs,
    values: [bucket.verdicts * perMinute],
  }))
  return {
    title: 'Verdicts per minute',
    class: '',
    note: [
      `${numberInWords(day.totals.finished)} uploads complete, ${numberInWords(day.totals.verdicts)} verdicts in this period`,
    ],
    chart: { ...common, bars, classes: ['verdicts'], inWords: numberInWords, label: 'Verdicts per minute' },
  }
}
