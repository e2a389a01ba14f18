// Axes of charts.

/**
 * The end of an axis, and the steps to it: round numbers, the last at or above `max`.
 *
 * @param {number} max
 * @returns {{ end: number, steps: number[] }}
 */
export function niceScale(max) {
  if (!(max > 0)) return { end: 1, steps: [0, 1] }
  const rough = max / 4
  const power = 10 ** Math.floor(Math.log10(rough))
  const step = ([1, 2, 2.5, 5, 10].find((factor) => factor * power >= rough) ?? 10) * power
  const count = Math.ceil(max / step - 1e-9)
  return { end: count * step, steps: Array.from({ length: count + 1 }, (_, i) => i * step) }
}

/** The same for bytes: round numbers of the unit that they are written in. @param {number} max */
export function byteScale(max) {
  if (!(max > 0)) return niceScale(max)
  const unit = 1024 ** Math.max(0, Math.floor(Math.log(max) / Math.log(1024)))
  const { end, steps } = niceScale(max / unit)
  return { end: end * unit, steps: steps.map((step) => step * unit) }
}

const STEPS_MS = [15, 30, 60, 120, 300, 600, 1800, 3600, 10_800, 21_600, 43_200].map((s) => s * 1000)

/**
 * Round moments of the local clock, at most `count` of them.
 *
 * @param {number} fromMs
 * @param {number} toMs
 * @param {number} count
 * @returns {number[]}
 */
export function timeSteps(fromMs, toMs, count) {
  const step = STEPS_MS.find((ms) => (toMs - fromMs) / ms <= count) ?? 86_400_000
  const zoneMs = new Date(fromMs).getTimezoneOffset() * 60_000
  const first = Math.ceil((fromMs - zoneMs) / step) * step + zoneMs
  const steps = []
  for (let at = first; at <= toMs; at += step) steps.push(at)
  return steps
}
