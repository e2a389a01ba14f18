// The check page as it is seen: what to show it, what it found, and the files that the receipt names.

import { h, render } from '../../../../clients/upload-element/src/view/dom.js'
import { dotted } from '../../../../clients/upload-element/src/view/dotted.js'
import { icon } from '../../../../clients/upload-element/src/view/icons.js'
import { masthead } from '../chrome/masthead.js'

/** @typedef {import('./check-page.js').CheckPage} CheckPage */
/** @typedef {import('./check-page.js').Checked} Checked */

/** @param {HTMLElement} root @param {CheckPage} page */
export function drawCheck(root, page) {
  const { t } = page.words
  render(
    root,
    masthead({ words: page.words, switchLanguage: page.switchLanguage, toFiles }),
    h(
      'main',
      { key: 'main', class: 'check', id: 'files', tabindex: '-1' },
      h('h1', null, t.verify.title),
      result(page),
      comparing(page),
      asking(page),
      h('p', { class: 'line', key: 'foot' }, t.foot),
    ),
  )
}

function toFiles() {
  document.getElementById('files')?.focus()
}

/** @param {CheckPage} page */
function result(page) {
  const { stage, checked, refusal, noReceipt, words } = page
  const { t } = words
  const box = (
    /** @type {string} */ mood,
    /** @type {import('../../../../clients/upload-element/src/view/icons.js').IconName} */ mark,
    /** @type {string} */ title,
    /** @type {import('../../../../clients/upload-element/src/view/dom.js').Content[]} */ ...rest
  ) =>
    h(
      'section',
      { class: `result ${mood}`, key: 'result', id: 'result', tabindex: '-1', role: 'status' },
      h('h2', null, icon(mark), title),
      rest,
    )
  if (stage === 'idle') return h('p', { class: 'line', key: 'intro' }, t.verify.intro)
  if (stage === 'asking') return box('open', 'clock', t.verify.asking)
  if (checked !== null) return box('good', 'done', t.verify.valid, told(checked, page))
  if (noReceipt) return box('bad', 'warn', t.verify.noReceipt, h('p', null, t.verify.noReceiptText))
  if (refusal === null || refusal.passing || refusal.problem.message === undefined)
    return box('open', 'offline', t.verify.trouble, h('p', null, t.verify.troubleText))
  const isGone = refusal.code === 'SUBMISSION_DELETED' || refusal.code === 'SUBMISSION_UNKNOWN'
  return box(
    isGone ? 'open' : 'bad',
    isGone ? 'warn' : 'problem',
    isGone ? t.verify.gone : t.verify.invalid,
    h('p', null, words.of(refusal.problem.message)),
  )
}

/** @param {Checked} checked @param {CheckPage} page */
function told(checked, page) {
  const { claims, key, current } = checked
  const { words } = page
  const { verify } = words.t
  const moment = (/** @type {string | null | undefined} */ at) => (at == null ? '' : words.moment(at, true))
  const isOlder = current?.revision != null && current.revision > claims['revision']
  return [
    key.withdrawnFrom !== null && h('p', { class: 'remark' }, verify.confirmed(moment(key.withdrawnFrom))),
    current?.state === 'deleted' && h('p', { class: 'remark' }, verify.deleted),
    current?.state === 'unknown' && h('p', { class: 'remark' }, verify.unknown),
    isOlder && h('p', { class: 'remark' }, verify.older(claims['revision'], current?.revision ?? 0)),
    h(
      'dl',
      null,
      pair(verify.kind, verify.kinds[/** @type {keyof typeof verify.kinds} */ (claims.kind)]),
      pair(words.t.submission, claims.submission),
      pair(verify.portal, claims.portal),
      claims.kind === 'submission' && [
        pair(verify.revision, String(claims['revision'])),
        pair(verify.sealedAt, moment(claims['sealedAt'])),
        pair(verify.sealedBy, claims['sealedBy'] === 'deadline' ? verify.byDeadline : verify.byRequest),
        pair(verify.credited, moment(claims['creditedAt'])),
      ],
      claims.kind === 'attempt' && [
        pair(verify.attemptAt, moment(claims['at'])),
        pair(verify.slot, labelOf(claims['slot'], page)),
        pair(verify.outcome, claims['outcome'] === 'accepted' ? verify.taken : verify.refused(claims['code'] ?? '')),
      ],
      pair(verify.deadline, moment(claims['deadline'])),
    ),
    files(page),
  ]
}

/** @param {string} term @param {string | null | undefined} text */
function pair(term, text) {
  return text == null || text === '' ? [] : [h('dt', null, term), h('dd', null, text)]
}

/** @param {string | null} slot @param {CheckPage} page */
function labelOf(slot, { checked, words }) {
  const label = slot === null ? undefined : checked?.labels[slot]
  return label === undefined ? (slot ?? '') : words.of(label)
}

/** @param {CheckPage} page */
function files(page) {
  const { t } = page.words
  if (page.files.length === 0) return null
  return [
    h('h3', null, t.verify.files),
    h(
      'ul',
      { class: 'files' },
      page.files.map((file) =>
        h(
          'li',
          { key: file.upload },
          h('strong', null, labelOf(file.slot, page)),
          // Only whoever holds the receipt itself shows names of files.
          h('span', { class: 'facts' }, dotted([file.filename, t.bytesExactly(page.words.count(file.bytes))])),
          file.storedAt !== null &&
            h(
              'span',
              { class: 'facts' },
              dotted([
                `${t.storedAt} ${page.words.moment(file.storedAt, true)}`,
                file.late && t.late,
                file.repaired && t.repaired,
              ]),
            ),
          h('code', null, file.sha256 === null ? t.verify.noSum : `SHA-256 ${file.sha256}`),
        ),
      ),
    ),
  ]
}

/** @param {CheckPage} page */
function comparing(page) {
  const { t } = page.words
  if (page.files.length === 0) return null
  return h(
    'section',
    { class: 'compare', key: 'compare', ...dropOf(page) },
    h('h2', null, t.verify.compare),
    h('p', null, t.verify.compareText),
    picker('compare-file', t.verify.compareChoose, page),
    page.comparisons.length > 0 &&
      h(
        'ul',
        { class: 'comparisons' },
        page.comparisons.map(({ name, percent, result: how, match }) =>
          h(
            'li',
            { class: how },
            icon(how === 'same' ? 'done' : how === 'reading' ? 'clock' : 'warn'),
            h(
              'span',
              null,
              h('strong', null, name),
              ' ',
              how === 'reading' ? t.verify.reading(percent) : t.verify.compared[how],
              match !== undefined && ` ${labelOf(match.slot, page)}`,
            ),
          ),
        ),
      ),
  )
}

/** @param {CheckPage} page */
function asking(page) {
  const { t } = page.words
  return h(
    'section',
    { class: 'ask', key: 'ask', ...dropOf(page) },
    h('h2', null, page.stage === 'idle' ? t.verify.how : t.verify.another),
    picker('receipt-file', t.verify.choose, page, page.stage === 'idle'),
    h('label', { for: 'receipt-text' }, t.verify.paste),
    h('textarea', { id: 'receipt-text', rows: '4', spellcheck: 'false', autocomplete: 'off' }),
    h(
      'button',
      {
        type: 'button',
        class: 'button',
        onclick: () => void page.checkText(/** @type {any} */ (document.getElementById('receipt-text')).value),
      },
      t.verify.check,
    ),
  )
}

/** @param {string} id @param {string} words @param {CheckPage} page @param {boolean} [main] */
function picker(id, words, page, main = false) {
  return h(
    'p',
    null,
    h(
      'span',
      { class: 'chooser' },
      h('input', {
        type: 'file',
        id,
        class: 'unseen',
        multiple: true,
        onchange: (/** @type {any} */ event) => {
          const files = [...event.target.files]
          event.target.value = ''
          void page.take(files)
        },
      }),
      h('label', { for: id, class: main ? 'button main' : 'button' }, icon('up'), words),
    ),
    ' ',
    h('span', { class: 'drop' }, page.words.t.dropHere),
  )
}

/** The window takes what is dropped; the frame only shows that it would. @param {CheckPage} page */
function dropOf(page) {
  const mark = (/** @type {any} */ event, /** @type {boolean} */ over) =>
    event.currentTarget.classList.toggle('dropping', over && page.stage !== 'asking')
  return {
    ondragover: (/** @type {DragEvent} */ event) => mark(event, true),
    ondragleave: (/** @type {DragEvent} */ event) => mark(event, false),
    ondrop: (/** @type {DragEvent} */ event) => mark(event, false),
  }
}
