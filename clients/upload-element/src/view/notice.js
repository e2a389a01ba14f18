// A notice instead of the page or above it, with the reason.

import { h } from './dom.js'
import { icon } from './icons.js'

/**
 * @param {string} title @param {string[]} texts @param {import('./dom.js').Content} [action]
 */
export function notice(title, texts, action) {
  return h(
    'section',
    { class: 'notice', key: 'notice', role: 'alert' },
    h('h2', null, icon('warn'), title),
    texts.map((text) => h('p', null, text)),
    action,
  )
}

/** @param {string} words */
export function waiting(words) {
  return h('p', { class: 'waiting', key: 'waiting', role: 'status' }, words)
}
