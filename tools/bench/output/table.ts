// The result as tables for a terminal.

import type { Metric } from '../model.ts'
import type { Row } from '../stats.ts'

/** One metric: a title, a table, a note. `references` give a column of ratios each. */
export function table(metric: Metric, rows: readonly Row[], references: readonly string[]): string {
  const compared = references.filter((name) => rows.some(({ ratios }) => ratios[name] !== undefined))
  const hasVariants = rows.some(({ variant }) => variant !== undefined)
  // A figure that no server has gets no column.
  const figures = metric.figures.filter(({ key }) => rows.some(({ medians }) => medians[key] != null))
  const withDurable = metric.name.startsWith('patch')
  const withRange = rows.some(({ rounds }) => rounds > 1)
  const head = [
    'server',
    'store',
    ...(hasVariants ? [''] : []),
    ...figures.map(({ label }) => label),
    ...(withRange ? [`${metric.figures[0]?.label} from–to`] : []),
    ...compared.map((name) => `× ${name}`),
    ...(withDurable ? ['durable'] : []),
    'rounds',
  ]
  const lines = rows.map((row) => [
    row.name,
    row.store,
    ...(hasVariants ? [row.variant ?? ''] : []),
    ...figures.map(({ key, digits }) => number(row.medians[key], digits)),
    ...(withRange ? [range(row, metric.figures[0]?.digits ?? 0)] : []),
    ...compared.map((name) => number(row.ratios[name], 2)),
    ...(withDurable ? [row.durable] : []),
    String(row.rounds),
  ])
  const texts = hasVariants ? 3 : 2
  return [metric.title, '', ...aligned([head, ...lines], texts), '', `  (${metric.note})`, ''].join('\n')
}

function number(value: number | null | undefined, digits: number): string {
  return value == null || !Number.isFinite(value) ? '–' : value.toFixed(digits)
}

function range({ range: known }: Row, digits: number): string {
  return known === null ? '–' : `${number(known.least, digits)}–${number(known.most, digits)}`
}

/** The first `texts` columns to the left, the others to the right. */
function aligned(cells: readonly string[][], texts: number): string[] {
  const widths = (cells[0] ?? []).map((_, i) => Math.max(...cells.map((line) => (line[i] ?? '').length)))
  return cells.map((line) =>
    line
      .map((cell, i) => (i < texts ? cell.padEnd(widths[i] ?? 0) : cell.padStart(widths[i] ?? 0)))
      .join('  ')
      .replace(/^/, '  ')
      .trimEnd(),
  )
}
