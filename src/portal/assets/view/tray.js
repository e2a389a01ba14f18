// At the foot of the window while files are sent: how far all of it is, and whether the page may be closed.

import { h } from './dom.js'
import { dotted } from './dotted.js'
import { icon } from './icons.js'

/** @param {import('../page.js').Page} page */
export function tray(page) {
  const { t } = page.words
  if (page.live.line === 'offline' && !page.sender.busy) return strip('offline', 'offline', t.lineOffline, '')
  const active = page.sender.jobs.filter((job) => job.active)
  if (active.length > 0) return sending(active, page)
  if (page.mayClose && !page.trayClosed)
    return strip('good', 'done', t.mayClose, t.mayCloseText, closing(page))
  return null
}

/** @param {import('../sending/job.js').Job[]} active @param {import('../page.js').Page} page */
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

/** @param {import('../page.js').Page} page */
function closing(page) {
  const { t } = page.words
  return h(
    'button',
    { type: 'button', class: 'close', 'aria-label': t.close, onclick: () => page.closeTray() },
    icon('fault'),
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
    h('p', null, h('strong', null, title), text !== '' && h('span', null, text)),
    button,
  )
}
