// The console: loads the dashboard every two seconds, or shows a search result. The current view is
// in the address, so that it can be shared: `#day`, `#find=text`, `#case=owner/submission`, `#security`.

import { askDay } from './api.js'
import { doorOf, showDay, showDoor } from './day.js'
import { el, isCopying } from './dom.js'
import { showCase, showFound } from './find.js'
import { showSecurity } from './security.js'
import { showTrouble, troubleOfError, troubleOfRefusal } from './trouble.js'
import { clockTime } from './words.js'

const EVERY_MS = 2000
const WINDOWS = [
  { minutes: 10, words: '10 min' },
  { minutes: 60, words: '1 h' },
  { minutes: 240, words: '4 h' },
  { minutes: 1440, words: '24 h' },
]

const byId = (/** @type {string} */ id) => /** @type {HTMLElement} */ (document.getElementById(id))
const main = byId('main')
const text = /** @type {HTMLInputElement} */ (byId('text'))
let minutes = WINDOWS[0]?.minutes ?? 10
/** @type {any} */
let day

for (const { minutes: wanted, words } of WINDOWS) {
  const choose = () => {
    minutes = wanted
    markWindow()
    void look()
  }
  byId('windows').append(el('button', { type: 'button', 'data-minutes': wanted, click: choose }, words))
}

function markWindow() {
  for (const button of byId('windows').querySelectorAll('button'))
    button.setAttribute('aria-pressed', String(Number(button.dataset['minutes']) === minutes))
}

async function look() {
  try {
    day = await askDay(minutes)
  } catch (error) {
    const trouble = troubleOfError(error, day?.at)
    showDoor(byId('door'), { mood: 'bad', words: trouble.door })
    showTrouble(byId('trouble'), trouble)
    document.body.classList.add('stale')
    return
  }
  document.body.classList.remove('stale')
  byId('clock').textContent = clockTime(day.at, { seconds: true })
  const trouble = troubleOfRefusal(day.refusal)
  showDoor(byId('door'), trouble === null ? doorOf(day) : { mood: 'bad', words: trouble.door })
  showTrouble(byId('trouble'), trouble)
  const wanted = place()
  if (wanted === undefined) showDay(main, day, look)
  // Reloaded, so that new attempts of the person, and new events, appear.
  else if (wanted.kind !== 'find' && !isCopying(main)) await go()
}

/** The view in the address; the default is the dashboard. */
function place() {
  const [, kind, rest = ''] = /^#(find|case|security)(?:=(.*))?$/.exec(location.hash) ?? []
  return kind === undefined ? undefined : { kind, rest: decodeURIComponent(rest) }
}

async function go() {
  const wanted = place()
  document.body.classList.toggle('searching', wanted !== undefined)
  if (wanted === undefined) {
    main.replaceChildren()
    if (day !== undefined) showDay(main, day, look)
    return
  }
  try {
    if (wanted.kind === 'find') {
      text.value = wanted.rest
      await showFound(main, wanted.rest)
    } else if (wanted.kind === 'security') await showSecurity(main)
    else await showCase(main, wanted.rest)
  } catch (error) {
    main.replaceChildren(el('p', { class: 'empty' }, String(error)))
  }
}

byId('search').addEventListener('submit', (event) => {
  event.preventDefault()
  const hash = text.value.trim() === '' ? '#day' : `#find=${encodeURIComponent(text.value.trim())}`
  if (location.hash === hash) void go()
  else location.hash = hash
})
addEventListener('hashchange', () => void go())
addEventListener('resize', () => {
  if (day !== undefined && !place()) showDay(main, day, look)
})
markWindow()
void go()
await look()
setInterval(() => {
  // A hidden page sends no requests.
  if (!document.hidden) void look()
}, EVERY_MS)
