// Whether the lists in Redis hold everything that is in the store. A Redis that was wiped, or that came back older, says
// so by a mark that it has lost: until somebody has gone over the whole store, a list must not be believed, since what is
// missing from it cannot be seen.

import { setTimeout } from 'node:timers/promises'
import type { ChainableCommander } from 'ioredis'
import { AppError } from '../core/errors.ts'
import { newToken } from '../core/ids.ts'
import { run } from '../core/lua-commands.ts'
import { type RedisConnection, type RunId, viaRedis } from '../core/redis.ts'
import { markComplete, renewRebuild } from './commands.ts'
import { redisKeys } from './keys.ts'

/** Whoever rebuilds says every few seconds that it still does; after this long another may begin. */
const LEASE_MS = 30_000
/** A small installation is whole again before a reader need hear of it. */
const PATIENCE_MS = 2000
const LOOK_EVERY_MS = 50

/** What can be whole by itself: the lists first, since they are read first. */
export type Part = 'lists' | 'events'
const MARKS: Record<Part, string> = { lists: redisKeys.whole, events: redisKeys.wholeEvents }

export type Rebuilding = { token: string; runId: string }

export class IndexCompleteness {
  readonly redis: RedisConnection
  readonly #runId: RunId

  constructor(redis: RedisConnection, runId: RunId) {
    this.redis = redis
    this.#runId = runId
  }

  /** True for the mark as read from Redis, where it was set under the Redis that answers now. */
  holds(mark: unknown): boolean {
    return typeof mark === 'string' && mark !== '' && mark === this.#runId.current
  }

  async isComplete(): Promise<boolean> {
    const marks = await viaRedis(this.redis.mget(MARKS.lists, MARKS.events))
    return marks.every((mark) => this.holds(mark))
  }

  /** Undefined: somebody else is rebuilding. */
  async begin(): Promise<Rebuilding | undefined> {
    const token = newToken()
    const runId = this.#runId.current
    const mine = await viaRedis(this.redis.set(redisKeys.rebuilding, token, 'PX', LEASE_MS, 'NX'))
    return mine === 'OK' ? { token, runId } : undefined
  }

  /** False: what was rebuilt is lost again, or somebody else has begun. */
  async keep({ token }: Rebuilding): Promise<boolean> {
    return (await run(this.redis, renewRebuild, [redisKeys.rebuilding], [token, LEASE_MS])) === 1
  }

  /** This part of Redis holds everything that is in the store. False: it has been lost meanwhile. */
  async mark({ token, runId }: Rebuilding, part: Part): Promise<boolean> {
    const keys = [redisKeys.rebuilding, MARKS[part]]
    return (await run(this.redis, markComplete, keys, [token, runId])) === 1 && runId === this.#runId.current
  }

  /** Lets another begin. */
  async end({ token }: Rebuilding): Promise<void> {
    if (await this.keep({ token, runId: '' })) await viaRedis(this.redis.del(redisKeys.rebuilding))
  }

  /**
   * What `read` finds where this part of Redis is whole. It is given a transaction that begins with the mark and must answer with
   * the replies that follow; while there is no mark it is asked again for two seconds.
   *
   * @throws INDEX_REBUILDING (503): a list could leave something out
   */
  async reading(part: Part, read: (commands: ChainableCommander) => unknown): Promise<unknown[]> {
    for (const deadlineMs = performance.now() + PATIENCE_MS; ; ) {
      const commands = this.redis.multi().get(MARKS[part])
      read(commands)
      const [mark, ...replies] = ((await viaRedis(commands.exec())) ?? []).map(([error, reply]) => {
        if (error) throw error
        return reply
      })
      if (this.holds(mark)) return replies
      if (performance.now() > deadlineMs) throw new AppError('INDEX_REBUILDING', { retryAfterSeconds: 5 })
      await setTimeout(LOOK_EVERY_MS)
    }
  }
}
