// Expected arrivals before a deadline: people act with a probability of 1/(T − t) as a
// deadline T approaches (Alfi, Parisi, Pietronero: Nature Physics 3, 746, 2007), softened here so that it stays finite.

/** Avoids the singularity at the deadline. */
const SOFTENING_MS = 60_000

export type Curve = {
  /** Expected arrivals within [fromMs, toMs); none after the deadline. */
  between(fromMs: number, toMs: number): number
}

/**
 * The curve, scaled to `arrived` arrivals from `fromMs` to `nowMs`.
 *
 * @returns undefined if there are too few arrivals
 */
export function fittedCurve(
  deadlineMs: number,
  { fromMs, nowMs, arrived }: { fromMs: number; nowMs: number; arrived: number },
): Curve | undefined {
  const seenUntil = Math.min(nowMs, deadlineMs)
  if (arrived === 0 || seenUntil <= fromMs) return undefined
  // ∫ dt / (T − t + s) = ln((T − a + s) / (T − b + s))
  const share = (from: number, to: number) =>
    Math.log((deadlineMs - from + SOFTENING_MS) / (deadlineMs - to + SOFTENING_MS))
  const scale = arrived / share(fromMs, seenUntil)
  return {
    between(from, to) {
      const end = Math.min(to, deadlineMs)
      return end <= from ? 0 : scale * share(from, end)
    },
  }
}
