// The limits of a load test on a stage: the service states them with its consent, and the tool keeps them.

import type { LoadTestLimits } from '../../src/core/load-test-consent.ts'
import type { Stage } from './consent.ts'
import { UsageError } from './usage.ts'

/** What a run is going to do. `arrivalsMs`: ascending, from the start of the run. */
export type PlannedLoad = { arrivalsMs: readonly number[]; minutes: number; mbit: number | undefined }

/** Without `--max-mbit` a run on a stage stays below this, or below the service's limit if that is lower. */
const DEFAULT_MBIT = 100
const BYTES_PER_MBIT = 125_000

/**
 * Bytes a second of all generators together; undefined: no limit, on this machine. Throws UsageError, in one line with all
 * limits that the plan would exceed: a run that was made smaller in silence would be taken for the one that was wanted.
 */
export function bytesPerSecondWithin(stage: Stage | undefined, planned: PlannedLoad): number | undefined {
  if (stage === undefined) return planned.mbit === undefined ? undefined : planned.mbit * BYTES_PER_MBIT
  const { limits, origin } = stage
  const mbit = planned.mbit ?? Math.min(DEFAULT_MBIT, limits.mbit)
  const wanted: LoadTestLimits = {
    clients: planned.arrivalsMs.length,
    minutes: planned.minutes,
    clientsPerSecond: peakPerSecond(planned.arrivalsMs),
    mbit,
  }
  const exceeded = (Object.keys(NAMES) as (keyof LoadTestLimits)[]).filter((name) => wanted[name] > limits[name])
  if (exceeded.length > 0)
    throw new UsageError(
      `${origin} allows less: ${exceeded.map((name) => `${rounded(wanted[name])} ${NAMES[name]}, limit ${limits[name]}`).join('; ')}.`,
    )
  return mbit * BYTES_PER_MBIT
}

const NAMES: Record<keyof LoadTestLimits, string> = {
  clients: 'clients',
  minutes: 'minutes in all',
  clientsPerSecond: 'new clients in one second',
  mbit: 'Mbit/s',
}

/** The limits of a stage in one line. */
export function limitsInWords({ origin, limits }: Stage, bytesPerSecond: number | undefined): string {
  const { clients, minutes, clientsPerSecond } = limits
  const mbit = rounded((bytesPerSecond ?? 0) / BYTES_PER_MBIT)
  return `${origin} consents: at most ${clients} clients, ${clientsPerSecond} new ones a second, ${minutes} minutes; this run sends at most ${mbit} Mbit/s`
}

/** Most arrivals within one second, wherever it begins. @internal */
export function peakPerSecond(arrivalsMs: readonly number[]): number {
  let first = 0
  let peak = 0
  for (const [last, atMs] of arrivalsMs.entries()) {
    while ((arrivalsMs[first] ?? 0) <= atMs - 1000) first += 1
    peak = Math.max(peak, last - first + 1)
  }
  return peak
}

function rounded(value: number): number {
  return Math.round(value * 10) / 10
}
