// What is wrong with a file, in the reader's language: problems that the service found, with the limit and what was measured,
// and problems that the page saw before sending.

import { clock, excess, formatName, formatNames } from '../../../../src/submissions/rules/format.ts'
import { h } from './dom.js'
import { dotted } from './dotted.js'
import { icon } from './icons.js'

/** @typedef {import('../words/words.js').Words} Words */
/** @typedef {import('../model/store.js').ListedUpload['problems'][number]} Problem */
/** @typedef {import('../checking/check.js').LocalProblem} LocalProblem */

/** Units of `limit` and `actual`, by code. @type {Record<string, (value: number, words: Words) => string>} */
const UNITS = {
  DURATION_EXCEEDED: clock,
  DURATION_TOO_SHORT: clock,
  DURATION_SHORT: clock,
  UPLOAD_TOO_LARGE: (value, words) => words.bytes(value),
  PDF_TOO_MANY_PAGES: (value, words) => words.t.pages(value),
  PDF_TOO_FEW_PAGES: (value, words) => words.t.pages(value),
  LOW_RESOLUTION: (value) => `${value} px`,
  FRAME_RATE_HIGH: (value) => `${Math.round(value * 100) / 100} fps`,
}

/**
 * Rejections, then warnings. Advice is for those who read the submission: the uploader has nothing to do.
 * @param {readonly Problem[]} problems @param {Words} words
 */
export function problemList(problems, words) {
  const shown = ['reject', 'warn'].flatMap((grave) => problems.filter(({ severity }) => severity === grave))
  if (shown.length === 0) return null
  return h(
    'ul',
    { class: 'problems' },
    shown.map((problem) =>
      h(
        'li',
        { key: problem.code, class: problem.severity },
        icon(problem.severity === 'reject' ? 'problem' : 'warn'),
        h('div', null, h('p', null, words.of(problem.message)), measures(problem, words)),
      ),
    ),
  )
}

/** @param {Problem} problem @param {Words} words */
function measures({ code, limit, actual }, words) {
  const unit = UNITS[code]
  if (unit === undefined || typeof limit !== 'number' || typeof actual !== 'number') return null
  return h('p', { class: 'measures' }, dotted([words.t.limit(unit(limit, words)), words.t.actual(unit(actual, words))]))
}

/** @param {LocalProblem} problem @param {import('../model/profile.js').SlotRules | undefined} rules @param {Words} words */
export function localProblemText(problem, rules, words) {
  const { checks, kinds } = words.t
  const kindOf = (/** @type {string} */ name) => kinds[/** @type {'video'} */ (name)] ?? name
  const wanted = words.either((rules?.media ?? []).map(({ kind }) => kindOf(kind)))
  switch (problem.name) {
    case 'kind':
      return checks.kind(problem.found === 'other' ? formatName(problem.container) : kindOf(problem.found), wanted)
    case 'office':
      return checks.office(problem.found, wanted)
    case 'twice':
    case 'twiceRejected':
      return checks[problem.name](problem.file)
    case 'unknownKind':
      return checks.unknownKind(wanted)
    case 'format':
      return checks.format(formatName(problem.found), formatNames(problem.wanted))
    case 'size':
      return checks.size(words.bytes(problem.actual), words.bytes(problem.limit))
    case 'tooLong': {
      const over = words.of(excess(problem.actual, problem.limit))
      return checks.tooLong(clock(problem.actual), words.limit(problem.limit), over)
    }
    case 'tooShort':
      return checks.tooShort(clock(problem.actual), words.limit(problem.limit))
    case 'kindFull':
      return checks.kindFull(kindOf(problem.kind), problem.limit)
    case 'slotFull':
      return checks.slotFull(problem.limit)
    default:
      return checks[problem.name]
  }
}
