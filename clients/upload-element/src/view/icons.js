// The icons of the page, as lines. Each stands beside a text that says the same.

import { h } from './dom.js'

const PATHS = {
  video: 'M4 6.500h11v11H4z M15 10.500l5-3v9l-5-3z',
  pdf: 'M6 3h8l4 4v14H6z M14 3v4h4 M9 12h6 M9 16h6',
  image: 'M4 5h16v14H4z M4 16l5-5 4 4 3-3 4 4',
  audio: 'M9 18V6l10-2v12 M9 18a2.500 2.500 0 1 1-2.500-2.500M19 16a2.500 2.500 0 1 1-2.500-2.500',
  done: 'M5 12.500l4.500 4.500L19 7.500',
  warn: 'M12 4L2.500 20h19z M12 10v4.500 M12 17.200v.1',
  problem: 'M6 6l12 12 M18 6L6 18',
  clock: 'M12 3a9 9 0 1 0 0 18 9 9 0 0 0 0-18z M12 7v5l3.500 2',
  up: 'M12 19V6 M6 11.500 12 5.500l6 6',
  pause: 'M9 6v12 M15 6v12',
  dash: 'M6 12h12',
  offline: 'M3 3l18 18 M5 12.500a10 10 0 0 1 3-2 M16 10.500a10 10 0 0 1 3 2 M8.500 16a5 5 0 0 1 7 0 M12 19.500v.1',
  lock: 'M6 11h12v9H6z M8.500 11V8a3.500 3.500 0 0 1 7 0v3',
  back: 'M9 14 4 9l5-5 M4 9h10a6 6 0 0 1 0 12h-3',
  page: 'M6 3h8l4 4v14H6z M14 3v4h4',
  download: 'M12 4v11 M7 11l5 5 5-5 M5 20h14',
  open: 'M14 4h6v6 M20 4l-9 9 M18 14v6H4V6h6',
}

/** @typedef {keyof typeof PATHS} IconName */

/** @param {IconName} name @param {string} [kind] a class of its own */
export function icon(name, kind = '') {
  return h(
    'svg',
    { class: `icon ${kind}`, viewBox: '0 0 24 24', 'aria-hidden': 'true', focusable: 'false' },
    h('path', { d: PATHS[name] }),
  )
}
