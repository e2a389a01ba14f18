// A progress bar with a text beside it.

import { h } from './dom.js'

/**
 * @param {string} name of the file
 * @param {number} share 0 to 1
 * @param {string} detail
 * @param {import('../words/words.js').Words} words
 */
export function progressBar(name, share, detail, { t }) {
  // Rounded down: 100 means complete.
  const percent = Math.min(100, Math.floor(share * 100))
  return h(
    'div',
    { class: 'progress', key: 'progress' },
    h(
      'div',
      {
        class: 'bar',
        role: 'progressbar',
        'aria-label': name,
        'aria-valuemin': '0',
        'aria-valuemax': '100',
        'aria-valuenow': percent,
        'aria-valuetext': t.sent(percent),
      },
      h('div', { class: 'fill', share: Math.min(1, share) }),
    ),
    h('p', { class: 'figures' }, h('strong', null, t.sent(percent)), h('span', null, detail)),
  )
}
