// The rules of a slot in words: number, kind, length, pages and size of files; and what assessors look at.

import { formatNames } from '../../../../src/submissions/rules/format.ts'
import { h } from './dom.js'
import { dotted } from './dotted.js'
import { icon } from './icons.js'

/** @typedef {import('../words/words.js').Words} Words */
/** @typedef {import('../model/profile.js').SlotRules} SlotRules */
/** @typedef {import('../model/profile.js').MediaRules} MediaRules */

const ICONS = /** @type {const} */ (['video', 'pdf', 'image', 'audio'])

/** @param {SlotRules} rules @param {{min: number, max: number}} slot @param {Words} words */
export function ruleLines(rules, slot, words) {
  const { t } = words
  const several = rules.media.length > 1
  const count = t.files(slot.min, slot.max)
  return [
    h(
      'ul',
      { class: 'rules' },
      several && h('li', { key: 'count' }, icon('page'), h('strong', null, count)),
      rules.media.map((media) =>
        h(
          'li',
          { key: media.kind },
          icon(ICONS.find((name) => name === media.kind) ?? 'page'),
          h('div', null, mediaRule(media, rules, several ? '' : count, words), formats(media, words)),
        ),
      ),
    ),
    rules.guidance.length > 0 &&
      h(
        'details',
        { class: 'more' },
        h('summary', null, t.guidance),
        h(
          'ul',
          { class: 'guidance' },
          rules.guidance.map((text) => h('li', null, words.of(text))),
        ),
      ),
  ]
}

/** @param {MediaRules} media @param {SlotRules} rules @param {string} count where it is the whole slot's @param {Words} words */
function mediaRule(media, rules, count, words) {
  const { t } = words
  const most = rules.maxPerKind[media.kind]
  return dotted([
    h('strong', { class: 'kind' }, t.kinds[/** @type {'video'} */ (media.kind)] ?? media.kind),
    count === '' && most !== undefined ? t.ofKind(most) : count,
    media.maxDurationSeconds === undefined ? '' : t.noLonger(words.limit(media.maxDurationSeconds)),
    media.maxPages === undefined ? '' : t.noMorePages(media.maxPages),
    media.maxBytes === Number.MAX_SAFE_INTEGER ? '' : t.noLarger(words.bytes(media.maxBytes)),
  ])
}

/** No formats for PDF: the kind is the format. @param {MediaRules} media @param {Words} words */
function formats({ kind, containers, remediableContainers }, words) {
  if (kind === 'pdf') return null
  const taken = formatNames(containers)
  const also = formatNames(remediableContainers.slice(0, 3))
  return h('p', { class: 'formats' }, also === '' ? taken : words.t.converted(taken, also))
}
