// The data of the console's dashboard: arrivals and expected arrivals, running uploads, queues
// with waiting times, processes. Read from Redis, so it is the same in every process.

import type { Queue } from 'bullmq'
import { type Clock, isoTime } from '../core/clock.ts'
import { type RedisConnection, viaRedis } from '../core/redis.ts'
import { LANES, type Lane } from '../jobs/contract.ts'
import { redisKeysOf } from '../records/keys.ts'
import { countOpenUploads } from '../records/open-uploads.ts'
import { type Controls, changeInWords } from './controls.ts'
import { byCode, type Counts } from './counters.ts'
import { type Curve, fittedCurve } from './curve.ts'
import { readProcesses } from './heartbeat.ts'
import { intakeOf } from './intake.ts'
import { type LaneView, laneView } from './lane-view.ts'
import { statsOfQueues } from './queue-stats.ts'
import { type Bucket, merged, readRollup, resolutionFor, summed } from './rollup.ts'

export type DayDeps = {
  redis: RedisConnection
  queues: { byLane: Record<Lane, Queue> }
  clock: Clock
  controls: Controls
}

/** Maximum number of points in a chart. */
const MAX_POINTS = 180
/** Period for the throughput of lanes. */
const PACE_SECONDS = 300
/** Period for current rates. */
const NOW_SECONDS = 10
/** A deadline is shown from a day before it to an hour after it. */
const BEFORE_MS = 86_400_000
const AFTER_MS = 3_600_000
const MAX_DEADLINES = 500
const HOUR_MS = 3_600_000

export type DashboardSnapshot = Awaited<ReturnType<typeof readDashboard>>

export async function readDashboard(deps: DayDeps, windowSeconds: number) {
  const { redis, queues, clock, controls } = deps
  const nowMs = clock.now()
  const fromMs = nowMs - windowSeconds * 1000
  const resolution = resolutionFor(windowSeconds)
  const [fine, recent, hour, open, stats, state, paused, processes, deadline, log] = await Promise.all([
    readRollup(redis, resolution, fromMs, nowMs),
    readRollup(redis, 5, nowMs - PACE_SECONDS * 1000, nowMs),
    readRollup(redis, 60, nowMs - HOUR_MS, nowMs),
    countOpenUploads(redis),
    statsOfQueues(queues.byLane, redis, nowMs),
    controls.read(),
    controls.pausedLanes(),
    readProcesses(redis, nowMs),
    nextDeadline(redis, nowMs),
    controls.log(8),
  ])
  const width = Math.ceil(fine.length / MAX_POINTS)
  const buckets = merged(fine, width)
  const bucketSeconds = resolution * width
  const window = summed(fine)
  const lanes = Object.fromEntries(
    LANES.map((lane): [Lane, LaneView] => {
      const control = {
        paused: paused.includes(lane),
        concurrency: state.concurrency[lane]?.jobs ?? null,
      }
      return [lane, laneView(lane, stats[lane], control, summed(recent), PACE_SECONDS)]
    }),
  ) as Record<Lane, LaneView>
  return {
    at: isoTime(nowMs),
    windowSeconds,
    bucketSeconds,
    deadline,
    lanes,
    processes,
    log: log.map(changeInWords),
    buckets: buckets.map(point),
    expected: expectation(deadline, buckets, { nowMs, bucketSeconds, windowSeconds }),
    now: { ...open, ...pace(recent), sending: sum(processes.alive.map(({ sending }) => sending)) },
    refusals: byCode(window, 'refused:'),
    held: byCode(window, 'held:'),
    webhooks: { lastHour: deliveries(hour), lastTenMinutes: deliveries(hour.slice(-10)) },
    totals: point({ atMs: fromMs, counts: window }),
    admission: state.admission,
    drains: state.drains,
    intake: intakeOf(processes.alive, state.drains),
  }
}

function point({ atMs, counts }: Bucket) {
  const refused = sum(Object.entries(counts).flatMap(([name, n]) => (name.startsWith('refused:') ? [n] : [])))
  const { created = 0, finished = 0, bytes = 0, verdicts = 0 } = counts
  return { atMs, created, finished, bytes, verdicts, refused }
}

/** Deliveries of webhooks; `repeated`: after a loss of Redis queued again, and not sent twice. */
function deliveries(buckets: readonly Bucket[]) {
  const { 'webhook:delivered': delivered = 0, 'webhook:repeated': repeated = 0, ...others } = summed(buckets)
  const failed = sum(Object.entries(others).flatMap(([name, n]) => (name.startsWith('webhook:') ? [n] : [])))
  return { delivered, repeated, failed }
}

/** Current rates. The newest bucket is incomplete and is not used. */
function pace(recent: readonly Bucket[]) {
  const whole = recent.slice(0, -1)
  const last = point({ atMs: 0, counts: summed(whole.slice(-NOW_SECONDS / 5)) })
  const minute = summed(whole.slice(-12))
  const { created, refused, verdicts } = point({ atMs: 0, counts: minute })
  return {
    bytesPerSecond: last.bytes / NOW_SECONDS,
    createdPerMinute: created,
    refusedPerMinute: refused,
    verdictsPerMinute: verdicts,
    verdictP95Seconds: percentile(summed(recent), 0.95),
  }
}

/** The smallest histogram bound that contains this share of the verdicts; null: no verdicts. @internal */
export function percentile(counts: Counts, share: number): number | null {
  const all = counts['verdicts'] ?? 0
  if (all === 0) return null
  const bounds = Object.entries(counts)
    .filter(([name]) => name.startsWith('verdict:'))
    .map(([name, n]): [number, number] => [Number(name.slice('verdict:'.length)), n])
    .toSorted(([a], [b]) => a - b)
  return bounds.find(([, n]) => n >= all * share)?.[0] ?? Number.MAX_SAFE_INTEGER
}

/** Of the near deadlines, the one with most submissions; null: none. */
async function nextDeadline(
  redis: RedisConnection,
  nowMs: number,
): Promise<{ at: string; atMs: number; submissions: number } | null> {
  const flat = await viaRedis(redis.zrevrange(redisKeysOf(redis).deadlines, 0, MAX_DEADLINES - 1, 'WITHSCORES'))
  for (let i = 0; i + 1 < flat.length; i += 2) {
    const atMs = Number(flat[i])
    if (atMs < nowMs - AFTER_MS || atMs > nowMs + BEFORE_MS) continue
    return { at: isoTime(atMs), atMs, submissions: Number(flat[i + 1]) }
  }
  return null
}

/** The expected arrivals, up to the deadline if it is in the time range. */
function expectation(
  deadline: { atMs: number } | null,
  buckets: readonly Bucket[],
  { nowMs, bucketSeconds, windowSeconds }: { nowMs: number; bucketSeconds: number; windowSeconds: number },
) {
  const first = buckets.find(({ counts }) => (counts['created'] ?? 0) > 0)
  if (deadline === null || first === undefined) return null
  const arrived = summed(buckets)['created'] ?? 0
  const curve = fittedCurve(deadline.atMs, { fromMs: first.atMs, nowMs, arrived })
  if (curve === undefined) return null
  const stepMs = bucketSeconds * 1000
  const endMs = Math.min(deadline.atMs, nowMs + (windowSeconds * 1000) / 2)
  return {
    points: pointsOf(curve, first.atMs, endMs, stepMs),
    stillToCome: Math.round(curve.between(nowMs, deadline.atMs)),
    lastMinute: Math.round(curve.between(deadline.atMs - 60_000, deadline.atMs)),
  }
}

function pointsOf(curve: Curve, fromMs: number, toMs: number, stepMs: number) {
  const points: { atMs: number; perMinute: number }[] = []
  for (let atMs = fromMs; atMs < toMs; atMs += stepMs) {
    const ms = Math.min(stepMs, toMs - atMs)
    points.push({ atMs, perMinute: (curve.between(atMs, atMs + ms) / ms) * 60_000 })
  }
  return points
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((total, n) => total + n, 0)
}
