// Which of a file's several durations counts, and whether they contradict each other.

import type { Measured } from '../../records/upload-record.ts'

/**
 * A normal trim without re-encoding hides at most one group of pictures by an edit list. More is no trim:
 * a forged header or edit list makes an hour look like ten minutes while the samples are all there.
 */
export const HONEST_TRIM_SECONDS = 12

/** The measurements of durations; see `Measured`. */
export type Lengths = Pick<
  Measured,
  'durationSeconds' | 'editedDurationSeconds' | 'videoDurationSeconds' | 'audioDurationSeconds'
>

/**
 * The duration of a file in seconds, for limits, renditions and the document: from the first start of video
 * or audio to the last end, as players play it. If the edit list hides more than a normal trim,
 * the duration of the samples. Header values never count. Undefined: not measured.
 */
export function judgedDurationSeconds(measured: Lengths): number | undefined {
  const { durationSeconds, editedDurationSeconds: edited } = measured
  const tracks = [measured.videoDurationSeconds, measured.audioDurationSeconds].filter(isLength)
  const samples = isLength(durationSeconds) ? durationSeconds : tracks.length > 0 ? Math.max(...tracks) : 0
  if (!isLength(edited)) return samples > 0 ? samples : undefined
  return samples - edited <= HONEST_TRIM_SECONDS ? edited : samples
}

/**
 * The value (header or edit list) that differs most from the judged duration, if by more than a normal trim.
 * A header without a duration is ignored: live recordings and fragmented files have none.
 */
export function contradictingHeader(measured: Measured): { claimedSeconds: number; judgedSeconds: number } | undefined {
  const judgedSeconds = judgedDurationSeconds(measured)
  if (judgedSeconds === undefined) return undefined
  const header = measured.fragmented ? undefined : measured.headerDurationSeconds
  const gap = (claim: number) => Math.abs(claim - judgedSeconds)
  const claimedSeconds = [header, measured.editedDurationSeconds]
    .filter(isLength)
    .toSorted((a, b) => gap(b) - gap(a))
    .at(0)
  return claimedSeconds !== undefined && gap(claimedSeconds) > HONEST_TRIM_SECONDS
    ? { claimedSeconds, judgedSeconds }
    : undefined
}

function isLength(seconds: number | undefined): seconds is number {
  return seconds !== undefined && Number.isFinite(seconds) && seconds > 0
}
