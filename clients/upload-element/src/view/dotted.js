// Short facts side by side. The dots between them are drawn by CSS: the position of a letter depends on the font.

import { h } from './dom.js'

/** @param {import('./dom.js').Content[]} parts empty ones are left out @param {string} [kind] a class of its own */
export function dotted(parts, kind = '') {
  const told = parts.filter((part) => part !== '' && part !== null && part !== undefined && part !== false)
  return h(
    'span',
    { class: `dotted ${kind}` },
    // The space is for copying and for screen readers.
    told.map((part, i) => [h('span', null, part), i < told.length - 1 && ' ']),
  )
}
