// A slot's rule in words: how many files of what kind, how long, how many pages, how large; and what assessors look at.

import { formatName } from '../words/words.js'
import { h } from './dom.js'
import { icon } from './icons.js'

/** @typedef {import('../words/words.js').Words} Words */
/** @typedef {import('../model/profile.js').SlotRules} SlotRules */
/** @typedef {import('../model/profile.js').MediaRules} MediaRules */

const ICONS = /** @type {const} */ (['video', 'pdf', 'image', 'audio'])

/** @param {SlotRules} rules @param {{min: number, max: number}} slot @param {Words} words */
export function ruleLines(rules, slot, words) {
  const { t } = words
  return [
    h(
      'ul',
      { class: 'rules' },
      rules.media.map((media, i) =>
        h(
          'li',
          { key: media.kind },
          icon(ICONS.find((name) => name === media.kind) ?? 'page'),
          h('span', null, mediaRule(media, rules, i === 0 ? t.files(slot.min, slot.max) : '', words)),
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

/** @param {MediaRules} media @param {SlotRules} rules @param {string} count of the whole slot @param {Words} words */
function mediaRule(media, rules, count, words) {
  const { t } = words
  const kind = t.kinds[/** @type {'video'} */ (media.kind)] ?? media.kind
  const most = rules.maxPerKind[media.kind]
  const several = rules.media.length > 1
  const parts = [
    h('strong', null, kind),
    several ? (most === undefined ? '' : t.ofKind(most)) : count,
    media.maxDurationSeconds === undefined ? '' : t.noLonger(words.limit(media.maxDurationSeconds)),
    media.maxPages === undefined ? '' : t.noMorePages(media.maxPages),
    media.maxBytes === Number.MAX_SAFE_INTEGER ? '' : t.noLarger(words.bytes(media.maxBytes)),
    formats(media, words),
  ].filter((part) => part !== '')
  return parts.flatMap((part, i) => (i === 0 ? [part] : [' · ', part]))
}

/** PDF needs no saying: the kind is the format. @param {MediaRules} media @param {Words} words */
function formats({ kind, containers, remediableContainers }, words) {
  if (kind === 'pdf') return ''
  const taken = containers.map(formatName).join(', ')
  const also = remediableContainers.slice(0, 3).map(formatName).join(', ')
  return also === '' ? taken : `${taken} (${words.t.converted(also)})`
}
