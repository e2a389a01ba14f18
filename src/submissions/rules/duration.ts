// Which of a file's several durations counts, and whether they contradict each other.

import type { Measured } from '../../records/upload-record.ts'

/**
 * An honest trim without re-encoding hides up to one group of pictures behind an edit list. More than that is no trim:
 * a forged header or edit list makes an hour look like ten minutes while the samples are all there.
 */
export const HONEST_TRIM_SECONDS = 12

/**
 * The duration that limits apply to, in seconds: the edited one (what a player plays) where it differs from the samples
 * by an honest trim only, else the longest that the content reaches. Header claims never count.
 * Undefined where nothing was measured.
 */
export function judgedDurationSeconds(measured: Measured): number | undefined {
  const { durationSeconds, editedDurationSeconds: edited } = measured
  const tracks = [measured.videoDurationSeconds, measured.audioDurationSeconds].filter(isLength)
  const samples = isLength(durationSeconds) ? durationSeconds : tracks.length > 0 ? Math.max(...tracks) : 0
  if (!isLength(edited)) return samples > 0 ? samples : undefined
  return Math.abs(samples - edited) <= HONEST_TRIM_SECONDS ? edited : Math.max(samples, edited)
}

/**
 * The claim (header or edit list) that is furthest from the judged duration, if by more than an honest trim.
 * A header without a duration claims nothing: live recordings and fragmented files have none.
 */
export function contradictingHeader(
  measured: Measured,
): { claimedSeconds: number; judgedSeconds: number } | undefined {
  const judgedSeconds = judgedDurationSeconds(measured)
  if (judgedSeconds === undefined) return undefined
  const header = measured.fragmented ? undefined : measured.headerDurationSeconds
  const gap = (claim: number) => Math.abs(claim - judgedSeconds)
  const claimedSeconds = [header, measured.editedDurationSeconds, measured.durationSeconds]
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
