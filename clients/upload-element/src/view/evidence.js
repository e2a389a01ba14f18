// The proof of receipt: the server's time of the last byte, exact size, SHA-256; and the download.

import { h } from './dom.js'
import { icon } from './icons.js'

/** @typedef {import('../panel.js').Panel} Panel */
/** @typedef {import('../model/store.js').ListedUpload} ListedUpload */

/** @param {ListedUpload} upload @param {Panel} panel */
export function evidence(upload, panel) {
  if (upload.storedAt === null) return null
  const { words } = panel
  const { t } = words
  const sum = upload.sha256
  return h(
    'details',
    { class: 'more evidence', key: 'evidence', ontoggle: () => void panel.receipts.probe(upload.id) },
    h('summary', null, t.evidence),
    h(
      'dl',
      null,
      pair(t.storedAt, words.moment(upload.storedAt, true)),
      pair(t.sizeOf, t.bytesExactly(words.count(upload.receivedBytes))),
      pair(t.sha256, sum === null ? t.sha256Pending : h('code', null, sum)),
      upload.mediaRemovedAt === undefined ? null : pair(t.removedAt, words.moment(upload.mediaRemovedAt, true)),
      pair(t.uploadId, h('code', null, upload.id)),
    ),
    h(
      'p',
      { class: 'actions' },
      panel.receipts.known && action('page', t.receipt, () => panel.receipts.save(upload.id)),
      upload.mediaRemovedAt === undefined && action('download', t.download, () => panel.saveOriginal(upload)),
      sum !== null && action('page', panel.copied === sum ? t.copied : t.copySum, () => panel.copy(sum)),
    ),
  )
}

/** @param {string} term @param {import('./dom.js').Content} value */
function pair(term, value) {
  return h('div', null, h('dt', null, term), h('dd', null, value))
}

/** @param {import('./icons.js').IconName} name @param {string} words @param {() => unknown} act */
function action(name, words, act) {
  return h('button', { type: 'button', class: 'button small', onclick: act }, icon(name), words)
}
