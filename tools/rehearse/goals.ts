// The goals of every rehearsal. If one is missed, the exit code is 1.

import type { Spread } from '../surge/measures.ts'
import type { Scenario } from './scenarios.ts'
import type { Point, Series } from './watch/recorder.ts'

export type Goal = { name: string; limit: string; actual: string; met: boolean }

export type Measured = {
  lost: number
  duplicated: number
  restartedFromZero: number
  unfinished: number
  refused: number
  undecided: number
  misjudged: number
  strays: number
  storeErrors: number
  /** From the last byte to the verdict; null: there was none. */
  verdictP95Ms: number | null
  payloadBytes: number
  /** null if no operations listener answered. */
  receivedBytes: number | null
  /** Outside and inside the times in which requests are held. */
  latencies: Record<string, Spread>
  heldLatencies: Record<string, Spread>
  peakRssBytes: Record<string, number>
  series: Series
}

const MIB = 1024 ** 2
const RECEIVED_FACTOR = 1.05
const POST_P95_MS = 500
const HEAD_P99_MS = 1000
/** "A verdict in seconds": whoever hands in at the last minute waits for it in front of the page. */
const VERDICT_P95_MS = 10_000
type Method = 'POST' | 'HEAD' | 'PATCH'
/**
 * How long the service holds a request: 20 s while Redis is unavailable; while the bucket is, 25 s to store bytes, and 5 s
 * for HEAD. Plus one second for the response.
 */
const HELD_MS = {
  'Redis is unavailable': { POST: 21_000, HEAD: 21_000, PATCH: 21_000 },
  'the bucket fails': { POST: 26_000, HEAD: 6000, PATCH: 26_000 },
} satisfies Record<string, Record<Method, number>>
const METHODS: readonly Method[] = ['POST', 'HEAD', 'PATCH']
/** Limit of a service process: memory of 2,000 slow clients. */
const SERVICE_RSS_MIB = { local: 256, s3: 400 }
/** Limit of a worker process without its media tools. */
const WORKER_RSS_MIB = 400

export function goalsOf(scenario: Scenario, measured: Measured): Goal[] {
  const none = (name: string, count: number): Goal => ({
    name,
    limit: '0',
    actual: String(count),
    met: count === 0,
  })
  const { payloadBytes, receivedBytes, latencies, heldLatencies, peakRssBytes, series } = measured
  const factor = receivedBytes === null || payloadBytes === 0 ? null : receivedBytes / payloadBytes
  return [
    none('lost', measured.lost),
    none('duplicated', measured.duplicated),
    none('restarted from byte 0', measured.restartedFromZero),
    none('unfinished', measured.unfinished),
    none('permanently refused', measured.refused),
    none('without a verdict', measured.undecided),
    none('misjudged', measured.misjudged),
    none('errors in the store', measured.storeErrors),
    none('leftover processes', measured.strays),
    {
      name: 'bytes received / payload',
      limit: `≤ ${RECEIVED_FACTOR}`,
      actual: factor === null ? 'unknown' : factor.toFixed(3),
      met: factor === null || factor <= RECEIVED_FACTOR,
    },
    latency('POST p95', latencies['POST']?.p95 ?? null, POST_P95_MS),
    latency('HEAD p99', latencies['HEAD']?.p99 ?? null, HEAD_P99_MS),
    latency('last byte → verdict p95', measured.verdictP95Ms, VERDICT_P95_MS),
    ...METHODS.flatMap((method) => {
      const longest = heldLatencies[method]?.max ?? null
      const why = scenario.faults.some(({ act }) => act === 's3Trouble') ? 'the bucket fails' : 'Redis is unavailable'
      return longest === null ? [] : [latency(`${method} while ${why}, longest`, longest, HELD_MS[why][method])]
    }),
    ...Object.entries(peakRssBytes).flatMap(([name, bytes]) => {
      const limit = name.startsWith('service') ? SERVICE_RSS_MIB[scenario.storage] : WORKER_RSS_MIB
      return /^(service|worker)/.test(name) ? [below(`peak RSS, ${name}`, bytes / MIB, limit, 'MiB')] : []
    }),
    ...(scenario.growthMibPerMinute === undefined
      ? []
      : growth(series).map(([name, slope]) =>
          below(`growth, ${name}`, slope, scenario.growthMibPerMinute ?? 0, 'MiB/min'),
        )),
  ]
}

function latency(name: string, ms: number | null, limitMs: number): Goal {
  const actual = ms === null ? 'no request' : `${Math.round(ms)} ms`
  return { name, limit: `< ${limitMs} ms`, actual, met: ms === null || ms < limitMs }
}

function below(name: string, value: number, limit: number, unit: string): Goal {
  return { name, limit: `≤ ${limit} ${unit}`, actual: `${value.toFixed(1)} ${unit}`, met: value <= limit }
}

function growth(series: Series): [string, number][] {
  return Object.entries(series).flatMap(([name, points]) => {
    const process = /^RSS MiB: ((?:service|worker).*)$/.exec(name)?.[1]
    return process === undefined ? [] : [[process, 60 * slopeOf(secondHalf(points))] as [string, number]]
  })
}

/** The growth right after the start of a process is normal and does not count. */
function secondHalf(points: readonly Point[]): Point[] {
  const middle = ((points[0]?.[0] ?? 0) + (points.at(-1)?.[0] ?? 0)) / 2
  return points.filter(([at]) => at >= middle)
}

/** Slope by least squares, units per second; 0 for fewer than two points. */
export function slopeOf(points: readonly Point[]): number {
  const mean = (pick: 0 | 1) => points.reduce((sum, point) => sum + point[pick], 0) / points.length
  const [x, y] = [mean(0), mean(1)]
  const spread = points.reduce((sum, [at]) => sum + (at - x) ** 2, 0)
  if (!(spread > 0)) return 0
  return points.reduce((sum, [at, value]) => sum + (at - x) * (value - y), 0) / spread
}
