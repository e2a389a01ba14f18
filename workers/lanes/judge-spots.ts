// Whether a picture can be watched, from the spots that were decoded and the holes that were found.

import type { Gap, Measured } from '../../src/records/upload-record.ts'
import type { Spot } from '../media/spot-decode.ts'

/** A recording of which so much is missing is not one that somebody can be asked to watch. */
const UNWATCHABLE_SHARE = 2 / 3
/** As close to the end, a hole is the rest of a copy that broke off: its space was taken, and nothing was written there. */
const END_SECONDS = 1.5
/** What a spot without a frame stands for. */
const SPOT_SECONDS = 2

export type Shown = {
  /** Absent: nothing is known. */
  decodable?: boolean
  signals: Partial<Measured>
}

/**
 * A limit of ours is never the file's fault: a spot that came to one is left out, and where all did, nothing was checked.
 *
 * @param found holes among the packets; @param seconds of the whole recording
 */
export function judgeSpots(spots: readonly Spot[], found: readonly Gap[], seconds: number): Shown {
  const known = spots.filter(({ frames, limited }) => frames > 0 || !limited)
  const dark = known.filter(({ frames }) => frames === 0)
  const isDark = known.length > 0 && dark.length === known.length
  const end = found.find((gap) => gap.startSeconds + gap.seconds > seconds - END_SECONDS)
  const isEndDark = end !== undefined && dark.some(({ at }) => at === 'last')
  const gaps = withSpots(found, dark)
  const missing = gaps.reduce((sum, gap) => sum + gap.seconds, 0)
  return {
    ...(known.length === 0 ? {} : { decodable: !isDark && !isEndDark && missing < seconds * UNWATCHABLE_SHARE }),
    signals: {
      ...(gaps.length === 0 ? {} : { gaps: gaps.map(rounded) }),
      ...(spots.length > 0 && known.length === 0 ? { unchecked: true } : {}),
    },
  }
}

function withSpots(gaps: readonly Gap[], dark: readonly Spot[]): Gap[] {
  const isKnown = ({ seconds }: Spot): boolean =>
    gaps.some((gap) => seconds + SPOT_SECONDS >= gap.startSeconds && seconds <= gap.startSeconds + gap.seconds)
  const more = dark.filter((spot) => !isKnown(spot))
  return [...gaps, ...more.map(({ seconds }) => ({ startSeconds: seconds, seconds: SPOT_SECONDS }))].sort(
    (a, b) => a.startSeconds - b.startSeconds,
  )
}

function rounded({ startSeconds, seconds }: Gap): Gap {
  return { startSeconds: Math.round(startSeconds * 10) / 10, seconds: Math.round(seconds * 10) / 10 }
}
