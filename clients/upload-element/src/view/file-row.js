// One file of a slot: its name, state, actions and problems.

import { clock } from '../../../../src/submissions/rules/format.ts'
import { whenOf } from '../model/dates.js'
import { chooser } from './chooser.js'
import { h } from './dom.js'
import { dotted } from './dotted.js'
import { evidence } from './evidence.js'
import { icon } from './icons.js'
import { localBody } from './local-row.js'
import { preview } from './preview.js'
import { problemList } from './problems.js'
import { progressBar } from './progress.js'

/** @typedef {import('../panel.js').Panel} Panel */
/** @typedef {import('../model/rows.js').Row} Row */
/** @typedef {import('../model/store.js').ListedUpload} ListedUpload */
/** @typedef {import('./local-row.js').CardModel} CardModel */

/** @param {Row} row @param {CardModel} card @param {Panel} panel */
export function fileRow(row, card, panel) {
  return h(
    'li',
    {
      key: row.key,
      class: `file ${row.kind}`,
      tabindex: '-1',
      'data-upload': row.upload?.id ?? row.job?.uploadId ?? null,
    },
    h('p', { class: 'name' }, row.name || panel.words.t.unnamed),
    row.kind === 'local' ? localBody(row, card, panel) : remoteBody(row, card, panel),
  )
}

/** @param {Row} row @param {CardModel} card @param {Panel} panel */
function remoteBody(row, card, panel) {
  const { upload } = row
  if (upload === null) return null
  if (row.kind === 'unfinished' || row.kind === 'elsewhere') return begun(row, upload, card, panel)
  const shown = preview(upload, panel)
  return h(
    'div',
    { class: shown === null ? 'body' : upload.measured?.kind === 'video' ? 'body filmed' : 'body pictured' },
    h(
      'div',
      { class: 'verdict' },
      standing(row, upload, panel),
      facts(upload, panel.words),
      problemList(upload.problems, panel.words),
      card.tooLate(upload.id),
      rendering(row, upload, panel.words),
    ),
    shown,
    h('div', { class: 'proof' }, evidence(upload, panel), replacing(row, upload, card, panel)),
  )
}

/** The verdict in a few words. @param {Row} row @param {ListedUpload} upload @param {Panel} panel */
function standing(row, upload, { words }) {
  const { t } = words
  const warned = upload.problems.some(({ severity }) => severity === 'warn')
  const [name, text] = /** @type {[import('./icons.js').IconName, string]} */ (
    {
      checking: ['clock', t.stored],
      accepted: row.counted ? ['done', warned ? t.warned : t.accepted] : ['dash', t.notCounted],
      rejected: ['problem', t.rejected],
      failed: ['clock', t.failed],
      local: ['up', ''],
      elsewhere: ['up', ''],
      unfinished: ['up', ''],
    }[row.kind]
  )
  return h(
    'p',
    { class: `standing ${row.kind === 'accepted' && !row.counted ? 'uncounted' : row.kind}` },
    icon(name),
    h('span', null, text),
    upload.late && h('span', { class: 'tag' }, upload.repaired ? t.repaired : t.late),
  )
}

/** @param {ListedUpload} upload @param {import('../words/words.js').Words} words */
function facts({ measured, declared, receivedBytes }, words) {
  const { t } = words
  const parts = [
    measured?.durationSeconds === undefined ? '' : t.length(clock(measured.durationSeconds)),
    measured?.width === undefined || measured.height === undefined ? '' : `${measured.width} × ${measured.height}`,
    measured?.pages === undefined ? '' : t.pages(measured.pages),
    words.bytes(declared.bytes ?? receivedBytes),
  ]
  return h('p', { class: 'facts' }, dotted(parts))
}

/** Progress of the renditions. @param {Row} row @param {ListedUpload} upload @param {import('../words/words.js').Words} words */
function rendering(row, { state, playable, progress: told, renditions }, { t }) {
  if (state !== 'accepted' || playable) return null
  const needed = renditions.filter(({ required }) => required)
  if (needed.length > 0 && needed.every(({ state: made }) => made === 'failed'))
    return h('p', { class: 'note' }, t.noRendition)
  const progress = row.heard?.progress ?? told
  if (progress.step === 'done') return null
  const text =
    progress.queuePosition !== null && progress.queuePosition > 0
      ? t.renderQueue(progress.queuePosition)
      : t.rendering(progress.step === 'transcode' ? progress.percent : null)
  return h('p', { class: 'note' }, icon('clock'), text)
}

/** Unfinished, or being sent from another device. @param {Row} row @param {ListedUpload} upload @param {CardModel} card @param {Panel} panel */
function begun(row, upload, card, panel) {
  const { words } = panel
  const { t } = words
  const received = Math.max(upload.receivedBytes, row.heard?.receivedBytes ?? 0)
  const all = upload.declared.bytes
  const name = row.name || t.unnamed
  return [
    all !== null && progressBar(name, received / all, t.ofBytes(words.bytes(received), words.bytes(all)), words),
    h('p', { class: 'note' }, row.kind === 'elsewhere' ? t.elsewhere : t.unfinished),
    row.kind === 'unfinished' &&
      upload.expiresAt !== undefined &&
      h('p', { class: 'facts' }, t.finishBy(words.moment(finishBy(upload.expiresAt, panel)))),
    card.mayUpload &&
      h(
        'p',
        { class: 'actions' },
        chooser({
          id: `same-${upload.id}`,
          words: row.kind === 'elsewhere' ? t.takeBack : t.chooseSame,
          label: `${row.kind === 'elsewhere' ? t.takeBack : t.chooseSame}: ${name}`,
          accept: card.accept,
          main: row.kind === 'unfinished',
          chosen: (file) => panel.choose(file, { slot: card.id, expected: { id: upload.id, name } }),
        }),
        h(
          'button',
          {
            type: 'button',
            class: 'button plain',
            onclick: () => panel.removeUnfinished(card.id, upload, name),
          },
          t.cancel,
        ),
      ),
  ]
}

/** The deadline, or the expiry of the unfinished upload, whichever is first. @param {string} expiresAt @param {Panel} panel */
function finishBy(expiresAt, { store, api }) {
  const when = store.submission === null ? null : whenOf(store.submission, api.now())
  return Math.min(Date.parse(expiresAt), when !== null && 'ms' in when ? when.ms : Number.POSITIVE_INFINITY)
}

/** @param {Row} row @param {ListedUpload} upload @param {CardModel} card @param {Panel} panel */
function replacing(row, upload, card, panel) {
  const { t } = panel.words
  const mayReplace = card.mayBegin && !card.busy && (row.kind === 'accepted' || row.kind === 'rejected')
  if (!mayReplace || (row.kind === 'rejected' && card.several)) return null
  return h(
    'p',
    { class: 'actions' },
    chooser({
      id: `replace-${upload.id}`,
      words: t.replace,
      label: `${t.replace}: ${row.name || t.unnamed}`,
      accept: card.accept,
      main: row.kind === 'rejected' || card.toChange,
      chosen: (file) => panel.choose(file, { slot: card.id, replaces: row.kind === 'accepted' ? upload.id : null }),
    }),
  )
}
