// Three accounts of how long some tracks last together: what the header claims, what the edit lists let play, and what the
// samples would be without edit lists. Which of them counts is decided in one place, the rules' `duration.ts`.

import type { Mp4Track } from './track.ts'

export type Durations = {
  /** What the movie header claims; null when it claims nothing. */
  headerSeconds: number | null
  /** From the first start to the last end, by the edit lists (never longer than the samples allow). */
  editedSeconds: number
  /** The same of all samples, as a player would have it that ignores edit lists. */
  samplesSeconds: number
}

/** @param tracks the picture and the sound that are played */
export function weighDurations(headerSeconds: number | null, tracks: readonly Mp4Track[]): Durations {
  const sounding = tracks.filter((track) => track.sampleCount > 0)
  const played = sounding.map((track) => track.played).filter((span) => span.playedSeconds > 0)
  return {
    headerSeconds,
    editedSeconds: spanOf(played.map((span) => [span.startSeconds, span.endSeconds])),
    samplesSeconds: Math.max(
      spanOf(sounding.map(({ shown }) => [shown.from, shown.until])),
      ...sounding.map((track) => track.samplesSeconds),
    ),
  }
}

/** From the earliest start to the latest end; 0 of nothing. */
export function spanOf(spans: readonly (readonly [start: number, end: number])[]): number {
  if (spans.length === 0) return 0
  return Math.max(...spans.map(([, end]) => end)) - Math.min(...spans.map(([start]) => start))
}

/** Under the names that records have for them. */
export function lengthsOf({ samplesSeconds, editedSeconds }: Durations) {
  return { durationSeconds: samplesSeconds, editedDurationSeconds: editedSeconds }
}
