// "Is it healthy, and what is to be done?": a line for each part, in words, with the way to the chapter of the runbook.
// The limits are those of the alerts (docker/prometheus/rules.yml).

import { el } from './dom.js'
import { bytesInWords, timeInWords } from './words.js'

/** @typedef {'good' | 'warn' | 'bad' | 'unknown'} Mood */
/** @typedef {{ part: string, mood: Mood, words: string, chapter: string | null }} Line */
/** @typedef {{ mood: Mood, words: string, chapter: string }} Finding */
/** @typedef {Awaited<ReturnType<typeof import('./api.js').askPulse>>} Pulse */
/** @typedef {Awaited<ReturnType<typeof import('./api.js').askDay>>} DashboardSnapshot */

const GIB = 1024 ** 3
const SLOW_REDIS_MS = 200
const SLOW_STORE_MS = 1000
const BUSY = 0.95
const SKEW_MS = 10_000
const OLD_SECONDS = { validate: 60, others: 600 }
const STUCK = 'The workers are stuck'

/**
 * @param {Pulse} pulse
 * @param {DashboardSnapshot | undefined} day undefined: not known, since Redis has not answered
 * @returns {Line[]}
 */
export function linesOf(pulse, day) {
  return [
    ...part('Redis', redisFindings(pulse.redis), `takes writes, ${pulse.redis.milliseconds} ms`),
    ...part('Store', storeFindings(pulse.store), `${pulse.store.kind} answers, ${pulse.store.milliseconds} ms`),
    ...part('Disk', ...disk(pulse, day)),
    ...(day === undefined
      ? ['Services', 'Workers', 'Webhooks'].map(unknown)
      : [
          ...part(
            'Services',
            serviceFindings(day),
            count(day.intake.accepting.length, 'accepts new uploads', 'accept new uploads'),
          ),
          ...part(
            'Workers',
            workerFindings(day),
            count(workersOf(day).length, 'runs, no job is old', 'run, no job is old'),
          ),
          ...part('Webhooks', webhookFindings(day), `${day.webhooks.lastHour.delivered} delivered in an hour`),
        ]),
    ...alertLines(pulse.alerts),
  ]
}

/** @param {string} name @param {Finding[]} findings @param {string} well what is said where nothing is wrong @returns {Line[]} */
function part(name, findings, well) {
  if (findings.length === 0) return [{ part: name, mood: 'good', words: well, chapter: null }]
  return findings.map((finding) => ({ part: name, ...finding }))
}

/** @param {string} name @returns {Line} */
function unknown(name) {
  return { part: name, mood: 'unknown', words: 'not known until Redis answers', chapter: null }
}

/** @param {number} n @param {string} one @param {string} many */
function count(n, one, many) {
  return `${n} ${n === 1 ? one : many}`
}

/** @param {Pulse['redis']} look @returns {Finding[]} */
function redisFindings({ up, refused, error, milliseconds }) {
  const chapter = 'Redis is lost'
  if (refused) return [{ mood: 'bad', words: `takes no writes: ${error}`, chapter }]
  if (!up) return [{ mood: 'bad', words: 'does not answer', chapter }]
  if (milliseconds < SLOW_REDIS_MS) return []
  return [{ mood: 'warn', words: `slow: ${milliseconds} ms`, chapter: 'Answers are slow' }]
}

/** @param {Pulse['store']} look @returns {Finding[]} */
function storeFindings({ up, error, milliseconds }) {
  const chapter = 'The bucket is slow'
  if (!up) return [{ mood: 'bad', words: `does not answer: ${error}`, chapter }]
  return milliseconds < SLOW_STORE_MS ? [] : [{ mood: 'warn', words: `slow: ${milliseconds} ms`, chapter }]
}

/** @param {Pulse} pulse @param {DashboardSnapshot | undefined} day @returns {[Finding[], string]} */
function disk({ freeBytes }, day) {
  const reports = (day?.processes.alive ?? []).flatMap((/** @type {any} */ { freeBytes: free, instance }) =>
    free === undefined ? [] : [{ free, where: instance }],
  )
  const all = freeBytes === null ? reports : [...reports, { free: freeBytes, where: day?.instance ?? 'this process' }]
  const [least] = all.toSorted(
    (/** @type {{ free: number }} */ a, /** @type {{ free: number }} */ b) => a.free - b.free,
  )
  if (least === undefined)
    return [[{ mood: 'unknown', words: 'does not tell its free space', chapter: 'The disk is full' }], '']
  const words = `${bytesInWords(least.free)} free${all.length > 1 ? ' at least' : ''} (${least.where})`
  const mood = least.free < 2 * GIB ? 'bad' : least.free < 10 * GIB ? 'warn' : 'good'
  return [mood === 'good' ? [] : [{ mood, words, chapter: 'The disk is full' }], words]
}

/** @param {DashboardSnapshot} day @returns {Finding[]} */
function serviceFindings(day) {
  const { admission, intake, processes } = day
  /** @type {Finding[]} */
  const findings = []
  const closed = 'New uploads are closed'
  if (admission)
    findings.push({ mood: 'bad', words: `closed by ${admission.by}: ${admission.reason}`, chapter: closed })
  if (intake.draining.length > 0) {
    const all = intake.accepting.length === 0
    const words = `${all ? 'all drain, none accepts new uploads' : 'drained'}: ${intake.draining.join(', ')}`
    findings.push({ mood: all ? 'bad' : 'warn', words, chapter: closed })
  } else if (intake.accepting.length === 0)
    findings.push({ mood: 'bad', words: 'none runs', chapter: 'No service answers' })
  const silent = processes.silent.filter((/** @type {any} */ { role }) => role !== 'worker')
  if (silent.length > 0) findings.push(gone(silent))
  const busy = processes.alive.filter((/** @type {any} */ one) => one.role === 'service' && one.loopShare > BUSY)
  if (busy.length > 0)
    findings.push({ mood: 'warn', words: `busy without a pause: ${namesOf(busy)}`, chapter: 'Answers are slow' })
  const skewed = processes.alive.filter((/** @type {any} */ { clockSkewMs = 0 }) => Math.abs(clockSkewMs) > SKEW_MS)
  if (skewed.length > 0)
    findings.push({ mood: 'bad', words: `wrong clock: ${namesOf(skewed)}`, chapter: 'A clock is wrong' })
  return findings
}

/** @param {DashboardSnapshot} day */
function workersOf({ processes }) {
  return processes.alive.filter((/** @type {any} */ { role }) => role === 'worker')
}

/** @param {DashboardSnapshot} day @returns {Finding[]} */
function workerFindings(day) {
  /** @type {Finding[]} */
  const findings = []
  const workers = workersOf(day)
  if (workers.length === 0) findings.push({ mood: 'bad', words: 'none runs: no verdicts', chapter: STUCK })
  const silent = day.processes.silent.filter((/** @type {any} */ { role }) => role === 'worker')
  if (silent.length > 0) findings.push(gone(silent))
  for (const [name, lane] of Object.entries(day.lanes)) {
    if (lane.paused) findings.push({ mood: 'warn', words: `${name} is paused`, chapter: STUCK })
    const isRun = workers.some((/** @type {any} */ { lanes = {} }) => (lanes[name] ?? 0) > 0)
    if (workers.length > 0 && lane.waiting > 0 && !isRun)
      findings.push({ mood: 'bad', words: `no worker runs ${name}: ${lane.waiting} wait`, chapter: STUCK })
    else if (lane.oldestWaitingSeconds > (name === 'validate' ? OLD_SECONDS.validate : OLD_SECONDS.others)) {
      const words = `${name === 'validate' ? 'a verdict' : name} has waited ${timeInWords(lane.oldestWaitingSeconds)}`
      findings.push({ mood: name === 'validate' ? 'bad' : 'warn', words, chapter: STUCK })
    }
    if (lane.failed > 0 && name !== 'notify')
      findings.push({ mood: 'warn', words: `${lane.failed} failed in ${name}`, chapter: 'Jobs fail' })
  }
  return findings
}

/** @param {DashboardSnapshot} day @returns {Finding[]} */
function webhookFindings({ lanes, webhooks }) {
  const chapter = 'Webhook deliveries failing'
  const { lastHour, lastTenMinutes } = webhooks
  const { delayed, failed } = lanes.notify
  /** @type {Finding[]} */
  const findings = []
  const tried = lastTenMinutes.delivered + lastTenMinutes.repeated + lastTenMinutes.failed
  if (delayed > lastHour.delivered)
    findings.push({
      mood: 'bad',
      words: `${delayed} wait for a retry, ${lastHour.delivered} delivered in an hour`,
      chapter,
    })
  else if (lastTenMinutes.failed * 2 > tried)
    findings.push({ mood: 'bad', words: `${lastTenMinutes.failed} of ${tried} failed in ten minutes`, chapter })
  if (failed > 0) findings.push({ mood: 'warn', words: `${failed} given up`, chapter })
  return findings
}

/** @param {any[]} silent @returns {Finding} */
function gone(silent) {
  return { mood: 'warn', words: `no heartbeat from ${namesOf(silent)}`, chapter: 'A process is gone' }
}

/** @param {{ name: string }[]} some */
function namesOf(some) {
  return some.map(({ name }) => name).join(', ')
}

/** @param {Pulse['alerts']} alerts @returns {Line[]} */
function alertLines({ state, error, firing = [] }) {
  const name = 'Alerts'
  if (state === 'off')
    return [{ part: name, mood: 'unknown', words: 'not shown: PROMETHEUS_URL is not set', chapter: null }]
  if (state === 'away')
    return [{ part: name, mood: 'warn', words: `Prometheus does not answer: ${error}`, chapter: null }]
  const lines = firing.map((/** @type {any} */ { severity, summary, chapter }) => ({
    part: name,
    mood: /** @type {Mood} */ (severity === 'page' ? 'bad' : 'warn'),
    words: summary,
    chapter,
  }))
  return lines.length > 0 ? lines : [{ part: name, mood: 'good', words: 'none fires', chapter: null }]
}

const WORST = { bad: 0, warn: 1, unknown: 2, good: 2 }

/** Redrawn only if it changed, so that a link can be clicked. @param {HTMLElement} box @param {Line[]} lines */
export function showHealth(box, lines) {
  const key = JSON.stringify(lines)
  if (box.dataset['shown'] === key) return
  box.dataset['shown'] = key
  const wrong = lines.filter(({ mood }) => mood === 'bad' || mood === 'warn')
  const title =
    wrong.length === 0 ? 'Healthy' : wrong.length === 1 ? '1 thing to look at' : `${wrong.length} things to look at`
  const worst = lines.toSorted((a, b) => WORST[a.mood] - WORST[b.mood])
  box.replaceChildren(
    el('h2', { class: wrong.some(({ mood }) => mood === 'bad') ? 'bad' : wrong.length > 0 ? 'warn' : 'good' }, title),
    el('ul', {}, ...worst.map(lineOf)),
  )
}

/** @param {Line} line */
function lineOf({ part: name, mood, words, chapter }) {
  return el(
    'li',
    { class: mood },
    el('strong', {}, name),
    el('span', {}, words),
    chapter === null ? null : el('a', { href: `console/runbook#${anchorOf(chapter)}`, target: '_blank' }, 'What to do'),
  )
}

/** @param {string} chapter */
function anchorOf(chapter) {
  return chapter.toLowerCase().replaceAll(' ', '-')
}
