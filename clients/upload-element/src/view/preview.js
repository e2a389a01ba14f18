// The video copy, or the picture of a document's first page: what the assessors will see.

import { h } from './dom.js'
import { icon } from './icons.js'

/** @typedef {import('../panel.js').Panel} Panel */
/** @typedef {import('../model/store.js').ListedUpload} ListedUpload */

/** @param {ListedUpload} upload @param {Panel} panel */
export function preview(upload, panel) {
  if (!upload.accepted || !upload.renditions.some(({ state }) => state === 'ready')) return null
  const links = panel.links.of(upload)
  if (links === null) return null
  const { t } = panel.words
  const name = upload.declared.filename ?? t.unnamed
  const ready = (/** @type {string} */ kind) =>
    links.get(upload.renditions.find((rendition) => rendition.kind === kind && rendition.state === 'ready')?.name ?? '')
  const video = ready('mp4')
  const picture = ready('page')
  if (video !== undefined) return player(upload, video, ready('poster'), t.preview(name))
  if (picture === undefined) return null
  const { width, height } = upload.renditions.find(({ kind }) => kind === 'page') ?? {}
  const image = h('img', { src: picture, alt: t.firstPage(name), width, height })
  const original = links.get('original')
  return h(
    'div',
    { class: 'preview document', key: 'preview' },
    original === undefined
      ? image
      : h(
          'a',
          { href: original, target: '_blank', rel: 'noopener' },
          image,
          h('span', { class: 'open' }, icon('open'), t.openPdf),
        ),
  )
}

/** @param {ListedUpload} upload @param {string} src @param {string | undefined} poster @param {string} label */
function player({ renditions }, src, poster, label) {
  const { width = 16, height = 9 } = renditions.find(({ kind }) => kind === 'mp4') ?? {}
  return h(
    'div',
    { class: height > width ? 'preview film upright' : 'preview film', key: 'preview' },
    h('video', {
      src,
      poster: poster ?? null,
      controls: true,
      playsinline: true,
      // Without this, a page with eight videos would load all of them.
      preload: poster === undefined ? 'metadata' : 'none',
      'aria-label': label,
    }),
  )
}
