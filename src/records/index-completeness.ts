// Whether the indexes in Redis have everything that is in the store. A Redis that was wiped, or is an older copy,
// has lost its mark: until the store is read completely, lists must not be served, since missing entries
// are not visible.

import type { ChainableCommander } from 'ioredis'
import { AppError, hasCode } from '../core/errors.ts'
import { newToken } from '../core/ids.ts'
import { run } from '../core/lua-commands.ts'
import { type RedisConnection, viaRedis } from '../core/redis.ts'
import { retry } from '../core/retry.ts'
import type { RunId } from '../core/run-id.ts'
import { markComplete, renewRebuild } from './commands.ts'
import { type RedisKeys, redisKeysOf } from './keys.ts'

/** Lease of a rebuild, renewed every few seconds; after it another process may start. */
const LEASE_MS = 30_000
/** How long readers wait: small installations are rebuilt within this time. */
const PATIENCE_MS = 2000
const WHILE_REBUILDING = {
  holdMs: PATIENCE_MS,
  firstPauseMs: 50,
  longestPauseMs: 50,
  isPassing: (error: unknown) => hasCode(error, 'INDEX_REBUILDING'),
}

/** Separately rebuilt parts: lists first, since they are read first. */
export type Part = 'lists' | 'dates' | 'events'

export type Rebuilding = { token: string; runId: string }

export class IndexCompleteness {
  readonly redis: RedisConnection
  readonly #runId: RunId
  readonly #keys: RedisKeys
  readonly #marks: Record<Part, string>

  constructor(redis: RedisConnection, runId: RunId) {
    this.redis = redis
    this.#runId = runId
    this.#keys = redisKeysOf(redis)
    this.#marks = { lists: this.#keys.whole, dates: this.#keys.wholeDates, events: this.#keys.wholeEvents }
  }

  /** Whether a mark read from Redis is of the current Redis run. */
  holds(mark: unknown): boolean {
    return typeof mark === 'string' && mark !== '' && mark === this.#runId.current
  }

  async isComplete(): Promise<boolean> {
    const marks = await viaRedis(this.redis.mget(Object.values(this.#marks)))
    return marks.every((mark) => this.holds(mark))
  }

  /** Undefined: another process is rebuilding. */
  async begin(): Promise<Rebuilding | undefined> {
    const token = newToken()
    const runId = this.#runId.current
    const mine = await viaRedis(this.redis.set(this.#keys.rebuilding, token, 'PX', LEASE_MS, 'NX'))
    return mine === 'OK' ? { token, runId } : undefined
  }

  /** Renews the lease. False: Redis was lost again, or another process has started. */
  async keep({ token }: Rebuilding): Promise<boolean> {
    return (await run(this.redis, renewRebuild, [this.#keys.rebuilding], [token, LEASE_MS])) === 1
  }

  /** Marks this part as complete. False: it was lost meanwhile. */
  async mark({ token, runId }: Rebuilding, part: Part): Promise<boolean> {
    const keys = [this.#keys.rebuilding, this.#marks[part]]
    return (await run(this.redis, markComplete, keys, [token, runId])) === 1 && runId === this.#runId.current
  }

  /** Releases the lease. */
  async end({ token }: Rebuilding): Promise<void> {
    if (await this.keep({ token, runId: '' })) await viaRedis(this.redis.del(this.#keys.rebuilding))
  }

  /**
   * Reads from a complete part of Redis. `read` gets a transaction that starts with the mark; the result is
   * the replies after it. Without a mark it is retried for two seconds.
   *
   * @throws INDEX_REBUILDING (503): a list could be incomplete
   */
  async reading(part: Part, read: (commands: ChainableCommander) => unknown): Promise<unknown[]> {
    return await retry(async () => {
      const commands = this.redis.multi().get(this.#marks[part])
      read(commands)
      const [mark, ...replies] = ((await viaRedis(commands.exec())) ?? []).map(([error, reply]) => {
        if (error) throw error
        return reply
      })
      if (!this.holds(mark)) throw new AppError('INDEX_REBUILDING', { retryAfterSeconds: 5 })
      return replies
    }, WHILE_REBUILDING)
  }
}
