// The newest entries of the security log.

import { askSecurity } from './api.js'
import { el } from './dom.js'
import { table } from './tables.js'
import { clockTime } from './words.js'

/** @param {HTMLElement} main */
export async function showSecurity(main) {
  const { items } = await askSecurity()
  const rows = items.map((/** @type {any} */ one) =>
    el(
      'tr',
      {},
      el('td', {}, clockTime(one.at, { day: true, seconds: true })),
      el('td', {}, el('code', {}, one.event)),
      el('td', { class: one.result === 'ok' ? '' : 'bad' }, one.result),
      el('td', { class: 'text' }, one.by),
      el('td', {}, one.from ?? '–'),
      el('td', { class: 'text' }, one.on ?? '–'),
      el('td', { class: 'text' }, one.what),
    ),
  )
  if (rows.length === 0) rows.push(el('tr', {}, el('td', { class: 'empty', colspan: 7 }, 'none')))
  main.replaceChildren(
    el('p', { class: 'back' }, el('a', { href: '#day' }, '← dashboard')),
    table('security', 'Security log, newest first', ['at', 'event', 'result', 'who', 'from', 'on', 'what'], rows),
  )
}
