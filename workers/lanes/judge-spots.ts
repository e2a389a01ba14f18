// Whether a video can be watched, from the decoded positions and the holes.

import type { Gap, Measured } from '../../src/records/upload-record.ts'
import type { Found } from '../media/gaps.ts'
import type { Spot } from '../media/spot-decode.ts'

/** Above this share of undecodable picture a recording is rejected. */
const UNWATCHABLE_SHARE = 2 / 3
/** A hole this close to the end is an interrupted copy, whose space was allocated but not written. */
const END_SECONDS = 1.5
/** Duration that a position without a frame stands for. */
const SPOT_SECONDS = 2

export type Shown = {
  /** Absent: nothing is known. */
  decodable?: boolean
  signals: Partial<Measured>
}

/**
 * Our own limits are never an error of the file: a position that reached one does not count; if all did, nothing was
 * checked. A hole alone is no reason to reject: the picture itself must be undecodable.
 *
 * @param found holes, and undecodable pictures among them; @param seconds of the complete recording
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
