// What was handed in: the receipt of it all, and every file with its slot, its time and its own receipt, on one quiet page.

import { h } from './dom.js'
import { dotted } from './dotted.js'
import { icon } from './icons.js'

/** @typedef {import('../panel.js').Panel} Panel */

/** @param {Panel} panel */
export function handedIn(panel) {
  const { store, words, receipts } = panel
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
    wholeReceipt(panel, submission.revision),
    h('h3', null, t.handedFiles),
    h(
      'ul',
      null,
      handed.flatMap(([slot, ids]) =>
        ids.flatMap((id) => {
          const upload = store.upload(id)
          return upload === undefined ? [] : [item(slot, upload, panel)]
        }),
      ),
    ),
  )
}

/** The receipt of all of it, to print and to keep. @param {Panel} panel @param {number} revision */
function wholeReceipt({ words: { t }, handInReceipt }, revision) {
  const url = handInReceipt.print(revision)
  return (
    url !== null &&
    h(
      'p',
      { class: 'actions', key: 'receipt' },
      h('a', { class: 'button small', href: url, target: '_blank', rel: 'noopener' }, icon('page'), t.printReceipt),
      h(
        'button',
        { type: 'button', class: 'button small', onclick: () => handInReceipt.save() },
        icon('download'),
        t.saveReceipt,
      ),
    )
  )
}

/** @param {string} slot @param {import('../model/store.js').ListedUpload} upload @param {Panel} panel */
function item(slot, { id, declared, receivedBytes, storedAt }, panel) {
  const { words, receipts } = panel
  const { t } = words
  return h(
    'li',
    { key: id },
    h('strong', null, panel.labels([slot])[0]),
    h('span', { class: 'facts' }, dotted([declared.filename ?? t.unnamed, words.bytes(receivedBytes)])),
    storedAt !== null && h('span', { class: 'facts' }, `${t.storedAt} ${words.moment(storedAt, true)}`),
    receipts.known &&
      h('button', { type: 'button', class: 'button small', onclick: () => receipts.save(id) }, icon('page'), t.receipt),
  )
}
