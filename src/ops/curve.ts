// How a crowd comes before a deadline, to lay over how it comes today: people act with a probability of 1/(T − t) as a
// deadline T draws near (Alfi, Parisi, Pietronero: Nature Physics 3, 746, 2007), softened here so that it stays finite.

/** Kept from the singular moment of the law. */
const SOFTENING_MS = 60_000

export type Curve = {
  /** Arrivals that the law expects within [fromMs, toMs); none after the deadline. */
  between(fromMs: number, toMs: number): number
}

/**
 * The law, scaled so that it gives `arrived` arrivals from `fromMs` to `nowMs`.
 *
 * @returns undefined where too little has come to say anything
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
