// Whether a picture can be watched, from the spots that were decoded and the holes that were found.

import type { Gap, Measured } from '../../src/records/upload-record.ts'
import type { Found } from '../media/gaps.ts'
import type { Spot } from '../media/spot-decode.ts'

/** A recording of whose picture so much does not decode is not one that somebody can be asked to watch. */
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
 * Nor is a hole alone a reason to refuse: the picture itself must have been seen to be undecodable.
 *
 * @param found holes, and those of them that are pictures which do not decode; @param seconds of the whole recording
 */
export function judgeSpots(spots: readonly Spot[], found: Found, seconds: number): Shown {
  const known = spots.filter(({ frames, limited }) => frames > 0 || !limited)
  const dark = known.filter(({ frames }) => frames === 0)
  const isDark = known.length > 0 && dark.length === known.length
  const breaksOff =
    found.dark.some((gap) => gap.startSeconds + gap.seconds > seconds - END_SECONDS) &&
    dark.some(({ at }) => at === 'last')
  const darkSeconds = found.dark.reduce((sum, gap) => sum + gap.seconds, 0)
  const isMostlyDark = seconds > 0 && darkSeconds >= seconds * UNWATCHABLE_SHARE
  const gaps = withSpots(found.gaps, dark)
  return {
    ...(known.length === 0 ? {} : { decodable: !isDark && !breaksOff && !isMostlyDark }),
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
