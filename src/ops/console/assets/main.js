// The console: loads the dashboard every two seconds, or shows a search result. The current view is
// in the address, so that it can be shared: `#day`, `#find=text`, `#case=owner/submission`,
// `#who=deadline/profile/standing`, `#security`.

import { askDay, askPulse, askStandings } from './api.js'
import { doorOf, showDay, showDoor } from './day.js'
import { el, isCopying } from './dom.js'
import { showCase, showFound } from './find.js'
import { linesOf, showHealth } from './health.js'
import { showSecurity } from './security.js'
import { showWho } from './standings.js'
import { showTrouble, troubleOfError, troubleOfRedis, troubleOfRefusal } from './trouble.js'
import { clockTime } from './words.js'

const EVERY_MS = 2000
const STANDINGS_MS = 10_000
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
/** @type {unknown} of the last question for it; undefined: it was answered */
let dayError
/** @type {any} */
let pulse
/** @type {any} */
let standings
let standingsAtMs = 0

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

/** Whether there is a question under way; of one kind one at a time, or an old answer would come after a newer one. */
const asking = { pulse: false, day: false }

/** Apart from the numbers, which wait for Redis: this answers within seconds while Redis hangs. */
async function feel() {
  if (asking.pulse) return
  asking.pulse = true
  try {
    pulse = await askPulse()
  } catch {
    // The numbers fail as well, and say why.
    pulse = undefined
  }
  asking.pulse = false
  showState()
}

async function look() {
  if (asking.day) return
  asking.day = true
  const wanted = minutes
  try {
    day = await askDay(wanted)
    await lookAtStandings()
    dayError = undefined
  } catch (error) {
    dayError = error
  }
  asking.day = false
  showState()
  if (dayError !== undefined) return
  if (wanted !== minutes) return void look()
  byId('clock').textContent = clockTime(day.at, { seconds: true })
  const at = place()
  if (at === undefined) showDay(main, day, standings, look)
  // Reloaded, so that new attempts of the person, and new events, appear.
  else if (at.kind !== 'find' && at.kind !== 'who' && !isCopying(main)) await go()
}

/** Rarer than the rest: they change slowly, and are counted over all submissions. */
async function lookAtStandings() {
  if (Date.now() - standingsAtMs < STANDINGS_MS) return
  standings = await askStandings(new Date().setHours(0, 0, 0, 0))
  standingsAtMs = Date.now()
}

/** What is known of Redis by itself comes before what the numbers said: those may be remembered, or on their way. */
function showState() {
  if (day === undefined && dayError === undefined && pulse === undefined) return
  const trouble =
    (pulse === undefined ? null : troubleOfRedis(pulse.redis, day?.at)) ??
    (dayError === undefined ? troubleOfRefusal(day?.refusal ?? null) : troubleOfError(dayError, day?.at))
  if (trouble !== null) showDoor(byId('door'), { mood: 'bad', words: trouble.door })
  else if (day !== undefined) showDoor(byId('door'), doorOf(day))
  showTrouble(byId('trouble'), trouble)
  const isStale = dayError !== undefined || pulse?.redis.up === false
  document.body.classList.toggle('stale', isStale)
  if (pulse !== undefined) showHealth(byId('health'), linesOf(pulse, isStale ? undefined : day))
}

/** The view in the address; the default is the dashboard. */
function place() {
  const [, kind, rest = ''] = /^#(find|case|who|security)(?:=(.*))?$/.exec(location.hash) ?? []
  return kind === undefined ? undefined : { kind, rest: decodeURIComponent(rest) }
}

async function go() {
  const wanted = place()
  document.body.classList.toggle('searching', wanted !== undefined)
  if (wanted === undefined) {
    main.replaceChildren()
    if (day !== undefined) showDay(main, day, standings, look)
    return
  }
  try {
    if (wanted.kind === 'find') {
      text.value = wanted.rest
      await showFound(main, wanted.rest)
    } else if (wanted.kind === 'security') await showSecurity(main)
    else if (wanted.kind === 'who') await showWho(main, wanted.rest)
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
  if (day !== undefined && !place()) showDay(main, day, standings, look)
})
markWindow()
void go()
void feel()
void look()
setInterval(() => {
  // A hidden page sends no requests.
  if (document.hidden) return
  void feel()
  void look()
}, EVERY_MS)
