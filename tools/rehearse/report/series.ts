// Prepares series for a plot: reduces the number of points, and turns single events into a curve.

import { spreadOf } from '../../surge/measures.ts'
import type { Point, Series } from '../watch/recorder.ts'

const MOST_POINTS = 180

/** Reduces to the given number of points, each the maximum of its neighbours, so that peaks stay visible. */
export function thinned(points: readonly Point[], most = MOST_POINTS): Point[] {
  const each = Math.ceil(points.length / most)
  if (each <= 1) return [...points]
  const result: Point[] = []
  for (let i = 0; i < points.length; i += each) {
    const some = points.slice(i, i + each)
    result.push([some[0]?.[0] ?? 0, Math.max(...some.map(([, value]) => value))])
  }
  return result
}

/** p50 and p95 of events (seconds, value) in windows of the given seconds. */
export function quantiles(name: string, moments: readonly Point[], windowSeconds: number): Series {
  const windows = new Map<number, number[]>()
  for (const [at, value] of moments) {
    const window = Math.floor(at / windowSeconds)
    windows.set(window, [...(windows.get(window) ?? []), value])
  }
  const curve = (pick: 'p50' | 'p95'): Point[] =>
    [...windows]
      .sort(([a], [b]) => a - b)
      .map(([window, values]) => [(window + 0.5) * windowSeconds, round(spreadOf(values)[pick] ?? 0)])
  return windows.size === 0 ? {} : { [`${name}: p50`]: curve('p50'), [`${name}: p95`]: curve('p95') }
}

function round(value: number): number {
  return Math.round(value * 100) / 100
}
