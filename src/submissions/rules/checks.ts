// The named check of each code, and the states of checks by problems.

import type { MediaKind } from '../../core/identify.ts'
import type { Check, FileProblem, Severity } from '../../records/upload-record.ts'
import type { SlotRules } from '../profiles/profile.ts'
import { INSPECTION_CODES, type RuleCode } from './codes.ts'

export type Judgement = { problems: FileProblem[]; checks: Check[]; accepted: boolean }

const ALL_KINDS = ['video', 'pdf', 'image', 'audio', 'other'] as const satisfies readonly MediaKind[]

type CheckEntry = { name: string; kinds: readonly MediaKind[]; codes: readonly RuleCode[] }

const check = (name: string, kinds: readonly MediaKind[], ...codes: RuleCode[]): CheckEntry => ({
  name,
  kinds,
  codes,
})

const PDF_READABLE_CODES = [
  'PDF_DAMAGED',
  'PDF_TOO_COMPLEX',
  'PDF_FLAWED',
  'PDF_UNCHECKED',
  'PDF_PASSWORD',
  'PDF_RESTRICTED',
] as const

const DECODABLE_CODES = ['VIDEO_UNDECODABLE', 'AUDIO_UNDECODABLE', 'VIDEO_UNCHECKED', 'RECORDING_HAS_GAPS'] as const

/** In a natural order for readers. */
const VALIDATE_CHECKS: readonly CheckEntry[] = [
  check('type', ALL_KINDS, 'UPLOAD_EMPTY', 'TYPE_MISMATCH'),
  check('size', ALL_KINDS, 'UPLOAD_TOO_LARGE'),
  check('container', ['video', 'image', 'audio'], 'CONTAINER_NOT_ALLOWED', 'CONTAINER_CONVERTED'),
  check('complete', ['video'], 'INCOMPLETE_FILE', 'RECORDING_CUT_OFF', 'VIDEO_UNCHECKED'),
  check('count', ALL_KINDS, 'KIND_LIMIT_EXCEEDED'),
  check('picture', ['video'], 'NO_VIDEO'),
  check('sound', ['video'], 'NO_AUDIO'),
  check('duration', ['video', 'audio'], 'DURATION_EXCEEDED', 'DURATION_TOO_SHORT', 'DURATION_SHORT'),
  check('durationClaims', ['video', 'audio'], 'DURATION_INCONSISTENT'),
  check('codec', ['video', 'audio'], 'CODEC_UNCOMMON'),
  check('resolution', ['video'], 'LOW_RESOLUTION'),
  check('frameRate', ['video'], 'FRAME_RATE_HIGH'),
  check('orientation', ['video'], 'PORTRAIT'),
  check('streamable', ['video'], 'NOT_STREAMABLE'),
  check('soundTracks', ['video'], 'MULTI_AUDIO'),
  check('readable', ['pdf'], ...PDF_READABLE_CODES),
  check('pages', ['pdf'], 'PDF_TOO_MANY_PAGES', 'PDF_TOO_FEW_PAGES'),
  check('activeContent', ['pdf'], 'PDF_ACTIVE_CONTENT'),
]

const INSPECT_CHECKS: readonly CheckEntry[] = [
  check('decodable', ['video'], ...DECODABLE_CODES),
  check('silence', ['video'], 'SILENT_AUDIO'),
  check('black', ['video'], 'BLACK_VIDEO', 'BLACK_VIDEO_ENTIRE'),
  check('frozen', ['video'], 'FROZEN_VIDEO'),
  check('lengths', ['video'], 'AV_LENGTH_MISMATCH'),
  check('duplicate', ALL_KINDS, 'DUPLICATE_IN_SUBMISSION'),
]

/** Only if there is a scanner or a planned time. */
const CONDITIONAL_CHECKS: readonly CheckEntry[] = [
  check('plannedTime', ['video'], 'PLAN_TIME_MISMATCH'),
  check('malware', ALL_KINDS, 'MALWARE'),
]

const CHECK_TABLES = { validate: VALIDATE_CHECKS, inspect: INSPECT_CHECKS, conditional: CONDITIONAL_CHECKS }

/** The checks of a table for a kind that the slot has not switched off, in the given state. */
export function checksFor(table: keyof typeof CHECK_TABLES, kind: MediaKind, slot: SlotRules): readonly CheckEntry[] {
  return CHECK_TABLES[table].filter(
    (entry) => entry.kinds.includes(kind) && entry.codes.some((code) => slot.severities[code] !== 'off'),
  )
}

/** Passed if no problem has one of the check's codes. Advice does not count. */
export function judgedChecks(entries: readonly CheckEntry[], problems: readonly FileProblem[]): Check[] {
  return entries.map(({ name, codes }) => {
    const severities = problems.filter((p) => codes.some((code) => code === p.code)).map((p) => p.severity)
    return { name, state: stateOf(severities) }
  })
}

function stateOf(severities: readonly Severity[]): Check['state'] {
  if (severities.includes('reject')) return 'failed'
  return severities.includes('warn') ? 'warned' : 'passed'
}

/**
 * Merges the results of `inspect` into the verdict: its checks replace the pending ones, its problems those
 * of the same codes. Idempotent.
 */
export function withInspection(before: Pick<Judgement, 'problems' | 'checks'>, inspection: Judgement): Judgement {
  const inspected = new Set(inspection.checks.map((c) => c.name))
  const replaced = new Set<string>([...INSPECTION_CODES, ...inspection.problems.map((p) => p.code)])
  const problems = [...before.problems.filter((p) => !replaced.has(p.code)), ...inspection.problems]
  return {
    problems,
    checks: [...before.checks.filter((c) => !inspected.has(c.name)), ...inspection.checks],
    accepted: problems.every((p) => p.severity !== 'reject'),
  }
}
