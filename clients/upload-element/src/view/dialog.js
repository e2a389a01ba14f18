// A confirmation before an action that cannot be undone.

import { h } from './dom.js'

/** The buttons name the action. @typedef {{title: string, text: string, yes: string, no: string, answer: (sure: boolean) => void}} Question */

/** Closes it before it is removed, so that the focus returns. @param {string} answer */
function close(answer) {
  return (/** @type {any} */ event) => event.currentTarget.closest('dialog').close(answer)
}

/** @param {Question} question */
export function dialog({ title, text, yes, no, answer }) {
  return h(
    'dialog',
    {
      key: 'dialog',
      class: 'dialog',
      'aria-labelledby': 'dialog-title',
      'aria-describedby': 'dialog-text',
      made: (/** @type {HTMLDialogElement} */ element) => queueMicrotask(() => element.showModal()),
      // Also called for the Escape key.
      onclose: (/** @type {any} */ event) => answer(event.target.returnValue === 'yes'),
    },
    h('h2', { id: 'dialog-title' }, title),
    h('p', { id: 'dialog-text' }, text),
    h(
      'p',
      { class: 'actions' },
      h('button', { type: 'button', class: 'button', onclick: close('no') }, no),
      h('button', { type: 'button', class: 'button main', onclick: close('yes') }, yes),
    ),
  )
}
