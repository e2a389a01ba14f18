// Entry of the teacher's page: the element for a whole submission, with a head around it. The session is in the address.

import { readSession } from '../../../clients/upload-element/src/session.js'
import { SongnganUpload } from '../../../clients/upload-element/src/songngan-upload.js'
import { h, render } from '../../../clients/upload-element/src/view/dom.js'
import { Words } from '../../../clients/upload-element/src/words/words.js'
import { preferredLanguage, rememberLanguage } from './chrome/language.js'
import { masthead } from './chrome/masthead.js'
import { serviceHere } from './chrome/service.js'
import { languageOfAddress, openToken } from './chrome/token.js'

const root = /** @type {HTMLElement} */ (document.getElementById('page'))
let words = new Words(preferredLanguage(languageOfAddress()))
const token = openToken()

const element = new SongnganUpload()
element.service = serviceHere().href
element.token = token

/** Of the files that are being sent; null: none is. @type {number | null} */
let percent = null
element.addEventListener('songngan-progress', (event) => {
  percent = /** @type {CustomEvent<{percent: number | null}>} */ (event).detail.percent
  entitle()
})

function entitle() {
  const id = readSession(token)?.submission
  const name = id === undefined ? words.t.title : `${words.t.title} · ${id}`
  document.title = percent === null ? name : `${percent}% · ${name}`
}

function draw() {
  document.documentElement.lang = words.language
  element.lang = words.language
  entitle()
  render(
    root,
    masthead({ words, switchLanguage, toFiles: () => element.focus() }),
    h(
      'main',
      { key: 'main' },
      h('h1', null, words.t.heading),
      h('div', { key: 'element', made: (/** @type {Element} */ place) => place.append(element) }),
    ),
  )
}

function switchLanguage() {
  words = new Words(words.language === 'th' ? 'en' : 'th')
  rememberLanguage(words.language)
  draw()
}

// A file that misses its place by a little must not replace the page.
for (const kind of ['dragover', 'drop']) addEventListener(kind, (event) => event.preventDefault())

// A new link in the same tab has another session and changes only the part after `#`.
addEventListener('hashchange', () => {
  if (new URLSearchParams(location.hash.slice(1)).has('token')) location.reload()
})

draw()
