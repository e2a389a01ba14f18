// The bar at the bottom of the window: progress while files are sent, then the next step.

import { whenOf } from '../model/dates.js'
import { slotsToChange } from '../model/returned.js'
import { standingOf } from '../model/standing.js'
import { h } from './dom.js'
import { dotted } from './dotted.js'
import { icon } from './icons.js'
import { sealButton } from './seal.js'

const DAY_MS = 86_400_000

/** @param {import('../panel.js').Panel} panel */
export function tray(panel) {
  const { t } = panel.words
  if (panel.live.line === 'offline' && !panel.sender.busy) return strip('offline', 'offline', t.lineOffline, '')
  const active = panel.sender.jobs.filter((job) => job.active)
  if (active.length > 0) return sending(active, panel)
  if (mustHandIn(panel)) return next(panel)
  return panel.hasSent && !panel.trayClosed ? next(panel) : null
}

/**
 * Complete and not handed in, with a day left or less: shown on every page and not to be closed, whoever sent the files.
 * @param {import('../panel.js').Panel} panel
 */
function mustHandIn({ store: { submission, stage }, api, seal }) {
  if (submission === null || stage !== 'ready' || seal.state === 'sealing') return false
  const standing = standingOf(submission, api.now())
  if (standing === 'overNotHandedIn') return true
  const when = whenOf(submission, api.now())
  return standing === 'notHandedIn' && when.at !== 'always' && (when.at !== 'open' || when.leftMs <= DAY_MS)
}

/** The next step after sending. The page may be closed only if the submission is sealed, or will be automatically. @param {import('../panel.js').Panel} panel */
function next(panel) {
  const { seal, store, words } = panel
  const { t } = words
  const { submission, stage } = store
  if (submission === null || stage !== 'ready')
    return strip('open', 'up', t.next.arrived, t.expiredText, closing(panel))
  if (submission.state === 'sealed') return strip('good', 'lock', t.next.sealed, '', closing(panel))
  if (submission.sealRequestedAt !== null) return strip('good', 'done', t.next.armed, t.next.armedText, closing(panel))
  const standing = standingOf(submission, panel.api.now())
  if (standing === 'byItself') return strip('good', 'done', t.next.byItself, t.next.byItselfText, closing(panel))
  if (standing === 'overByItself')
    return strip('good', 'clock', t.standing.overByItself, t.next.byItselfText, closing(panel))
  if (standing === 'lapsed') return null
  const { missing, pending } = submission
  const toChange = slotsToChange(submission)
  const open = (/** @type {string} */ text, /** @type {import('./dom.js').Content} */ button) =>
    strip('open', 'warn', t.next.notSealed, text, [button, !mustHandIn(panel) && closing(panel)])
  const [first] = [...toChange, ...missing]
  if (first !== undefined) {
    const show = () => panel.goTo(`slot-${first}`)
    const text = toChange.length > 0 ? t.next.toChange(toChange.length) : t.next.missing(missing.length)
    return open(text, h('button', { type: 'button', class: 'button', onclick: show }, t.next.show))
  }
  const mayOnlyWait = pending.length > 0
  if (seal.allowed && seal.state !== 'unavailable')
    return open(mayOnlyWait ? t.next.pending : t.next.complete, sealButton(submission, panel))
  return open(mayOnlyWait ? t.next.pendingElsewhere : t.sealElsewhere, null)
}

/** @param {import('../sending/job.js').Job[]} active @param {import('../panel.js').Panel} panel */
function sending(active, { words }) {
  const { t } = words
  const offline = active.every(({ phase }) => phase === 'offline')
  const all = active.reduce((sum, { file }) => sum + file.size, 0)
  const sent = active.reduce((sum, { sentBytes }) => sum + sentBytes, 0)
  const percent = all === 0 ? 0 : Math.floor((sent / all) * 100)
  const words1 = offline ? t.waitingFiles(active.length) : t.sendingFiles(active.length)
  return h(
    'div',
    { class: `tray ${offline ? 'offline' : 'sending'}`, key: 'tray' },
    h('div', { class: 'fill', share: all === 0 ? 0 : sent / all }),
    icon(offline ? 'offline' : 'up'),
    h(
      'p',
      null,
      h('strong', null, dotted([words1, `${percent}%`])),
      h('span', null, offline ? t.lineOffline : t.keepOpen),
    ),
  )
}

/** @param {import('../panel.js').Panel} panel */
function closing(panel) {
  const { t } = panel.words
  return h(
    'button',
    { type: 'button', class: 'close', 'aria-label': t.close, onclick: () => panel.closeTray() },
    icon('problem'),
  )
}

/**
 * @param {string} kind @param {import('./icons.js').IconName} name @param {string} title @param {string} text
 * @param {import('./dom.js').Content} [button]
 */
function strip(kind, name, title, text, button) {
  return h(
    'div',
    { class: `tray ${kind}`, key: 'tray' },
    icon(name),
    h('p', { role: 'status' }, h('strong', null, title), text !== '' && h('span', null, text)),
    button,
  )
}
