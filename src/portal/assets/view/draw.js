// The whole page, from top to bottom.

import { card } from './card.js'
import { dialog } from './dialog.js'
import { h, render } from './dom.js'
import { heading, masthead } from './header.js'
import { notice, waiting } from './notice.js'
import { serviceStatus } from './service-status.js'
import { summary } from './summary.js'
import { tray } from './tray.js'

/** @typedef {import('../page.js').Page} Page */

/** @param {Element} root @param {Page} page */
export function draw(root, page) {
  const { words, store } = page
  const { t } = words
  const { stage } = store
  const focused = document.activeElement
  const place = focused?.closest('.card, .tray')
  render(
    root,
    masthead(page),
    h('main', { key: 'main' }, [
      stage === 'loading' && waiting(t.loading),
      stage === 'trouble' && notice(t.troubleTitle, [t.troubleText]),
      stage === 'gone' && notice(t.goneTitle, [t.goneText]),
      stage === 'noAccess' && notice(t.noSessionTitle, [t.noSessionText]),
      stage === 'expired' && notice(t.expiredTitle, [t.expiredText, ...(page.sender.busy ? [t.expiredSending] : [])]),
      store.submission !== null && (stage === 'ready' || stage === 'expired') && content(page),
    ]),
    h(
      'footer',
      { key: 'footer' },
      page.expiresSoon && h('p', null, t.expiresSoon(words.moment(page.session.expMs))),
      h('p', null, t.foot),
    ),
    tray(page),
    page.question !== null && dialog(page.question),
  )
  if (focused?.isConnected === false) keepFocus(focused, place)
}

/**
 * If the focused element is gone (a button whose file was chosen), the focus moves to its file.
 * @param {Element} focused @param {Element | null | undefined} place
 */
function keepFocus({ id }, place) {
  const card = place?.isConnected === true ? place : null
  const next =
    (id === '' ? null : document.getElementById(id)) ??
    card?.querySelector('.file:last-child') ??
    card ??
    document.getElementById('files')
  const element = /** @type {HTMLElement | null} */ (next)
  element?.focus({ preventScroll: true })
}

/** @param {Page} page */
function content(page) {
  const { words, store } = page
  return h(
    'div',
    { class: 'content', key: 'content' },
    heading(page),
    h(
      'aside',
      { key: 'aside' },
      summary(page),
      page.live.line === 'polling' && h('p', { class: 'line' }, words.t.linePolling),
      serviceStatus(page),
    ),
    // What was handed in is said above: the details are for those who look for them.
    store.submission?.state === 'sealed'
      ? h('details', { class: 'more all-files', key: 'details' }, h('summary', null, words.t.fileDetails), files(page))
      : files(page),
  )
}

/** Every slot with its files. @param {Page} page */
function files(page) {
  const { words, store } = page
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
          slots.flatMap((slot, i) => (slot.domain === id ? [card(slot, i + 1, page)] : [])),
        ),
      ),
    ),
  )
}
