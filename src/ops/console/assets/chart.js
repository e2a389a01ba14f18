// A bar chart over time with an optional line; redrawn with every response in the current size.

import { svg } from './dom.js'
import { niceScale, timeSteps } from './scale.js'
import { clockTime } from './words.js'

/**
 * @typedef {{ atMs: number, values: number[] }} Bar one value for each series, from the bottom up
 * @typedef {{
 *   bars: Bar[],
 *   classes: string[],
 *   barMs: number,
 *   fromMs: number,
 *   toMs: number,
 *   line?: { atMs: number, value: number }[],
 *   marks?: { atMs: number, words: string, row: number }[],
 *   inWords: (value: number) => string,
 *   scale?: typeof niceScale,
 *   label: string,
 * }} Chart
 */

const LEFT = 76
const RIGHT = 12
const TOP = 22
const BOTTOM = 26

/**
 * @param {Chart} chart
 * @param {number} width pixels
 * @param {number} height
 */
export function draw(chart, width, height) {
  const { bars, barMs, fromMs, toMs, line = [], marks = [], classes, inWords, scale = niceScale } = chart
  const tops = bars.map(({ values }) => values.reduce((sum, value) => sum + value, 0))
  const { end, steps } = scale(Math.max(0, ...tops, ...line.map(({ value }) => value)))
  const x = (/** @type {number} */ ms) => LEFT + ((ms - fromMs) / (toMs - fromMs)) * (width - LEFT - RIGHT)
  const y = (/** @type {number} */ value) => height - BOTTOM - (value / end) * (height - TOP - BOTTOM)
  const root = svg('svg', {
    width,
    height,
    viewBox: `0 0 ${width} ${height}`,
    role: 'img',
    'aria-label': chart.label,
  })
  for (const step of steps) {
    root.append(
      svg('line', { class: 'grid', x1: LEFT, x2: width - RIGHT, y1: y(step), y2: y(step) }),
      svg('text', { class: 'axis', x: LEFT - 8, y: y(step) + 5, 'text-anchor': 'end' }, inWords(step)),
    )
  }
  for (const at of timeSteps(fromMs, toMs, Math.max(2, Math.floor(width / 110)))) {
    if (x(at) < LEFT + 16 || x(at) > width - RIGHT - 16) continue
    const words = clockTime(at, { seconds: toMs - fromMs < 600_000 })
    root.append(svg('text', { class: 'axis', x: x(at), y: height - 7, 'text-anchor': 'middle' }, words))
  }
  const barWidth = Math.max(1, x(fromMs + barMs) - x(fromMs) - (bars.length > 100 ? 0.5 : 1.5))
  for (const { atMs, values } of bars) {
    let below = 0
    for (const [i, value] of values.entries()) {
      if (value <= 0) continue
      const left = Math.max(LEFT, x(atMs))
      const wide = Math.max(0, Math.min(x(atMs) + barWidth, width - RIGHT) - left)
      const box = {
        x: left,
        y: y(below + value),
        width: wide,
        height: Math.max(1, y(below) - y(below + value)),
      }
      root.append(svg('rect', { class: classes[i] ?? '', ...box }))
      below += value
    }
  }
  if (line.length > 1) {
    const points = line.map(({ atMs, value }) => `${x(atMs + barMs / 2).toFixed(1)},${y(value).toFixed(1)}`)
    root.append(svg('polyline', { class: 'line', points: points.join(' ') }))
  }
  for (const { atMs, words, row } of marks) {
    if (atMs < fromMs || atMs > toMs) continue
    const near = x(atMs) > width - 130
    root.append(
      svg('line', { class: 'mark', x1: x(atMs), x2: x(atMs), y1: TOP - 6, y2: height - BOTTOM }),
      svg(
        'text',
        {
          class: 'mark',
          x: x(atMs) + (near ? -6 : 6),
          y: TOP + 6 + 18 * row,
          'text-anchor': near ? 'end' : 'start',
        },
        words,
      ),
    )
  }
  return root
}
