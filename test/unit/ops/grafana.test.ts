// The Grafana dashboard: what a panel draws together has one unit, and its axis says which. Two units on one axis are two
// lines of which one lies on the ground.

import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'

type Panel = {
  type: string
  title: string
  gridPos: { x: number; y: number; w: number; h: number }
  fieldConfig?: { defaults: { unit: string }; overrides: unknown[] }
  targets?: { expr: string }[]
}

const BOARD = join(import.meta.dirname, '../../../docker/grafana/dashboard.json')
const { panels } = JSON.parse(readFileSync(BOARD, 'utf8')) as { panels: Panel[] }
const drawing = panels.filter(({ targets }) => targets !== undefined)

/** Quantity → Grafana's name of its unit. Bytes in steps of 1024, as everywhere. */
const UNITS: Record<string, string> = {
  bytes: 'bytes',
  'bytes/s': 'binBps',
  seconds: 's',
  share: 'percentunit',
  flag: 'bool_yes_no',
  count: 'short',
  'count/s': 'reqps',
  'count/min': 'suffix:/min',
  processors: 'short',
}

/** What an expression gives, from the name of its first metric and from what is done with it. */
function quantityOf(expr: string): string {
  const name = /[a-z][a-z0-9]*(?:[_:][a-z0-9]+)+/.exec(expr.replace('histogram_quantile', ''))?.[0] ?? ''
  if (/_paused$|_up$/.test(name)) return 'flag'
  if (name === 'process_cpu_seconds_total') return 'processors'
  if (name === 'songngan:s3_calls_per_upload:ratio_rate15m') return 'count'
  if (/:ratio|_ratio$/.test(name) || expr.includes(' / sum')) return 'share'
  const base = /_bytes/.test(name) ? 'bytes' : /_seconds(?!_count)/.test(name) ? 'seconds' : 'count'
  if (expr.startsWith('60 * ')) return `${base}/min`
  return /\brate\(/.test(expr) && !expr.startsWith('histogram_quantile') ? `${base}/s` : base
}

describe('the panels of the Grafana dashboard', () => {
  it.each(drawing.map((panel) => [panel.title, panel] as const))('%s: one unit', (_title, panel) => {
    const quantities = [...new Set((panel.targets ?? []).map(({ expr }) => quantityOf(expr)))]
    expect(quantities).toHaveLength(1)
    expect(panel.fieldConfig?.defaults.unit).toBe(UNITS[quantities[0] ?? ''])
    expect(panel.fieldConfig?.overrides).toEqual([])
  })

  it('lie side by side on the 24 columns, none over another', () => {
    const cells = panels.flatMap(({ title, gridPos: { x, y, w, h } }) =>
      Array.from({ length: w * h }, (_, i) => ({ title, cell: `${x + (i % w)},${y + Math.floor(i / w)}` })),
    )
    expect(new Set(cells.map(({ cell }) => cell)).size).toBe(cells.length)
    for (const { title, gridPos } of panels) expect(gridPos.x + gridPos.w, title).toBeLessThanOrEqual(24)
  })
})
