// Entry of the page: reads the session and the language, then starts the page or shows why it cannot.

import { Page } from './page.js'
import { languageOfAddress, openSession } from './session.js'
import { Announcer } from './view/announcer.js'
import { h, render } from './view/dom.js'
import { draw } from './view/draw.js'
import { masthead } from './view/header.js'
import { notice } from './view/notice.js'
import { preferredLanguage, rememberLanguage, Words } from './words/words.js'

const root = /** @type {HTMLElement} */ (document.getElementById('page'))
const region = /** @type {HTMLElement} */ (document.getElementById('announcements'))

const words = new Words(preferredLanguage(languageOfAddress()))
document.documentElement.lang = words.language
const session = openSession()

if (session === null) explain(words)
else new Page((page) => draw(root, page), session, words, new Announcer(region)).start()

// A new link in the same tab has another session and changes only the part after `#`.
addEventListener('hashchange', () => {
  if (new URLSearchParams(location.hash.slice(1)).has('token')) location.reload()
})

/** Shown when there is no session. @param {Words} now */
function explain(now) {
  const { t } = now
  document.title = t.title
  document.documentElement.lang = now.language
  const switchLanguage = () => {
    const next = new Words(now.language === 'th' ? 'en' : 'th')
    rememberLanguage(next.language)
    explain(next)
  }
  render(
    root,
    masthead({ words: now, switchLanguage }),
    h('main', { key: 'main' }, notice(t.noSessionTitle, [t.noSessionText])),
  )
}
