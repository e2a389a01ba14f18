// The whole element, from top to bottom: all slots of a submission with its summary, or one slot alone.

import { card } from './card.js'
import { dialog } from './dialog.js'
import { h, render } from './dom.js'
import { heading, timeLeft } from './heading.js'
import { notice, waiting } from './notice.js'
import { serviceStatus } from './service-status.js'
import { summary } from './summary.js'
import { tray } from './tray.js'

/** @typedef {import('../panel.js').Panel} Panel */

/** @param {Panel} panel */
export function draw(panel) {
  const { words, store, place, slot } = panel
  const { t } = words
  const { stage } = store
  const focused = panel.root.activeElement
  const near = focused?.closest('.card, .tray')
  place.lang = words.language
  render(
    place,
    stage === 'loading' && waiting(t.loading),
    stage === 'trouble' && notice(t.troubleTitle, [t.troubleText]),
    stage === 'gone' && notice(t.goneTitle, [t.goneText]),
    stage === 'noAccess' && notice(t.noSessionTitle, [t.noSessionText]),
    stage === 'expired' && notice(t.expiredTitle, [t.expiredText, ...(panel.sender.busy ? [t.expiredSending] : [])]),
    store.submission !== null &&
      (stage === 'ready' || stage === 'expired') &&
      (slot === null ? content(panel) : oneSlot(slot, panel)),
    slot === null && foot(panel),
    slot === null && tray(panel),
    panel.question !== null && dialog(panel.question),
  )
  if (focused?.isConnected === false) keepFocus(focused, near, panel)
}

/** Without a session nothing is asked of the service. @param {Element} place @param {import('../words/words.js').Words} words @param {boolean} expected one may still come */
export function drawClosed(place, { t }, expected) {
  render(place, expected ? waiting(t.loading) : notice(t.noSessionTitle, [t.noSessionText]))
}

/**
 * If the focused element is gone (a button whose file was chosen), the focus moves to its file.
 * @param {Element} focused @param {Element | null | undefined} near @param {Panel} panel
 */
function keepFocus({ id }, near, { root }) {
  const card = near?.isConnected === true ? near : null
  const next =
    (id === '' ? null : root.getElementById(id)) ??
    card?.querySelector('.file:last-child') ??
    card ??
    root.getElementById('files')
  const element = /** @type {HTMLElement | null} */ (next)
  element?.focus({ preventScroll: true })
}

/** @param {Panel} panel */
function content(panel) {
  const { words, store } = panel
  const sealed = store.submission?.state === 'sealed'
  return h(
    'div',
    { class: sealed ? 'content sealed' : 'content', key: 'content' },
    heading(panel),
    h('aside', { key: 'aside' }, summary(panel), lines(panel)),
    // What was handed in is said above: the details are for those who look for them.
    sealed
      ? h('details', { class: 'more all-files', key: 'details' }, h('summary', null, words.t.fileDetails), files(panel))
      : files(panel),
  )
}

/** @param {string} id @param {Panel} panel */
function oneSlot(id, panel) {
  const slot = panel.store.submission?.slots.find((candidate) => candidate.slot === id)
  return h(
    'div',
    { class: 'single', key: 'single', id: 'files', tabindex: '-1' },
    timeLeft(panel),
    lines(panel),
    slot === undefined ? notice(id, [panel.words.t.noSlot]) : h('ul', { class: 'cards' }, card(slot, null, panel)),
  )
}

/** What is to be said of the connection and of the service. @param {Panel} panel */
function lines(panel) {
  const { t } = panel.words
  const offline = panel.slot !== null && panel.live.line === 'offline'
  return [
    panel.live.line === 'polling' && h('p', { class: 'line', key: 'polling' }, t.linePolling),
    offline && h('p', { class: 'line', key: 'offline', role: 'status' }, t.lineOffline),
    serviceStatus(panel),
  ]
}

/** Every slot with its files. @param {Panel} panel */
function files(panel) {
  const { words, store } = panel
  const slots = store.submission?.slots ?? []
  const domains = store.profile?.domains ?? []
  const named = domains.filter(({ id }) => slots.some(({ domain }) => domain === id))
  return h(
    'div',
    { class: 'domains', id: 'files', tabindex: '-1', key: 'domains' },
    named.map(({ id, label }) =>
      h(
        'section',
        { class: 'domain', key: id, 'aria-labelledby': `domain-${id}` },
        h('h2', { id: `domain-${id}` }, words.of(label)),
        h(
          'ul',
          { class: 'cards' },
          slots.flatMap((slot, i) => (slot.domain === id ? [card(slot, i + 1, panel)] : [])),
        ),
      ),
    ),
  )
}

/** @param {Panel} panel */
function foot({ words, work, session }) {
  const { t } = words
  return h(
    'div',
    { class: 'foot', key: 'foot' },
    work.expiresSoon && h('p', null, t.expiresSoon(words.moment(session.expMs))),
    h('p', null, t.foot),
  )
}
