// The head of a page: the service, and the other language.

import { h } from '../../../../clients/upload-element/src/view/dom.js'
import { icon } from '../../../../clients/upload-element/src/view/icons.js'

/** @param {{words: import('../../../../clients/upload-element/src/words/words.js').Words, switchLanguage: () => void, toFiles: () => void}} page */
export function masthead({ words, switchLanguage, toFiles }) {
  const { t } = words
  const skip = (/** @type {Event} */ event) => {
    // The fragment of the address stays as it is.
    event.preventDefault()
    toFiles()
  }
  return h(
    'header',
    { class: 'masthead', key: 'masthead' },
    h('a', { class: 'skip', href: '#files', onclick: skip }, t.skip),
    h('p', { class: 'brand' }, h('span', { class: 'mark' }, icon('up')), t.title),
    h(
      'button',
      {
        type: 'button',
        class: 'language',
        lang: words.language === 'th' ? 'en' : 'th',
        'aria-label': `${t.otherLanguage}: ${t.switchLanguage}`,
        onclick: switchLanguage,
      },
      t.otherLanguage,
    ),
  )
}
