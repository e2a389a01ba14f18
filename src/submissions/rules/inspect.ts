// Rules of the `inspect` lane. They run after a file was accepted, so they warn, and reject only
// if the profile names the rule and the submission is not sealed.

import type { Bilingual } from '../../core/errors.ts'
import type { Gap, Measured } from '../../records/upload-record.ts'
import type { SlotRules } from '../profiles/profile.ts'
import { checksFor, type Judgement, judgedChecks } from './checks.ts'
import type { RuleCode, RuleSeverity } from './codes.ts'
import { judgedDurationSeconds } from './duration.ts'
import { type Findings, findingsFor } from './findings.ts'

/** Quieter than the noise of any room; digital silence is about -91 dB. */
const SILENT_MEAN_DB = -60
const SILENT_SHARE = 0.95
export const MOSTLY_BLACK_SHARE = 0.5
const ENTIRELY_BLACK_SHARE = 0.95
/** Slides may be still for long, but not nearly all the time. */
export const FROZEN_SHARE = 0.8
const MAX_TRACK_DIFFERENCE_SECONDS = 5

/** Another upload of the same submission with a known SHA-256, not superseded. */
export type SiblingFile = {
  id: string
  slot: string
  slotLabel: Bilingual
  sha256: string | null
  storedAt: string | null
}

export type InspectionInput = {
  slot: SlotRules
  /** Including the results of the inspection. */
  measured: Measured
  /** False: start, middle or end of the picture could not be decoded. Absent: not tried. */
  decodable?: boolean
  /** Malware name; null: none. Absent: no scanner. */
  malware?: string | null
  /** The planned time from another slot's metadata, by `plannedTime`. */
  plannedMinutes?: number
  upload: { id: string; sha256: string | null; storedAt: string | null; replaces: string | null }
  siblings?: readonly SiblingFile[]
  /** The revision is sealed: no rejection is possible. */
  sealed: boolean
}

/** Inspection results that are not in the measurements. */
export function foundBefore({
  checks,
  problems,
}: Pick<Judgement, 'checks' | 'problems'>): Pick<InspectionInput, 'decodable' | 'malware'> {
  const isMade = (name: string) => checks.some((check) => check.name === name && check.state !== 'pending')
  const find = (code: RuleCode) => problems.find((problem) => problem.code === code)
  const malware = find('MALWARE')?.actual
  return {
    ...(isMade('decodable') ? { decodable: find('VIDEO_UNDECODABLE') === undefined } : {}),
    ...(isMade('malware') ? { malware: malware === undefined ? null : String(malware) } : {}),
  }
}

/**
 * Judges the inspection of an accepted file. Merge with `withInspection`.
 *
 * @returns only the problems and checks of this lane; `accepted` is false if a problem rejects
 */
export function judgeInspection(input: InspectionInput): Judgement {
  const { slot, measured, sealed } = input
  const findings = findingsFor(slot, (code, severity) => softened(slot, sealed, code, severity))
  if (measured.kind === 'video') judgeVideo(input, findings)
  if (input.malware) findings.add('MALWARE', { actual: input.malware })
  const original = earlierCopy(input)
  if (original) {
    findings.add('DUPLICATE_IN_SUBMISSION', { other: original.slotLabel, actual: original.id })
  }
  const conditional = checksFor('conditional', measured.kind, slot).filter(
    ({ name }) =>
      (name === 'plannedTime' && slot.plannedTime && input.plannedMinutes !== undefined) ||
      (name === 'malware' && input.malware !== undefined),
  )
  const { problems } = findings
  return {
    problems,
    checks: judgedChecks([...checksFor('inspect', measured.kind, slot), ...conditional], problems),
    accepted: problems.every((problem) => problem.severity !== 'reject'),
  }
}

function softened(slot: SlotRules, sealed: boolean, code: RuleCode, severity: RuleSeverity): RuleSeverity {
  return severity === 'reject' && (sealed || !slot.inspectionRejects.includes(code)) ? 'warn' : severity
}

function judgeVideo(input: InspectionInput, findings: Findings): void {
  const { slot, measured } = input
  if (measured.complete === false) findings.add('INCOMPLETE_FILE', {})
  if (measured.unchecked) findings.add('VIDEO_UNCHECKED', {})
  if (input.decodable === false) findings.add('VIDEO_UNDECODABLE', {})
  else {
    judgeGaps(measured.gaps ?? [], findings)
    const { audioCodec, audioDamaged } = measured
    // A sound without a sample has no codec here: it is none, which another rule says.
    if (audioDamaged && audioCodec !== undefined) findings.add('AUDIO_UNDECODABLE', { actual: audioCodec })
  }
  const seconds = judgedDurationSeconds(measured)
  if (seconds === undefined) return
  if (isSilent(measured, seconds)) findings.add('SILENT_AUDIO', {})
  judgeBlack(slot, (measured.blackSeconds ?? 0) / seconds, findings)
  const frozen = (measured.frozenSeconds ?? 0) / seconds
  // A black picture is also frozen: one message is enough.
  if (frozen >= FROZEN_SHARE && (measured.blackSeconds ?? 0) / seconds < MOSTLY_BLACK_SHARE) {
    findings.add('FROZEN_VIDEO', { limit: FROZEN_SHARE * 100, actual: percent(frozen) })
  }
  const { videoDurationSeconds: video, audioDurationSeconds: audio } = measured
  if (video !== undefined && audio !== undefined && Math.abs(video - audio) > MAX_TRACK_DIFFERENCE_SECONDS) {
    findings.add('AV_LENGTH_MISMATCH', {
      limit: MAX_TRACK_DIFFERENCE_SECONDS,
      actual: Math.abs(video - audio),
      videoSeconds: video,
      audioSeconds: audio,
    })
  }
  const planned = planDifference(slot, seconds, input.plannedMinutes)
  if (planned) findings.add('PLAN_TIME_MISMATCH', planned)
}

/** So many are told in a sentence. */
const NAMED_GAPS = 5

function judgeGaps(gaps: readonly Gap[], findings: Findings): void {
  if (gaps.length === 0) return
  const longest = gaps.toSorted((a, b) => b.seconds - a.seconds).slice(0, NAMED_GAPS)
  findings.add('RECORDING_HAS_GAPS', {
    actual: Math.round(gaps.reduce((sum, { seconds }) => sum + seconds, 0) * 10) / 10,
    gaps: gaps.filter((gap) => longest.includes(gap)),
    more: gaps.length - longest.length,
  })
}

function isSilent(measured: Measured, seconds: number): boolean {
  if (measured.audioCodec === undefined || measured.audioDamaged) return false // another rule has said it
  return (
    (measured.meanVolumeDb !== undefined && measured.meanVolumeDb <= SILENT_MEAN_DB) ||
    (measured.silentSeconds ?? 0) / seconds >= SILENT_SHARE
  )
}

function judgeBlack(slot: SlotRules, share: number, findings: Findings): void {
  const entire = share >= ENTIRELY_BLACK_SHARE && slot.severities.BLACK_VIDEO_ENTIRE !== 'off'
  if (entire) {
    findings.add('BLACK_VIDEO_ENTIRE', { limit: ENTIRELY_BLACK_SHARE * 100, actual: percent(share) })
  } else if (share >= MOSTLY_BLACK_SHARE) {
    findings.add('BLACK_VIDEO', { limit: MOSTLY_BLACK_SHARE * 100, actual: percent(share) })
  }
}

function percent(share: number): number {
  return Math.min(100, Math.round(share * 1000) / 10)
}

/** Planned and actual duration in seconds, if they differ by the slot's tolerance or more. */
export function planDifference(
  slot: SlotRules,
  seconds: number,
  plannedMinutes: number | undefined,
): { limit: number; actual: number } | undefined {
  if (!slot.plannedTime || plannedMinutes === undefined) return undefined
  const limit = plannedMinutes * 60
  return Math.abs(seconds - limit) >= slot.plannedTime.toleranceSeconds ? { limit, actual: seconds } : undefined
}

/**
 * The earlier upload with the same bytes. Only the later of two copies is a duplicate, or two that are
 * inspected at once would reject each other.
 */
function earlierCopy({ slot, upload, siblings = [] }: InspectionInput): SiblingFile | undefined {
  if (upload.sha256 === null) return undefined
  return siblings.find(
    (other) =>
      other.id !== upload.id &&
      other.sha256 === upload.sha256 &&
      // Not the upload that it replaces.
      other.id !== upload.replaces &&
      !(other.slot === slot.id && slot.max === 1) &&
      isEarlier(other, upload),
  )
}

function isEarlier(a: Pick<SiblingFile, 'id' | 'storedAt'>, b: Pick<SiblingFile, 'id' | 'storedAt'>): boolean {
  if (a.storedAt === b.storedAt) return a.id < b.id
  return a.storedAt !== null && (b.storedAt === null || a.storedAt < b.storedAt)
}
