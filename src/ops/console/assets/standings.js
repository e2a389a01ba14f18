// "Who has handed in, and who has not?": counts by deadline and profile, and the list behind each count. And why files are
// rejected.

import { askStanding } from './api.js'
import { el } from './dom.js'
import { table } from './tables.js'
import { clockTime, numberInWords, timeInWords } from './words.js'

/** @typedef {Awaited<ReturnType<typeof import('./api.js').askStandings>>} Standings */

/** Standing → what operators call it. */
const WORDS = /** @type {Record<string, string>} */ ({
  incomplete: 'not complete',
  returned: 'returned',
  complete: 'complete',
  sealed: 'sealed',
})

/** @param {Standings | undefined} standings @param {number} nowMs */
export function standingsTable(standings, nowMs) {
  const names = Object.keys(WORDS)
  const rows = (standings?.groups ?? []).map((/** @type {any} */ { deadlineMs, profile, counts }) => {
    const left = (deadlineMs - nowMs) / 1000
    const near = left >= 0 ? `in ${timeInWords(left)}` : `${timeInWords(-left)} ago`
    const cells = names.map((name) => {
      const words = numberInWords(counts[name])
      const href = `#who=${encodeURIComponent(`${deadlineMs}/${profile}/${name}`)}`
      const mood = counts[name] > 0 && left < 3600 && (name === 'incomplete' || name === 'returned') ? 'bad' : ''
      return el('td', { class: mood }, counts[name] > 0 ? el('a', { href }, words) : words)
    })
    const all = names.reduce((sum, name) => sum + counts[name], 0)
    return el(
      'tr',
      {},
      el('th', { scope: 'row' }, profile, el('small', {}, ` ${clockTime(deadlineMs, { day: true })}, ${near}`)),
      ...cells,
      el('td', {}, numberInWords(all)),
    )
  })
  if (rows.length === 0) rows.push(el('tr', {}, el('td', { class: 'empty', colspan: 6 }, 'no deadline is near')))
  return table('standings', 'Submissions by deadline', ['profile, deadline', ...Object.values(WORDS), 'all'], rows)
}

/** @param {Standings | undefined} standings */
export function rejectionsTable(standings) {
  const rows = (standings?.rejections ?? [])
    .slice(0, 8)
    .map((/** @type {{ code: string, count: number }} */ { code, count }) =>
      el('tr', {}, el('th', { scope: 'row' }, el('code', {}, code)), el('td', {}, numberInWords(count))),
    )
  if (rows.length === 0) rows.push(el('tr', {}, el('td', { class: 'empty', colspan: 2 }, 'none today')))
  return table('rejections', 'Rejected files today', ['rule', 'files'], rows)
}

/** The list behind a count, page by page. @param {HTMLElement} main @param {string} name `deadline/profile/standing` */
export async function showWho(main, name) {
  const [deadlineMs = '', profile = '', standing = ''] = name.split('/')
  const title = `${profile}, deadline ${clockTime(Number(deadlineMs), { day: true })}: ${WORDS[standing] ?? standing}`
  const list = table('who', title, ['submission', 'person', 'lacks', 'uploads', 'changed'], [])
  const more = el('button', { type: 'button' }, 'More')
  main.replaceChildren(el('p', { class: 'back' }, el('a', { href: '#day' }, '← dashboard')), list, more)
  let after = ''
  const load = async () => {
    const { items, next } = await askStanding({ deadlineMs, profile, standing, after })
    list.querySelector('tbody')?.append(...items.map(rowOf))
    after = next ?? ''
    more.hidden = next === null
  }
  more.addEventListener('click', () => void load().catch((error) => alert(String(error))))
  await load()
}

/** @param {any} one */
function rowOf({ owner, submissionId, subjects, uniqueKey, missing, uploads, updatedAt }) {
  const href = `#case=${encodeURIComponent(`${owner}/${submissionId}`)}`
  const states = Object.entries(uploads).map(([state, n]) => `${n} ${state}`)
  return el(
    'tr',
    {},
    el('th', { scope: 'row' }, el('a', { href }, submissionId), el('small', {}, ` ${owner}`)),
    el('td', { class: 'text' }, subjects.join(', ') || (uniqueKey ?? '–')),
    el('td', { class: 'text' }, missing.join(', ') || '–'),
    el('td', { class: 'text' }, states.join(', ') || 'none yet'),
    el('td', {}, clockTime(updatedAt, { day: true })),
  )
}
