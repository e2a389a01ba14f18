// Entry of the check page: whoever has a receipt, as a file, as text or on paper, sees here what it proves. No login.

import { Announcer } from '../../../clients/upload-element/src/view/announcer.js'
import { preferredLanguage } from './chrome/language.js'
import { CheckPage } from './verify/check-page.js'
import { CheckWords } from './verify/check-words.js'
import { drawCheck } from './verify/view.js'

const root = /** @type {HTMLElement} */ (document.getElementById('page'))
const region = /** @type {HTMLElement} */ (document.getElementById('announcements'))
const words = new CheckWords(preferredLanguage(null))
const page = new CheckPage((now) => drawCheck(root, now), words, new Announcer(region))

// A QR code has the id after `#`: browsers send that to no server.
const openId = () => {
  const id = decodeURIComponent(location.hash.slice(1))
  if (id !== '') void page.checkId(id)
}
addEventListener('hashchange', openId)

// A file that misses the frame by a little must not replace the page.
addEventListener('dragover', (event) => event.preventDefault())
addEventListener('drop', (event) => {
  event.preventDefault()
  void page.take([...(event.dataTransfer?.files ?? [])])
})

page.changed()
openId()
