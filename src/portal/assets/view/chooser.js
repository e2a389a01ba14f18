// A button that opens the browser's file dialogue, and a place to drop a file on. The input itself is the control, so that
// keyboards and screen readers have what they know; its label is what is seen.

import { h } from './dom.js'
import { icon } from './icons.js'

/**
 * @param {object} options
 * @param {string} options.id unique on the page
 * @param {string} options.words on the button
 * @param {string} [options.label] for screen readers, where the words alone do not say what the file is for
 * @param {string} options.accept
 * @param {boolean} [options.main] the thing to do next
 * @param {(file: File) => void} options.chosen
 */
export function chooser({ id, words, label, accept, main = false, chosen }) {
  return h(
    'span',
    { class: 'chooser', key: id },
    h('input', {
      type: 'file',
      id,
      accept,
      class: 'unseen',
      ...(label === undefined ? {} : { 'aria-label': label }),
      onchange: (/** @type {any} */ event) => {
        const [file] = event.target.files
        if (file !== undefined) chosen(file)
        // The same file chosen again is to be heard, too.
        event.target.value = ''
      },
    }),
    h('label', { for: id, class: main ? 'button main' : 'button' }, icon('up'), words),
  )
}

/** Handlers of an element on which a file may be dropped. @param {(file: File) => void} chosen */
export function dropTarget(chosen) {
  const mark = (/** @type {any} */ event, /** @type {boolean} */ over) => {
    event.preventDefault()
    event.currentTarget.classList.toggle('dropping', over)
  }
  return {
    ondragover: (/** @type {DragEvent} */ event) => mark(event, true),
    ondragleave: (/** @type {DragEvent} */ event) => mark(event, false),
    ondrop: (/** @type {DragEvent} */ event) => {
      mark(event, false)
      const [file] = event.dataTransfer?.files ?? []
      if (file !== undefined) chosen(file)
    },
  }
}
