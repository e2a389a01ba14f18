// Redis connections by role, and whose history the server that answers holds.
// After a restart Redis may be empty or older; a new run id shows that.

import type { Redis } from 'ioredis'
import { AppError } from './errors.ts'
import type { Logger } from './logger.ts'
import { isDemoted, isRefusal } from './redis-errors.ts'
import { openRedis, redisPlace } from './redis-open.ts'
import { StartError } from './start-error.ts'
import { withTimeout } from './with-timeout.ts'

/**
 * hot: the upload path; a command waits up to 20 s during an outage, since clients survive a pause but not an error.
 * jobs: BullMQ workers, which wait without limit. producer: fails fast; the reconciler repeats.
 * subscriber: pub/sub and blocking reads.
 */
export type RedisRole = 'hot' | 'jobs' | 'producer' | 'subscriber'

const REDIS_HOLD_MS = 20_000

const OPTIONS = {
  hot: { commandTimeout: REDIS_HOLD_MS, maxRetriesPerRequest: null },
  jobs: { maxRetriesPerRequest: null },
  producer: { commandTimeout: 5000, maxRetriesPerRequest: 1, enableOfflineQueue: false },
  subscriber: { maxRetriesPerRequest: null },
} as const

/**
 * Under Sentinels a line on which a command is not answered for so long is made anew, perhaps to another server: a primary whose
 * machine is gone closes none. Longer than any blocking read. ioredis' own detector of fail-overs is not used: told of one
 * while it is connecting, it ends the connection for good.
 */
const SILENCE_MS = { hot: 5000, jobs: 15_000, producer: 5000, subscriber: 5000 } as const
/** What a subscriber asks, so that there is something to answer. */
const PING_EVERY_MS = 2000

/** Delay between reconnections to a demoted server. */
const DEMOTED_PAUSE_MS = 500

export type RedisConnection = Redis

export function connectRedis(url: string, role: RedisRole, logger: Logger): RedisConnection {
  let demotedAtMs = -DEMOTED_PAUSE_MS
  const place = redisPlace(url)
  const redis = openRedis(place, {
    ...OPTIONS[role],
    ...(place.kind === 'sentinel' ? { socketTimeout: SILENCE_MS[role] } : {}),
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
  })
  // Every refused reply of one read ends the connection once more, with a listener of its own: Node would log a memory leak.
  redis.on('connect', () => redis.stream.setMaxListeners(0))
  if (place.kind === 'sentinel' && role === 'subscriber') {
    // A ping that fails ends the connection, which is reported below.
    const pings = setInterval(() => void redis.ping().catch(() => undefined), PING_EVERY_MS).unref()
    redis.once('end', () => clearInterval(pings))
  }
  let lastReport = 0
  redis.on('error', (err: Error) => {
    // ioredis reports every attempt: log at most one line in ten seconds.
    if (Date.now() - lastReport < 10_000) return
    lastReport = Date.now()
    logger.warn({ err, role }, 'Redis connection trouble')
  })
  return redis
}

/** Resolves when the connection is ready; rejects with a message for the operator after `timeoutMs`. */
export async function waitForRedis(redis: RedisConnection, timeoutMs: number): Promise<void> {
  if (redis.status === 'ready') return
  const ready = new Promise<void>((resolve) => redis.once('ready', () => resolve()))
  await withTimeout(ready, timeoutMs, () => {
    throw new StartError(`REDIS_URL: no Redis answered within ${timeoutMs / 1000} s`)
  })
}

/** Remembers that a server was promoted, which its own INFO forgets an hour after its last replica has left. */
const PROMOTED_KEY = 'sn:promoted'

/**
 * Whose history the Redis behind a connection holds, known before any reply of a new connection is read: the run id of
 * the server and, where it was a replica before, the replication id of its promotion. A primary that comes back after a
 * fail-over has the run id that it had, and may have lost what was written last.
 */
export class RunId {
  readonly #redis: RedisConnection
  readonly #logger: Logger
  #current = ''
  #isPrimary = false
  #asking = false

  constructor(redis: RedisConnection, logger: Logger) {
    this.#redis = redis
    this.#logger = logger
    redis.on('connect', () => void this.#identify())
    if (redis.status === 'connect' || redis.status === 'ready') void this.#identify()
  }

  /** Empty before the first connection. */
  get current(): string {
    return this.#current
  }

  /** Asks again: lines stay when a server is made a replica, and when it is made the primary again. Never rejects. */
  async ask(): Promise<void> {
    // While it is away, what is asked would wait; it is asked on the new line anyway.
    if (this.#redis.status !== 'ready' || this.#asking) return
    this.#asking = true
    await this.#identify()
    // A replica takes no writes, and the connection would keep trying to find one that does.
    if (this.#isPrimary)
      await this.#remember().catch((err: unknown) => this.#logger.debug({ err }, 'promotions cannot be looked up'))
    this.#asking = false
  }

  async #identify(): Promise<void> {
    try {
      // INFO is sent before the connection is ready, so its reply comes before those of all waiting commands.
      const [server, replication] = await Promise.all([this.#redis.info('server'), this.#redis.info('replication')])
      this.#isPrimary = /^role:master/m.test(replication)
      this.#learn(historyOf(server + replication, this.#current))
    } catch (err) {
      this.#logger.warn({ err }, 'Redis run id could not be read')
    }
  }

  async #remember(): Promise<void> {
    const [runId, promoted] = this.#current.split(':')
    const known = await this.#redis.get(PROMOTED_KEY)
    // No other history: this server has forgotten by itself.
    if (promoted === undefined && known?.startsWith(`${runId}:`) === true) this.#current = known
    if (promoted !== undefined && known !== this.#current) await this.#redis.set(PROMOTED_KEY, this.#current)
  }

  #learn(history: string): void {
    if (this.#current !== '' && history !== this.#current)
      this.#logger.warn('Redis restarted or was failed over: its state is checked before use')
    this.#current = history
  }
}

/** @param known a promotion of the same server that INFO has forgotten since is no change */
function historyOf(info: string, known: string): string {
  const field = (name: string) => new RegExp(`^${name}:(\\w+)`, 'm').exec(info)?.[1] ?? ''
  const runId = field('run_id')
  const wasReplica = field('role') === 'slave' || /[^0]/.test(field('master_replid2'))
  if (wasReplica) return `${runId}:${field('master_replid')}`
  return known.startsWith(`${runId}:`) ? known : runId
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
