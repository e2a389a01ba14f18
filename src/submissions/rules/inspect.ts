// What reading the whole file adds to the verdict. It comes after a file was accepted, so it may warn, and reject only
// where the profile names the rule and nothing is sealed yet.

import type { Bilingual } from '../../core/errors.ts'
import type { Gap, Measured } from '../../records/upload-record.ts'
import type { SlotRules } from '../profiles/profile.ts'
import { checksFor, type Judgement, judgedChecks } from './checks.ts'
import type { RuleCode, RuleSeverity } from './codes.ts'
import { judgedDurationSeconds } from './duration.ts'
import { type Findings, findingsFor } from './findings.ts'

/** Quieter than the noise of any room; digital silence is about -91 dB. */
export const SILENT_MEAN_DB = -60
export const SILENT_SHARE = 0.95
export const MOSTLY_BLACK_SHARE = 0.5
export const ENTIRELY_BLACK_SHARE = 0.95
/** Slides stand still for long; nothing standing still for nearly all of the time is a recording. */
export const FROZEN_SHARE = 0.8
export const MAX_TRACK_DIFFERENCE_SECONDS = 5

/** Another upload of the same submission whose bytes are known. Superseded ones are not to be given. */
export type SiblingFile = {
  id: string
  slot: string
  slotLabel: Bilingual
  sha256: string | null
  storedAt: string | null
}

export type InspectionInput = {
  slot: SlotRules
  /** With what the pass over the whole file found. */
  measured: Measured
  /** False: start, middle or end of the picture could not be decoded. Absent: not tried. */
  decodable?: boolean
  /** What a scanner found; null: it found nothing. Absent: no scanner. */
  malware?: string | null
  /** What another slot says about the running time, where the slot's `plannedTime` asks for it. */
  plannedMinutes?: number
  upload: { id: string; sha256: string | null; storedAt: string | null; replaces: string | null }
  siblings?: readonly SiblingFile[]
  /** The revision of this upload is sealed: nothing may be rejected any more. */
  sealed: boolean
}

/** What a pass over the whole file had found that its measurements do not tell. */
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
 * Judges what `inspect` found, for files that were accepted. Merge with `withInspection`.
 *
 * @returns only the problems and checks of this lane; `accepted` is false where a rejection that the profile names came up
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
    if (measured.audioDamaged) findings.add('AUDIO_UNDECODABLE', { actual: measured.audioCodec ?? 'unknown' })
  }
  const seconds = judgedDurationSeconds(measured)
  if (seconds === undefined) return
  if (isSilent(measured, seconds)) findings.add('SILENT_AUDIO', {})
  judgeBlack(slot, (measured.blackSeconds ?? 0) / seconds, findings)
  const frozen = (measured.frozenSeconds ?? 0) / seconds
  // A black picture stands still too: one message is enough.
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

/** Planned and actual running time in seconds where they differ by the slot's tolerance or more. */
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
 * The upload that was there first with the same bytes. Only the later of two copies is a duplicate, or two that are
 * inspected at once would reject each other.
 */
function earlierCopy({ slot, upload, siblings = [] }: InspectionInput): SiblingFile | undefined {
  if (upload.sha256 === null) return undefined
  return siblings.find(
    (other) =>
      other.id !== upload.id &&
      other.sha256 === upload.sha256 &&
      // In its own slot a copy of what it takes the place of is no second file.
      other.id !== upload.replaces &&
      !(other.slot === slot.id && slot.max === 1) &&
      isEarlier(other, upload),
  )
}

function isEarlier(a: Pick<SiblingFile, 'id' | 'storedAt'>, b: Pick<SiblingFile, 'id' | 'storedAt'>): boolean {
  if (a.storedAt === b.storedAt) return a.id < b.id
  return a.storedAt !== null && (b.storedAt === null || a.storedAt < b.storedAt)
}
