// The security log: who did what, from where, to what, with which result. Each entry is a line of the log with
// `security: true`, whatever LOG_LEVEL is, an entry of a stream in Redis for the console, and a count.

import { type Clock, isoTime } from '../core/clock.ts'
import type { Logger } from '../core/logger.ts'
import { LruCache } from '../core/lru.ts'
import type { Metrics } from '../core/metrics.ts'
import { type RedisConnection, viaRedis } from '../core/redis.ts'
import { redisKeysOf } from '../records/keys.ts'
import { SECURITY_EVENTS, type SecurityEntry, type SecurityEvent, type SecurityEventName } from './security-events.ts'

const DAY_MS = 86_400_000
/** By stream, each with its own limit: who guesses or reads by the thousand must not push out what was changed. */
const MAX_ENTRIES = { change: 20_000, access: 20_000, refused: 5_000 } as const
type Kind = keyof typeof MAX_ENTRIES
const KINDS: readonly Kind[] = ['change', 'access', 'refused']

const MAX_GOING_ON = 5000

export type SecurityLogDeps = {
  /** A connection that fails at once: an outage is somebody else's to wait for. */
  redis: RedisConnection
  clock: Clock
  metrics: Pick<Metrics, 'securityEvents'>
  logger: Logger
  /** Entries are kept this long in Redis. */
  retentionDays: number
  /** False: no log lines, for programs whose output is for people. */
  lines: boolean
}

export class SecurityLog {
  readonly #deps: SecurityLogDeps
  readonly #lines: Logger
  readonly #lastMs = new LruCache<string, number>(MAX_GOING_ON)

  constructor(deps: SecurityLogDeps) {
    this.#deps = deps
    this.#lines = deps.logger.child({ security: true }, { level: deps.lines ? 'info' : 'silent' })
  }

  /**
   * Records one event, after it happened. Never throws: while Redis is away, its line in the log is all there is.
   *
   * @param event a name that is missing in SECURITY_EVENTS is added there and to docs/security-log.md
   * @example await securityLog.record({ event: 'session.revoke', actor: { by: 'portal obec', from: request.ip }, on: 'submission obec/S-1' })
   */
  async record({ event, actor, result = 'ok', on, what }: SecurityEvent): Promise<void> {
    const { redis, clock, metrics, logger, retentionDays } = this.#deps
    const { says, kind, watch } = SECURITY_EVENTS[event as SecurityEventName]
    const fields = { event, result, by: actor.by, from: actor.from, on }
    this.#lines[result !== 'ok' || watch === true ? 'warn' : 'info'](fields, what ?? says)
    metrics.securityEvents.inc({ event, result })
    const nowMs = clock.now()
    const entry: SecurityEntry = { at: isoTime(nowMs), ...fields, what: what ?? says }
    const stream: Kind = result === 'refused' ? 'refused' : kind
    const key = redisKeysOf(redis).security(stream)
    try {
      const adding = redis
        .multi()
        .xadd(key, 'MAXLEN', '~', MAX_ENTRIES[stream], '*', 'entry', JSON.stringify(entry))
        .xtrim(key, 'MINID', '~', nowMs - retentionDays * DAY_MS)
      await viaRedis(adding.exec())
    } catch (err) {
      logger.warn({ err, event }, 'security event not stored in Redis; its log line is all there is')
    }
  }

  /** The same for what begins: only the first of equal events after a pause without one. Counted by each process. */
  async recordAfterPause(event: SecurityEvent, pauseMs: number): Promise<void> {
    const nowMs = performance.now()
    const isFirst = nowMs - this.#lastOf(event) >= pauseMs
    this.#lastMs.set(nameOf(event), nowMs)
    if (isFirst) await this.record(event)
  }

  /** The same for what goes on: of equal events one in each interval. Counted by each process. */
  async recordNowAndThen(event: SecurityEvent, intervalMs: number): Promise<void> {
    const nowMs = performance.now()
    if (nowMs - this.#lastOf(event) < intervalMs) return
    this.#lastMs.set(nameOf(event), nowMs)
    await this.record(event)
  }

  #lastOf(event: SecurityEvent): number {
    return this.#lastMs.get(nameOf(event)) ?? Number.NEGATIVE_INFINITY
  }

  /** The newest entries of some kinds, newest first. Throws REDIS_UNAVAILABLE. */
  async newest(limit: number, kinds: readonly Kind[] = KINDS): Promise<SecurityEntry[]> {
    const { redis } = this.#deps
    const found = await Promise.all(
      kinds.map(async (kind) => {
        const entries = await viaRedis(redis.xrevrange(redisKeysOf(redis).security(kind), '+', '-', 'COUNT', limit))
        return entries.map(([, [, json = '{}']]) => JSON.parse(json) as SecurityEntry)
      }),
    )
    const earlier = kinds.includes('change')
      ? await viaRedis(redis.lrange(redisKeysOf(redis).controlLog, 0, limit - 1))
      : []
    return [...found.flat(), ...earlier.map(earlierEntry)]
      .toSorted((a, b) => Date.parse(b.at) - Date.parse(a.at))
      .slice(0, limit)
  }
}

function nameOf({ event, result, actor, on }: SecurityEvent): string {
  return JSON.stringify([event, result, actor, on])
}

/** Versions before the security log kept a list of changed control settings only. */
function earlierEntry(json: string): SecurityEntry {
  const { by, at, what } = JSON.parse(json) as { by: string; at: string; what: string }
  return { at, event: 'control', result: 'ok', by, from: null, on: null, what }
}
