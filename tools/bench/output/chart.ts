// The result as one self-contained SVG: a panel of bars for each charted figure and store.

import { described, type Machine } from '../machine.ts'
import type { Figure, Metric, Store } from '../model.ts'
import type { Row } from '../stats.ts'
import { OURS } from '../words.ts'

const WIDTH = 900
const MARGIN = 24
const GAP = 36
const COLUMNS = 2
const PANEL_WIDTH = (WIDTH - 2 * MARGIN - (COLUMNS - 1) * GAP) / COLUMNS
const LABEL_WIDTH = 164
const VALUE_WIDTH = 64
const LINE = 22
const BAR = 14
const PANEL_HEAD = 44
const HEAD = 64

/** Readable on a light and on a dark page. */
const STYLE = `
  text { font: 12px system-ui, sans-serif; fill: #1f2328 }
  .title { font-size: 17px; font-weight: 600 }
  .panel { font-size: 13px; font-weight: 600 }
  .small { font-size: 11px; fill: #59636e }
  .other { fill: #a3acb5 }
  .ours { fill: #1a7f5a }
  @media (prefers-color-scheme: dark) {
    text { fill: #e6edf3 } .small { fill: #9198a1 } .other { fill: #57606a } .ours { fill: #3fb98a }
  }`

export type ChartData = readonly { metric: Metric; rows: readonly Row[] }[]

type Panel = {
  title: string
  hint: string
  bars: { label: string; value: number; text: string; ours: boolean }[]
}

export function chart(data: ChartData, about: { machine: Machine; startedAt: string }): string {
  const panels = data.flatMap(panelsOf)
  const placed: string[] = []
  let y = HEAD
  for (let i = 0; i < panels.length; i += COLUMNS) {
    const line = panels.slice(i, i + COLUMNS)
    placed.push(...line.map((panel, column) => draw(panel, MARGIN + column * (PANEL_WIDTH + GAP), y)))
    y += PANEL_HEAD + Math.max(...line.map(({ bars }) => bars.length)) * LINE + GAP / 2
  }
  const title = 'Songngan beside other tus servers, one run on one machine'
  const where = `${described(about.machine)}; ${about.startedAt.slice(0, 10)}; medians`
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" width="${WIDTH}" height="${y}" viewBox="0 0 ${WIDTH} ${y}" role="img">`,
    `<title>${escaped(title)}</title>`,
    `<desc>${escaped(panels.map(inWords).join(' '))}</desc>`,
    `<style>${STYLE}\n</style>`,
    text(MARGIN, 28, title, 'title'),
    text(MARGIN, 47, where, 'small'),
    ...placed,
    '</svg>\n',
  ].join('\n')
}

function panelsOf({ metric, rows }: ChartData[number]): Panel[] {
  const stores = [...new Set(rows.map(({ store }) => store))]
  return metric.figures
    .filter(({ charted }) => charted === true)
    .flatMap((figure) => stores.map((store) => panel(metric, figure, store, rows)))
    .filter(({ bars }) => bars.length > 0)
}

function panel(metric: Metric, figure: Figure, store: Store, rows: readonly Row[]): Panel {
  const bars = rows.flatMap((row) => {
    const value = row.medians[figure.key]
    if (row.store !== store || value == null || !Number.isFinite(value)) return []
    const label = row.variant === undefined ? row.name : `${row.name}, ${row.variant}`
    return [{ label, value, text: value.toFixed(figure.digits), ours: row.name.startsWith(OURS) }]
  })
  const where = store === 'local' ? 'local disk' : 'S3'
  return { title: `${figure.label}, ${where}`, hint: `${metric.title}; ${figure.better} is better`, bars }
}

function draw({ title, hint, bars }: Panel, x: number, y: number): string {
  const most = Math.max(...bars.map(({ value }) => value), Number.MIN_VALUE)
  const room = PANEL_WIDTH - LABEL_WIDTH - VALUE_WIDTH
  const lines = bars.map((bar, i) => {
    const top = y + PANEL_HEAD + i * LINE
    const width = Math.max(1, (bar.value / most) * room).toFixed(1)
    return [
      text(x, top + BAR - 3, bar.label),
      `<rect class="${bar.ours ? 'ours' : 'other'}" x="${x + LABEL_WIDTH}" y="${top}" width="${width}" height="${BAR}" rx="2"/>`,
      text(x + LABEL_WIDTH + Number(width) + 6, top + BAR - 3, bar.text),
    ].join('\n')
  })
  return [text(x, y + 14, title, 'panel'), text(x, y + 30, hint, 'small'), ...lines].join('\n')
}

/** Text alternative for screen readers. */
function inWords({ title, bars }: Panel): string {
  return `${title}: ${bars.map((bar) => `${bar.label} ${bar.text}`).join(', ')}.`
}

function text(x: number, y: number, content: string, style?: string): string {
  const styled = style === undefined ? '' : ` class="${style}"`
  return `<text${styled} x="${x.toFixed(1)}" y="${y.toFixed(1)}">${escaped(content)}</text>`
}

function escaped(content: string): string {
  return content.replace(/[&<>"]/g, (char) => `&#${char.charCodeAt(0)};`)
}
