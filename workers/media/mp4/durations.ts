// Three accounts of a duration, and the one to judge by.
//
// Header and edit list can be patched so that an hour looks like ten minutes, while the samples are all still there; so
// the longer of edit list and samples counts. But an honest trim of the head without re-encoding keeps the samples from
// the keyframe before the cut, hidden by the edit list: a difference of one group of pictures is no forgery.

import type { Mp4Track } from './track.ts'

export type Durations = {
  /** What the movie header claims; null when it claims nothing. */
  headerSeconds: number | null
  /** The longest track by its edit list (never longer than its samples allow). */
  editedSeconds: number
  /** The longest track by its samples. */
  samplesSeconds: number
  /** max(edited, samples): nothing in the file lasts longer. */
  measuredSeconds: number
  /** What limits are judged on: `editedSeconds` where the difference is an honest trim, else `measuredSeconds`. */
  playedSeconds: number
  /** Longest distance between two keyframes of a video track. */
  gopSeconds: number
  /** The hidden part exceeds an honest trim: someone may have patched the edit list. */
  hidden: boolean
}

/** No camera or editor puts keyframes further apart; without this bound a file could claim its own tolerance. */
export const MAX_TRIM_SECONDS = 12

/** Priming samples of audio, frames cut at the tail. */
const SLACK_SECONDS = 0.5

/** @param tracks video and audio tracks only */
export function weighDurations(headerSeconds: number | null, tracks: readonly Mp4Track[]): Durations {
  const longest = (seconds: (track: Mp4Track) => number): number => Math.max(0, ...tracks.map(seconds))
  const samplesSeconds = longest((track) => track.samplesSeconds)
  const editedSeconds = longest((track) => track.editedSeconds ?? track.samplesSeconds)
  const gopSeconds = longest((track) => track.gopSeconds)
  const measuredSeconds = Math.max(editedSeconds, samplesSeconds)
  const hidden = measuredSeconds - editedSeconds > Math.min(MAX_TRIM_SECONDS, gopSeconds + SLACK_SECONDS)
  return {
    headerSeconds,
    editedSeconds,
    samplesSeconds,
    measuredSeconds,
    playedSeconds: hidden ? measuredSeconds : editedSeconds,
    gopSeconds,
    hidden,
  }
}
