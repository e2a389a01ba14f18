// A button that opens the file dialog, and a drop target. The file input itself is the control, for
// keyboards and screen readers; its label is what is visible.

import { h } from './dom.js'
import { icon } from './icons.js'

/**
 * @param {object} options
 * @param {string} options.id unique on the page
 * @param {string} options.words on the button
 * @param {string} [options.label] for screen readers, if the words alone are not enough
 * @param {string} options.accept
 * @param {boolean} [options.main] the next action
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
        // Reset, so that choosing the same file again causes an event.
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
