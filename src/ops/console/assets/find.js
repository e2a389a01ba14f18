// Support look-up: matching submissions, and the support record of one.

import { askCase, askFind } from './api.js'
import { el } from './dom.js'
import { table } from './tables.js'
import { bytesInWords, clockTime } from './words.js'

/** Colour class by state. */
const MOOD = /** @type {Record<string, string>} */ ({
  accepted: 'good',
  ready: 'good',
  sealed: 'good',
  rejected: 'bad',
  failed: 'bad',
  refused: 'bad',
  receiving: 'warn',
  stored: 'warn',
  checking: 'warn',
  returned: 'warn',
})

/** @param {HTMLElement} main @param {string} text */
export async function showFound(main, text) {
  const { items, more } = await askFind(text)
  const [only] = items
  if (items.length === 1 && only !== undefined) {
    history.replaceState(null, '', caseHash(only))
    return await showCase(main, `${only.owner}/${only.submissionId}`)
  }
  const rows = items.map((/** @type {any} */ one) =>
    el(
      'tr',
      {},
      el('th', { scope: 'row' }, el('a', { href: caseHash(one) }, one.submissionId), el('small', {}, ` ${one.owner}`)),
      el('td', { class: 'text' }, one.subjects.join(', ')),
      el('td', { class: 'text' }, one.filenames.join(', ')),
      el('td', {}, ...states(one.uploads)),
      el('td', { class: MOOD[one.state] ?? '' }, one.state),
      el('td', {}, when(one.updatedAt)),
    ),
  )
  main.replaceChildren(
    back(),
    items.length === 0
      ? el(
          'p',
          { class: 'empty' },
          `No match for “${text}”. Part of the name, the submission ID or the file name is enough.`,
        )
      : table(
          'found',
          `${items.length}${more ? ' or more' : ''} matches for “${text}”`,
          ['submission', 'person', 'files', 'uploads', 'state', 'changed'],
          rows,
        ),
  )
}

/** @param {HTMLElement} main @param {string} name `owner/submission` */
export async function showCase(main, name) {
  const slash = name.indexOf('/')
  const file = await askCase(name.slice(0, slash), name.slice(slash + 1))
  const { document: submission, head } = file
  const subjects = [...new Set([...file.uploads, ...file.attempts].map(({ subject }) => subject).filter(Boolean))]
  main.replaceChildren(
    back(),
    el(
      'section',
      { class: 'case' },
      el('h1', {}, file.submissionId, el('small', {}, ` of ${file.owner}`)),
      el(
        'dl',
        {},
        fact(
          'state',
          el('span', { class: MOOD[head.state] ?? '' }, head.state),
          submission?.complete ? ', complete' : '',
        ),
        fact('person', subjects.join(', ') || '–'),
        fact('profile', head.profile),
        fact('deadline', submission?.deadline ? when(submission.deadline) : '–'),
        fact('missing', submission?.missing.join(', ') || '–'),
        fact('unique key', head.uniqueKey ?? '–'),
        fact('portal metadata', Object.keys(head.metadata).length === 0 ? '–' : JSON.stringify(head.metadata)),
      ),
      file.unreadable === null ? null : el('p', { class: 'bad' }, `Unreadable: ${file.unreadable}`),
    ),
    submission === null ? el('p') : slots(submission),
    uploads(file.uploads),
    attempts(file),
  )
}

/** @param {any} submission */
function slots(submission) {
  const rows = submission.slots.map((/** @type {any} */ slot) =>
    el(
      'tr',
      {},
      el('th', { scope: 'row' }, slot.slot, el('small', { lang: 'th' }, ` ${slot.label.th}`)),
      el('td', { class: MOOD[slot.state] ?? '' }, slot.state),
      el('td', {}, `${slot.uploads.length} of ${slot.min === slot.max ? slot.max : `${slot.min}–${slot.max}`}`),
      el('td', { class: 'text' }, ...slot.problems.map(problem)),
    ),
  )
  return table('slots', 'Slots', ['slot', 'state', 'files', 'problems'], rows)
}

/** @param {any[]} uploads */
function uploads(uploads) {
  const rows = uploads
    .toReversed()
    .map((upload) =>
      el(
        'tr',
        { class: upload.superseded ? 'old' : '' },
        el('td', {}, when(upload.createdAt)),
        el('td', {}, upload.slot ?? '–'),
        el('td', { class: 'text' }, upload.declared.filename ?? '–', el('small', {}, ` ${upload.id}`)),
        el(
          'td',
          { class: MOOD[upload.state] ?? '' },
          upload.state,
          upload.superseded ? ', replaced' : '',
          upload.late ? ', late' : '',
        ),
        el(
          'td',
          {},
          `${bytesInWords(upload.receivedBytes)}${upload.declared.bytes === null ? '' : ` of ${bytesInWords(upload.declared.bytes)}`}`,
        ),
        el('td', {}, upload.storedAt === null ? '–' : when(upload.storedAt)),
        el(
          'td',
          { class: 'text' },
          upload.error ? el('span', { class: 'bad' }, upload.error.code) : null,
          ...upload.problems.map(problem),
        ),
      ),
    )
  if (rows.length === 0) rows.push(el('tr', {}, el('td', { class: 'empty', colspan: 7 }, 'no uploads')))
  return table('uploads', 'Uploads', ['started', 'slot', 'file', 'state', 'received', 'last byte', 'problems'], rows)
}

/** @param {any} file */
function attempts(file) {
  const rows = file.attempts.map((/** @type {any} */ one) =>
    el(
      'tr',
      {},
      el('td', {}, when(one.at)),
      el('td', {}, one.slot ?? '–'),
      el('td', { class: 'text' }, one.subject ?? '–'),
      el('td', { class: 'text' }, one.declared?.filename ?? '–'),
      el('td', { class: MOOD[one.outcome] ?? '' }, one.outcome),
      el('td', {}, one.code === null ? '' : el('code', {}, one.code)),
    ),
  )
  if (rows.length === 0) rows.push(el('tr', {}, el('td', { class: 'empty', colspan: 6 }, 'none')))
  const more = file.attemptsLeftOut > 0 ? `, ${file.attemptsLeftOut} older ones not shown` : ''
  return table('attempts', `Attempts${more}`, ['at', 'slot', 'person', 'file', 'outcome', 'why'], rows)
}

/** @param {any} one */
function problem(one) {
  const measured =
    one.actual === undefined
      ? ''
      : ` (${one.actual}${one.limit === undefined ? '' : `; allowed: ${[one.limit].flat().join(', ')}`})`
  return el(
    'p',
    { class: one.severity === 'reject' ? 'bad' : '' },
    `${one.message.en}${measured} `,
    el('code', {}, one.code),
  )
}

/** @param {Record<string, number>} uploads */
function states(uploads) {
  return Object.entries(uploads).map(([state, n]) =>
    el('span', { class: `count ${MOOD[state] ?? ''}` }, `${n} ${state}`),
  )
}

/** @param {string} name @param {...(Node | string)} values */
function fact(name, ...values) {
  return el('div', {}, el('dt', {}, name), el('dd', {}, ...values))
}

/** @param {string} at */
function when(at) {
  return clockTime(at, { day: true, seconds: true })
}

function back() {
  return el('p', { class: 'back' }, el('a', { href: '#day' }, '← dashboard'))
}

/** @param {{ owner: string, submissionId: string }} one */
function caseHash({ owner, submissionId }) {
  return `#case=${encodeURIComponent(`${owner}/${submissionId}`)}`
}
