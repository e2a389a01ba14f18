// A question that must be answered before something is done that cannot be undone.

import { h } from './dom.js'

/** @typedef {{title: string, text: string, yes: string, answer: (sure: boolean) => void}} Question */

/** @param {Question} question @param {import('../words/words.js').Words} words */
export function dialog({ title, text, yes, answer }, { t }) {
  return h(
    'dialog',
    {
      key: 'dialog',
      'aria-labelledby': 'dialog-title',
      made: (/** @type {HTMLDialogElement} */ element) => queueMicrotask(() => element.showModal()),
      // Also by the key that closes dialogues.
      onclose: () => answer(false),
    },
    h('h2', { id: 'dialog-title' }, title),
    text !== '' && h('p', null, text),
    h(
      'p',
      { class: 'actions' },
      h('button', { type: 'button', class: 'button', onclick: () => answer(false) }, t.no),
      h('button', { type: 'button', class: 'button main', onclick: () => answer(true) }, yes),
    ),
  )
}
