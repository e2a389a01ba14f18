// Checks a chosen file before it is sent: type by its first bytes, size, length, picture and sound.
// `stop`: the service would refuse it. `ask`: the verdict would probably be a rejection.

import { IDENTIFY_BYTES, identify } from '../../../../src/core/identify.ts'
import { lengthsOf } from '../../../../src/media/mp4/durations.ts'
import { readMp4Index } from '../../../../src/media/mp4/index.ts'
import { judgedDurationSeconds } from '../../../../src/submissions/rules/duration.ts'
import { blobSource } from './bytes.js'
import { lengthByPlayer } from './player.js'

/** @typedef {import('../model/profile.js').SlotRules} SlotRules */
/** @typedef {import('../model/profile.js').MediaRules} MediaRules */
/** @typedef {import('../../../../src/core/identify.ts').MediaKind} MediaKind */
/**
 * @typedef {{name: 'unreadable' | 'empty' | 'unknownKind' | 'noSound' | 'noPicture' | 'incomplete'}
 *   | {name: 'kind', found: string, container: string} | {name: 'format', found: string, wanted: readonly string[]}
 *   | {name: 'size', actual: number, limit: number} | {name: 'tooLong' | 'tooShort', actual: number, limit: number}
 *   | {name: 'kindFull', kind: string, limit: number} | {name: 'slotFull', limit: number}
 *   | {name: 'office', found: string} | {name: 'twice' | 'twiceRejected', file: string}} LocalProblem
 */
/**
 * @typedef {object} Finding
 * @property {'go' | 'ask' | 'stop'} verdict
 * @property {LocalProblem[]} problems the reasons, if the verdict is not `go`
 * @property {MediaKind} kind
 * @property {boolean} large the page advises Wi-Fi and a charger
 */

/** Office documents: their programs can save them as PDF. */
const OFFICE = /\.(docx?|pptx?|xlsx?|od[tps]|pages|key)$/i
/** Containers whose index the page can read. */
const ISO = ['mp4', 'mov', '3gp']
/** Limits for phones; larger indexes are left to the service. */
const LIMITS = { maxMovieBytes: 48 * 1024 * 1024, maxFragmentBytes: 1024 * 1024, maxBoxes: 2000 }

/**
 * @param {File} file
 * @param {SlotRules} slot
 * @returns {Promise<Finding>}
 */
export async function checkFile(file, slot) {
  if (file.size === 0) return stop('other', { name: 'empty' })
  let head
  try {
    head = new Uint8Array(await file.slice(0, IDENTIFY_BYTES).arrayBuffer())
  } catch {
    return stop('other', { name: 'unreadable' }) // no permission, or the file is only in cloud storage
  }
  const { kind, container } = /** @type {{kind: MediaKind, container: string}} */ (identify(head, true))
  const media = slot.media.find((rules) => rules.kind === kind)
  if (media === undefined) return stop(kind, wrongKind(kind, container, file.name, slot))
  if (!takes(media, container)) return stop(kind, { name: 'format', found: container, wanted: media.containers })
  if (file.size > media.maxBytes) return stop(kind, { name: 'size', actual: file.size, limit: media.maxBytes })
  const problems = kind === 'video' ? await checkContent(file, container, media, slot) : []
  const large = media.recommendedMaxBytes !== undefined && file.size > media.recommendedMaxBytes
  return { verdict: problems.length > 0 ? 'ask' : 'go', problems, kind, large }
}

/** @param {MediaKind} kind @param {LocalProblem} problem @returns {Finding} */
function stop(kind, problem) {
  return { verdict: 'stop', problems: [problem], kind, large: false }
}

/** @param {string} kind @param {string} container @param {string} name @param {SlotRules} slot @returns {LocalProblem} */
function wrongKind(kind, container, name, { media }) {
  const [, program] = OFFICE.exec(name) ?? []
  if (program !== undefined && kind === 'other' && media.some((rules) => rules.kind === 'pdf'))
    return { name: 'office', found: program.toUpperCase() }
  return container === 'unknown' ? { name: 'unknownKind' } : { name: 'kind', found: kind, container }
}

/** @param {MediaRules} media @param {string} container */
function takes(media, container) {
  const known = media.containers.includes(container) || media.remediableContainers.includes(container)
  return known || media.otherContainers === 'convert'
}

/**
 * The problems that the index shows; empty if it cannot be read.
 * @param {File} file @param {string} container @param {MediaRules} media @param {SlotRules} slot
 * @returns {Promise<LocalProblem[]>}
 */
async function checkContent(file, container, media, slot) {
  // An index that cannot be read here is no problem: the service reads every byte.
  const index = ISO.includes(container)
    ? await readMp4Index(blobSource(file), LIMITS).catch(() => undefined)
    : undefined
  const rejects = (/** @type {keyof SlotRules['severities']} */ code) => slot.severities[code] === 'reject'
  // Without the index nothing else can be checked.
  if (index?.complete === false) return rejects('INCOMPLETE_FILE') ? [{ name: 'incomplete' }] : []
  const facts = index?.measurable === true ? index : undefined
  /** @type {LocalProblem[]} */
  const problems = []
  if (facts !== undefined && facts.video === null && rejects('NO_VIDEO')) problems.push({ name: 'noPicture' })
  if (facts !== undefined && facts.audio.length === 0 && rejects('NO_AUDIO')) problems.push({ name: 'noSound' })
  const judged = facts === undefined ? undefined : judgedDurationSeconds(lengthsOf(facts.durations))
  const seconds = judged ?? (await lengthByPlayer(file))
  const { maxDurationSeconds: most, minDurationSeconds: least, durationToleranceSeconds: tolerance } = media
  if (seconds !== null && most !== undefined && seconds > most + tolerance && rejects('DURATION_EXCEEDED'))
    problems.push({ name: 'tooLong', actual: seconds, limit: most })
  if (seconds !== null && least !== undefined && seconds < least - tolerance && rejects('DURATION_TOO_SHORT'))
    problems.push({ name: 'tooShort', actual: seconds, limit: least })
  return problems
}
