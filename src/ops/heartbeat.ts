// Every two seconds a process writes a heartbeat to Redis: its state and its counts. So every process can show all
// processes.

import { hostname } from 'node:os'
import type { Clock } from '../core/clock.ts'
import type { Logger } from '../core/logger.ts'
import type { Metrics } from '../core/metrics.ts'
import { type RedisConnection, viaRedis } from '../core/redis.ts'
import type { RedisWatch } from '../core/redis-watch.ts'
import { withTimeout } from '../core/with-timeout.ts'
import type { Lane } from '../jobs/contract.ts'
import { redisKeysOf } from '../records/keys.ts'
import { type Counts, countsSince } from './counters.ts'
import { addToRollup } from './rollup.ts'

const BEAT_MS = 2000
const DEREGISTER_MS = 500
/** A process without a heartbeat for this time is unresponsive. */
const UNRESPONSIVE_MS = 10_000
/** Entries of killed processes are removed after this time. */
const FORGET_MS = 3_600_000

export type ProcessRole = 'service' | 'primary' | 'worker'

/** What a version can do that others must know of while both run, as its processes report it. */
export const DERIVED_KEYS = 'derived-keys'
const CAPABILITIES: readonly string[] = [DERIVED_KEYS]

export type ProcessReport = {
  /** `host:pid`. */
  name: string
  instance: string
  role: ProcessRole
  startedAtMs: number
  atMs: number
  draining: boolean
  rssBytes: number
  /** Utilization of the event loop since the last heartbeat, 0 to 1. */
  loopShare: number
  /** Requests that are receiving bytes now. */
  sending: number
  /** By which its machine's clock is ahead of Redis'. Absent in reports of earlier versions. */
  clockSkewMs?: number
  /** Absent in reports of earlier versions. */
  can?: readonly string[]
  /** Worker: concurrency by lane. */
  lanes?: Partial<Record<Lane, number>>
  /** On the disk of DATA_DIR. Absent in reports of earlier versions, and where the disk does not tell. */
  freeBytes?: number
}

/** What changes while a process runs. */
export type ReportedState = Pick<ProcessReport, 'draining' | 'lanes' | 'freeBytes'>

export type HeartbeatDeps = {
  redis: RedisConnection
  redisWatch: Pick<RedisWatch, 'skewMs'>
  metrics: Metrics
  clock: Clock
  logger: Logger
  role: ProcessRole
  instance: string
  /** The current state of this process. */
  state: () => ReportedState | Promise<ReportedState>
}

/** Starts the heartbeat. @returns a function that stops it and deregisters this process */
export function startHeartbeat(deps: HeartbeatDeps): () => Promise<void> {
  const { redis, redisWatch, metrics, clock, logger } = deps
  const startedAtMs = clock.now()
  const name = `${hostname()}:${process.pid}`
  const counted = countsSince(metrics)
  let unsent: Counts = {}
  let loop = performance.eventLoopUtilization()
  let beating = false

  const flush = async () => {
    for (const [key, amount] of Object.entries(await counted())) unsent[key] = (unsent[key] ?? 0) + amount
    const sent = unsent
    unsent = {}
    try {
      await addToRollup(redis, clock.now(), sent)
    } catch (error) {
      for (const [key, amount] of Object.entries(sent)) unsent[key] = (unsent[key] ?? 0) + amount
      throw error
    }
  }
  const beat = async () => {
    const since = loop
    loop = performance.eventLoopUtilization()
    const report: ProcessReport = {
      name,
      startedAtMs,
      role: deps.role,
      instance: deps.instance,
      atMs: clock.now(),
      clockSkewMs: redisWatch.skewMs(),
      can: CAPABILITIES,
      rssBytes: process.memoryUsage.rss(),
      loopShare: performance.eventLoopUtilization(loop, since).utilization,
      sending: (await metrics.uploadsInFlight.get()).values.reduce((sum, { value }) => sum + value, 0),
      ...(await deps.state()),
    }
    await viaRedis(redis.hset(redisKeysOf(redis).processes, name, JSON.stringify(report)))
    await flush()
  }
  const tick = () => {
    // One at a time: without Redis a command waits for a while.
    if (beating) return
    beating = true
    beat()
      .catch((err: unknown) => logger.debug({ err }, 'heartbeat failed'))
      .finally(() => {
        beating = false
      })
  }
  tick()
  const timer = setInterval(tick, BEAT_MS)
  return async () => {
    clearInterval(timer)
    if (redis.status !== 'ready') return
    const deregister = flush()
      .then(() => viaRedis(redis.hdel(redisKeysOf(redis).processes, name)))
      .catch((err: unknown) => logger.debug({ err }, 'deregistering failed: the last counts of this process are lost'))
    // A process that ends does not wait for a hanging Redis.
    await withTimeout(deregister, DEREGISTER_MS, () => undefined)
  }
}

/** Alive processes, and unresponsive ones with their last heartbeat. */
export async function readProcesses(
  redis: RedisConnection,
  nowMs: number,
): Promise<{ alive: ProcessReport[]; silent: ProcessReport[] }> {
  const fields = await viaRedis(redis.hgetall(redisKeysOf(redis).processes))
  const reports = Object.values(fields).map((json) => JSON.parse(json) as ProcessReport)
  const forgotten = reports.filter(({ atMs }) => nowMs - atMs > FORGET_MS).map(({ name }) => name)
  if (forgotten.length > 0) await viaRedis(redis.hdel(redisKeysOf(redis).processes, ...forgotten))
  const byName = reports.toSorted((a, b) => (a.role + a.name < b.role + b.name ? -1 : 1))
  return {
    alive: byName.filter(({ atMs }) => nowMs - atMs <= UNRESPONSIVE_MS),
    silent: byName.filter(({ atMs }) => nowMs - atMs > UNRESPONSIVE_MS && nowMs - atMs <= FORGET_MS),
  }
}

/** Whether a service that lacks a capability may be running: it has reported itself within the last hour, and not left. */
export async function runsWithout(redis: RedisConnection, capability: string, nowMs: number): Promise<boolean> {
  const { alive, silent } = await readProcesses(redis, nowMs)
  return [...alive, ...silent].some(({ role, can = [] }) => role !== 'worker' && !can.includes(capability))
}
