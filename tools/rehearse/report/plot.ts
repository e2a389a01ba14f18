// One plot of curves over time as self-contained SVG: axes, shaded faults, a legend below.

import type { FaultMark } from '../faults.ts'
import type { Point } from '../watch/recorder.ts'

export type Curve = { name: string; points: readonly Point[] }

export type Plot = {
  title: string
  unit: string
  curves: Curve[] /** A line across, with its words. */
  limit?: number
}

export type Frame = { seconds: number; marks: readonly FaultMark[] }

const WIDTH = 620
const HEIGHT = 230
const LEFT = 52
const RIGHT = 12
const TOP = 34
const BOTTOM = 24
const LEGEND_LINE = 17
const LEGEND_COLUMNS = 3
const COLOURS = ['#1a7f5a', '#b4551d', '#3b6fb6', '#8a4fa3', '#a08000', '#c23b5a', '#4a8f9c', '#6b7280']
const TICKS = 4

/** Readable on a light and on a dark page. */
export const PLOT_STYLE = `
  .plot text { font: 11px system-ui, sans-serif; fill: #1f2328 }
  .plot .title { font-size: 13px; font-weight: 600 }
  .plot .quiet { fill: #59636e }
  .plot .grid { stroke: #d5dae0; stroke-width: 1 }
  .plot .fault { fill: #c23b3b; opacity: 0.13 }
  .plot .begin { stroke: #c23b3b; stroke-width: 1; opacity: 0.7 }
  .plot .limit { stroke: #c23b3b; stroke-dasharray: 5 4 }
  @media (prefers-color-scheme: dark) {
    .plot text { fill: #e6edf3 } .plot .quiet { fill: #9198a1 } .plot .grid { stroke: #30363d }
  }`

/** @param alone with its own style, to be saved as a file */
export function plotSvg({ title, unit, curves, limit }: Plot, { seconds, marks }: Frame, alone = false): string {
  const drawn = curves.filter(({ points }) => points.length > 0)
  const most = Math.max(...drawn.flatMap(({ points }) => points.map(([, value]) => value)), limit ?? 0, 0)
  const top = niceTop(most)
  const right = Math.max(seconds, 1)
  const x = (at: number) => LEFT + (Math.min(Math.max(at, 0), right) / right) * (WIDTH - LEFT - RIGHT)
  const y = (value: number) => HEIGHT - BOTTOM - (value / top) * (HEIGHT - TOP - BOTTOM)
  const height = HEIGHT + Math.ceil(drawn.length / LEGEND_COLUMNS) * LEGEND_LINE + 4
  return [
    `<svg class="plot" xmlns="http://www.w3.org/2000/svg" width="${WIDTH}" height="${height}" viewBox="0 0 ${WIDTH} ${height}" role="img">`,
    `<title>${escaped(title)}</title>`,
    ...(alone ? [`<style>${PLOT_STYLE}</style>`] : []),
    ...marks.map((mark) => faultSvg(mark, x)),
    ...gridSvg(top, x, y, right),
    text(LEFT - 40, 14, `${title}`, 'title'),
    text(LEFT - 40, 27, unit, 'quiet'),
    ...(limit === undefined ? [] : [`<path class="limit" d="M${LEFT} ${f(y(limit))}H${WIDTH - RIGHT}"/>`]),
    ...drawn.map(({ points }, i) => {
      const path = points.map(([at, value], n) => `${n === 0 ? 'M' : 'L'}${f(x(at))} ${f(y(value))}`).join('')
      return `<path d="${path}" fill="none" stroke="${colour(i)}" stroke-width="1.6" stroke-linejoin="round"/>`
    }),
    ...drawn.map(({ name }, i) => legendSvg(name, i)),
    '</svg>',
  ].join('\n')
}

function faultSvg({ name, fromMs, toMs }: FaultMark, x: (at: number) => number): string {
  const [from, to] = [x(fromMs / 1000), x(toMs / 1000)]
  return (
    `<g><title>${escaped(name)}</title><rect class="fault" x="${f(from)}" y="${TOP}" width="${f(Math.max(1, to - from))}" height="${HEIGHT - TOP - BOTTOM}"/>` +
    `<path class="begin" d="M${f(from)} ${TOP}V${HEIGHT - BOTTOM}"/></g>`
  )
}

function gridSvg(top: number, x: (at: number) => number, y: (value: number) => number, seconds: number): string[] {
  const lines: string[] = []
  for (let i = 0; i <= TICKS; i++) {
    const value = (top * i) / TICKS
    lines.push(
      `<path class="grid" d="M${LEFT} ${f(y(value))}H${WIDTH - RIGHT}"/>`,
      text(LEFT - 6, y(value) + 4, number(value), 'quiet', 'end'),
    )
  }
  const step = timeStep(seconds)
  for (let at = 0; at <= seconds; at += step)
    lines.push(text(x(at), HEIGHT - 8, clock(at), 'quiet', at === 0 ? 'start' : 'middle'))
  return lines
}

function legendSvg(name: string, i: number): string {
  const at = LEFT + (i % LEGEND_COLUMNS) * ((WIDTH - LEFT) / LEGEND_COLUMNS)
  const y = HEIGHT + 8 + Math.floor(i / LEGEND_COLUMNS) * LEGEND_LINE
  return `<rect x="${f(at)}" y="${y - 4}" width="14" height="4" fill="${colour(i)}"/>${text(at + 20, y + 2, name)}`
}

function colour(i: number): string {
  return COLOURS[i % COLOURS.length] ?? '#000'
}

/** The next higher of 1, 2, 2.5, 5 × 10ⁿ, so that four grid lines have round values. */
export function niceTop(most: number): number {
  if (!(most > 0)) return 1
  const power = 10 ** Math.floor(Math.log10(most))
  return ([1, 2, 4, 6, 8, 10].find((step) => step * power >= most) ?? 10) * power
}

function timeStep(seconds: number): number {
  return [5, 10, 20, 30, 60, 120, 300, 600, 1200, 3600].find((step) => seconds / step <= 9) ?? 7200
}

function clock(seconds: number): string {
  return `${Math.floor(seconds / 60)}:${String(Math.round(seconds % 60)).padStart(2, '0')}`
}

function number(value: number): string {
  if (value >= 10_000) return `${Math.round(value / 1000)}k`
  return value >= 10 || Number.isInteger(value) ? String(Math.round(value)) : value.toFixed(value < 1 ? 2 : 1)
}

function text(x: number, y: number, content: string, style?: string, anchor?: string): string {
  const styled = style === undefined ? '' : ` class="${style}"`
  const anchored = anchor === undefined ? '' : ` text-anchor="${anchor}"`
  return `<text${styled}${anchored} x="${f(x)}" y="${f(y)}">${escaped(content)}</text>`
}

function f(value: number): string {
  return value.toFixed(1)
}

export function escaped(content: string): string {
  return content.replace(/[&<>"]/g, (char) => `&#${char.charCodeAt(0)};`)
}
