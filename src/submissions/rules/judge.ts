// The verdict of the `validate` lane: one file by the rules of one slot, from the index of the file.
// Pure: measurements can be judged again by another profile without reading the file.

import type { MediaKind } from '../../core/identify.ts'
import type { Measured } from '../../records/upload-record.ts'
import type { MediaRules } from '../profiles/media.ts'
import type { SlotRules } from '../profiles/profile.ts'
import { checksFor, type Judgement, judgedChecks } from './checks.ts'
import { contradictingHeader, HONEST_TRIM_SECONDS, judgedDurationSeconds } from './duration.ts'
import { type Findings, findingsFor } from './findings.ts'
import { judgePdf } from './judge-pdf.ts'
import { judgePicture } from './judge-picture.ts'

export type JudgeInput = {
  slot: SlotRules
  measured: Measured
  /** Declared by the client: only used if the bytes are ambiguous. */
  declared: { filename: string | null; type: string | null; bytes: number | null }
  actualBytes: number
  /** Overrides the profile's value; seconds. */
  toleranceSeconds?: number
  /** Accepted files in the same slot that count and that this one does not replace. */
  siblings?: readonly { kind: MediaKind }[]
}

/**
 * Judges a file by its measurements.
 *
 * @returns problems by severity of the profile; checks made, and those that `inspect` still has to make as `pending`
 * (none if the file is rejected); `accepted` is false if a problem rejects
 */
export function judge(input: JudgeInput): Judgement {
  const { slot, measured, actualBytes } = input
  const findings = findingsFor(slot)
  const media = slot.media.find((rules) => rules.kind === measured.kind)
  if (actualBytes === 0) findings.add('UPLOAD_EMPTY', {})
  else if (!media) {
    const kinds = slot.media.map((rules) => rules.kind)
    findings.add('TYPE_MISMATCH', { limit: kinds, actual: measured.container, kind: measured.kind })
  } else judgeMedia(input, media, findings)

  const { problems } = findings
  const accepted = problems.every((problem) => problem.severity !== 'reject')
  const ran = media && actualBytes > 0 ? checksFor('validate', measured.kind, slot) : typeCheck(slot)
  const later = accepted ? checksFor('inspect', measured.kind, slot) : []
  return {
    problems,
    checks: [...judgedChecks(ran, problems), ...later.map(({ name }) => ({ name, state: 'pending' as const }))],
    accepted,
  }
}

/** The only check of a file of the wrong kind. */
function typeCheck(slot: SlotRules) {
  return checksFor('validate', 'other', slot).filter((entry) => entry.name === 'type')
}

function judgeMedia(input: JudgeInput, media: MediaRules, findings: Findings): void {
  const { slot, measured, actualBytes, siblings = [] } = input
  if (actualBytes > media.maxBytes) {
    findings.add('UPLOAD_TOO_LARGE', { limit: media.maxBytes, actual: actualBytes })
  }
  const most = slot.maxPerKind[media.kind]
  const others = siblings.filter((sibling) => sibling.kind === media.kind).length
  if (most !== undefined && others >= most) {
    findings.add('KIND_LIMIT_EXCEEDED', { limit: most, actual: others + 1, kind: media.kind })
  }
  judgeContainer(media, measured, findings)
  if (media.kind === 'pdf') judgePdf(media, measured, findings)
  if (media.kind === 'video') judgeVideo(input, media, findings)
  if (media.kind === 'audio') judgeDuration(input, media, findings)
}

function judgeContainer(media: MediaRules, { container }: Measured, findings: Findings): void {
  const verdict = containerVerdict(media, container)
  if (verdict === 'converted') {
    findings.add('CONTAINER_CONVERTED', { limit: [...media.containers], actual: container })
  }
  if (verdict === 'refused') {
    findings.add('CONTAINER_NOT_ALLOWED', { limit: [...media.containers], actual: container })
  }
}

/** `converted`: accepted and converted to MP4. */
export function containerVerdict(media: MediaRules, container: string): 'allowed' | 'converted' | 'refused' {
  if (media.containers.includes(container)) return 'allowed'
  if (media.remediableContainers.includes(container)) return 'converted'
  return media.otherContainers === 'convert' ? 'converted' : 'refused'
}

function judgeVideo(input: JudgeInput, media: MediaRules, findings: Findings): void {
  const { measured } = input
  // Other values of an incomplete file are not reliable.
  if (measured.complete === false) {
    findings.add('INCOMPLETE_FILE', {})
    return
  }
  if (measured.unchecked) findings.add('VIDEO_UNCHECKED', {})
  if (measured.tornEnd) findings.add('RECORDING_CUT_OFF', { actual: judgedDurationSeconds(measured) ?? 0 })
  if (measured.encrypted) findings.add('VIDEO_UNDECODABLE', {})
  // What was not looked at is not missing.
  const isSeen = (value: unknown): boolean => value !== undefined || measured.unchecked === true
  if (!isSeen(measured.videoCodec)) findings.add('NO_VIDEO', {})
  if (!isSeen(measured.audioCodec)) findings.add('NO_AUDIO', {})
  judgeDuration(input, media, findings)
  judgePicture(media, measured, findings)
}

function judgeDuration(input: JudgeInput, media: MediaRules, findings: Findings): void {
  const { measured } = input
  const actual = judgedDurationSeconds(measured)
  if (actual === undefined && measured.unchecked) return
  // Without a measured length the file has no samples to play.
  if (actual === undefined) {
    findings.add('INCOMPLETE_FILE', {})
    return
  }
  const tolerance = input.toleranceSeconds ?? media.durationToleranceSeconds
  const { maxDurationSeconds, minDurationSeconds, advisedMinDurationSeconds } = media
  if (maxDurationSeconds !== undefined && actual > maxDurationSeconds + tolerance) {
    findings.add('DURATION_EXCEEDED', { limit: maxDurationSeconds, actual })
  }
  if (minDurationSeconds !== undefined && actual < minDurationSeconds) {
    findings.add('DURATION_TOO_SHORT', { limit: minDurationSeconds, actual })
  } else if (advisedMinDurationSeconds !== undefined && actual < advisedMinDurationSeconds) {
    findings.add('DURATION_SHORT', { limit: advisedMinDurationSeconds, actual })
  }
  const claim = contradictingHeader(measured)
  if (claim) {
    const gap = Math.abs(claim.claimedSeconds - claim.judgedSeconds)
    findings.add('DURATION_INCONSISTENT', { ...claim, limit: HONEST_TRIM_SECONDS, actual: gap })
  }
}
