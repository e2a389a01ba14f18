// What was handed in: every file with its slot, its time and its receipt, on one quiet page that can be printed.

import { h } from './dom.js'
import { dotted } from './dotted.js'
import { icon } from './icons.js'

/** @typedef {import('../page.js').Page} Page */

/** @param {Page} page */
export function handedIn(page) {
  const { store, words, receipts } = page
  const { submission } = store
  if (submission === null || submission.state !== 'sealed') return null
  const { t } = words
  const handed = Object.entries(submission.revisions.at(-1)?.uploads ?? {})
  // Asked once: a service without receipts has no buttons for them.
  const [first] = handed.flatMap(([, ids]) => ids)
  if (first !== undefined) void receipts.probe(first)
  return h(
    'section',
    { class: 'handed-in', key: 'handed-in', 'aria-label': t.handedFiles },
    h('h3', null, t.handedFiles),
    h(
      'ul',
      null,
      handed.flatMap(([slot, ids]) =>
        ids.flatMap((id) => {
          const upload = store.upload(id)
          return upload === undefined ? [] : [item(slot, upload, page)]
        }),
      ),
    ),
  )
}

/** @param {string} slot @param {import('../model/store.js').ListedUpload} upload @param {Page} page */
function item(slot, { id, declared, receivedBytes, storedAt }, page) {
  const { words, receipts } = page
  const { t } = words
  return h(
    'li',
    { key: id },
    h('strong', null, page.labels([slot])[0]),
    h('span', { class: 'facts' }, dotted([declared.filename ?? t.unnamed, words.bytes(receivedBytes)])),
    storedAt !== null && h('span', { class: 'facts' }, `${t.storedAt} ${words.moment(storedAt, true)}`),
    receipts.known &&
      h('button', { type: 'button', class: 'button small', onclick: () => receipts.save(id) }, icon('page'), t.receipt),
  )
}
