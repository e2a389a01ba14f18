// Redis connections by role, and whose history the server that answers holds.
// After a restart Redis may be empty or older; a new run id shows that.

import type { Cluster, Redis, RedisOptions } from 'ioredis'
import { AppError } from './errors.ts'
import type { Logger } from './logger.ts'
import { isDemoted, isRefusal } from './redis-errors.ts'
import { openListener, openRedis, type RedisConnection, redisPlace } from './redis-open.ts'
import { StartError } from './start-error.ts'
import { withTimeout } from './with-timeout.ts'

/**
 * hot: the upload path; a command waits up to 20 s during an outage, since clients survive a pause but not an error.
 * jobs: BullMQ workers, which wait without limit. producer: fails fast; the reconciler repeats.
 * subscriber: pub/sub. reader: blocking reads.
 */
export type RedisRole = 'hot' | 'jobs' | 'producer' | 'subscriber' | 'reader'

const REDIS_HOLD_MS = 20_000

const OPTIONS = {
  hot: { commandTimeout: REDIS_HOLD_MS, maxRetriesPerRequest: null },
  jobs: { maxRetriesPerRequest: null },
  producer: { commandTimeout: 5000, maxRetriesPerRequest: 1, enableOfflineQueue: false },
  subscriber: { maxRetriesPerRequest: null },
  reader: { maxRetriesPerRequest: null },
} as const

/** How long a command is sent again while a cluster fails over. */
const HOLDS_MS = {
  hot: REDIS_HOLD_MS,
  jobs: Number.POSITIVE_INFINITY,
  producer: 5000,
  subscriber: Number.POSITIVE_INFINITY,
  reader: Number.POSITIVE_INFINITY,
} as const

/**
 * Under Sentinels and in a cluster a line on which a command is not answered for so long is made anew, perhaps to another server: a primary whose
 * machine is gone closes none. Longer than any blocking read. ioredis' own detector of fail-overs is not used: told of one
 * while it is connecting, it ends the connection for good.
 */
const SILENCE_MS = { hot: 5000, jobs: 15_000, producer: 5000, subscriber: 5000, reader: 15_000 } as const
/** What a subscriber asks, so that there is something to answer. */
const PING_EVERY_MS = 2000

/** Delay between reconnections to a demoted server. */
const DEMOTED_PAUSE_MS = 500

export type { RedisConnection } from './redis-open.ts'

export function connectRedis(url: string, role: RedisRole, logger: Logger): RedisConnection {
  let demotedAtMs = -DEMOTED_PAUSE_MS
  const place = redisPlace(url)
  const options: RedisOptions = {
    ...OPTIONS[role],
    ...(place.kind !== 'single' ? { socketTimeout: SILENCE_MS[role] } : {}),
    connectionName: `songngan-${role}`,
    // Short delays at first, for restarts of Redis; at most a second.
    retryStrategy: (times) =>
      performance.now() - demotedAtMs < DEMOTED_PAUSE_MS ? DEMOTED_PAUSE_MS : Math.min(50 * times, 1000),
    // A demoted primary keeps its connections: reconnect to find the new one. 2: and resend the command.
    reconnectOnError(error) {
      if (!isDemoted(error)) return false
      demotedAtMs = performance.now()
      return role === 'producer' ? 1 : 2
    },
  }
  const redis =
    place.kind === 'cluster' && role === 'subscriber'
      ? openListener(place, options)
      : openRedis(place, options, HOLDS_MS[role])
  // Every refused reply of one read ends the connection once more, with a listener of its own: Node would log a memory leak.
  const onLine = (line: Redis) => line.on('connect', () => line.stream.setMaxListeners(0))
  if (isCluster(redis)) redis.on('+node', onLine)
  else onLine(redis)
  if (place.kind !== 'single' && role === 'subscriber') {
    // A ping that fails ends the connection, which is reported below.
    const pings = setInterval(() => void redis.ping().catch(() => undefined), PING_EVERY_MS).unref()
    redis.once('end', () => clearInterval(pings))
  }
  let lastReport = 0
  const report = (err: Error) => {
    // ioredis reports every attempt: log at most one line in ten seconds.
    if (Date.now() - lastReport < 10_000) return
    lastReport = Date.now()
    logger.warn({ err, role }, 'Redis connection trouble')
  }
  redis.on('error', report)
  if (isCluster(redis)) redis.on('node error', report)
  return redis
}

export function isCluster(redis: RedisConnection): redis is Cluster {
  return redis.isCluster
}

/** Resolves when the connection is ready; rejects with a message for the operator after `timeoutMs`. */
export async function waitForRedis(redis: RedisConnection, timeoutMs: number): Promise<void> {
  if (redis.status === 'ready') return
  const ready = new Promise<void>((resolve) => redis.once('ready', () => resolve()))
  await withTimeout(ready, timeoutMs, () => {
    throw new StartError(`REDIS_URL: no Redis answered within ${timeoutMs / 1000} s`)
  })
}

/** Turns errors of an unavailable Redis into REDIS_UNAVAILABLE; script errors pass unchanged. */
export async function viaRedis<T>(command: Promise<T>): Promise<T> {
  try {
    return await command
  } catch (error) {
    if (error instanceof Error && error.name === 'ReplyError' && !isRefusal(error)) throw error
    throw new AppError('REDIS_UNAVAILABLE', { cause: error, retryAfterSeconds: 5 })
  }
}
