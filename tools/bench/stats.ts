// Medians over the rounds, and ratios to the references.

import type { Contender, Figures, Metric, Sample, Store } from './model.ts'

/** One line of a table: a contender (and variant) with the medians of its rounds. */
export type Row = {
  name: string
  store: Store
  variant: string | undefined
  durable: Contender['durable']
  rounds: number
  medians: Figures
  /** Range of the main figure; null if no round measured it. */
  range: { least: number; most: number } | null
  /** Main figure against each reference: name → factor; > 1 is better for `more`, worse for `less`. */
  ratios: Record<string, number>
}

/** The median: the mean of the two middle values if their number is even; NaN for none. */
export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b)
  const middle = Math.floor(sorted.length / 2)
  const upper = sorted[middle] ?? Number.NaN
  return sorted.length % 2 === 1 ? upper : ((sorted[middle - 1] ?? Number.NaN) + upper) / 2
}

/** Null if no round measured it. */
function medians(samples: readonly Sample[], keys: readonly string[]): Figures {
  return Object.fromEntries(
    keys.map((key) => {
      const known = samples.flatMap(({ figures }) => figures[key] ?? [])
      return [key, known.length === 0 ? null : median(known)]
    }),
  )
}

function rangeOf(samples: readonly Sample[], key: string): Row['range'] {
  const known = samples.flatMap(({ figures }) => figures[key] ?? [])
  return known.length === 0 ? null : { least: Math.min(...known), most: Math.max(...known) }
}

/** @param references names of contenders that others are compared with, on the same store */
export function rowsOf(
  metric: Metric,
  contenders: readonly Contender[],
  samples: readonly Sample[],
  references: readonly string[],
): Row[] {
  const keys = metric.figures.map(({ key }) => key)
  const main = keys[0] ?? ''
  const rows = contenders.flatMap(({ name, store, durable }) => {
    const own = samples.filter(
      (sample) => sample.metric === metric.name && sample.name === name && sample.store === store,
    )
    const variants = [...new Set(own.map(({ variant }) => variant))]
    return variants.map((variant): Row => {
      const same = own.filter((sample) => sample.variant === variant)
      return {
        name,
        store,
        variant,
        durable,
        rounds: same.length,
        medians: medians(same, keys),
        range: rangeOf(same, main),
        ratios: {},
      }
    })
  })
  for (const row of rows)
    for (const reference of references) {
      const other = referenceRow(rows, row, reference)?.medians[main]
      const own = row.medians[main]
      if (row.name !== reference && own != null && other) row.ratios[reference] = own / other
    }
  return rows
}

/** If a reference lacks this variant, its only one is used. */
function referenceRow(rows: readonly Row[], row: Row, reference: string): Row | undefined {
  const same = rows.filter(({ name, store }) => name === reference && store === row.store)
  return same.find(({ variant }) => variant === row.variant) ?? (same.length === 1 ? same[0] : undefined)
}
