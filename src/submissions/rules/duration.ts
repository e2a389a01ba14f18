// Which of a file's several durations counts, and whether they contradict each other.

import type { Measured } from '../../records/upload-record.ts'

/**
 * An honest trim without re-encoding hides up to one group of pictures behind an edit list. More than that is no trim:
 * a forged header or edit list makes an hour look like ten minutes while the samples are all there.
 */
export const HONEST_TRIM_SECONDS = 12

/** What the accounts of a duration are told by; see `Measured`. */
export type Lengths = Pick<
  Measured,
  'durationSeconds' | 'editedDurationSeconds' | 'videoDurationSeconds' | 'audioDurationSeconds'
>

/**
 * The one duration of a file, in seconds, for limits, for renditions and for the document: from the first start of picture
 * or sound to the last end, as a player plays it. Where the edit list hides more of the samples than an honest trim
 * does, as long as the samples last. Header claims never count. Undefined where nothing was measured.
 */
export function judgedDurationSeconds(measured: Lengths): number | undefined {
  const { durationSeconds, editedDurationSeconds: edited } = measured
  const tracks = [measured.videoDurationSeconds, measured.audioDurationSeconds].filter(isLength)
  const samples = isLength(durationSeconds) ? durationSeconds : tracks.length > 0 ? Math.max(...tracks) : 0
  if (!isLength(edited)) return samples > 0 ? samples : undefined
  return samples - edited <= HONEST_TRIM_SECONDS ? edited : samples
}

/**
 * The claim (header or edit list) that is furthest from the judged duration, if by more than an honest trim.
 * A header without a duration claims nothing: live recordings and fragmented files have none.
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
