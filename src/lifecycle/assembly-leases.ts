// One assembly per upload at a time, across processes: whoever makes one object of the parts holds a lease in Redis, and
// everybody else waits for its end. Two at once would spoil each other's work: one removes the partial uploads that the
// other is reading, and an S3 server answers a second CompleteMultipartUpload before the object of the first is there.
// Redis may lose a lease; the store's own assembly is idempotent, so that work is then done twice, and no byte is lost.

import { setTimeout } from 'node:timers/promises'
import { newToken } from '../core/ids.ts'
import { commandLoader, run } from '../core/lua-commands.ts'
import { type RedisConnection, viaRedis } from '../core/redis.ts'
import { redisKeysOf } from '../records/keys.ts'

const LEASE_MS = 10_000
const RENEW_EVERY_MS = LEASE_MS / 4
/** By then the record names one object; until then nobody sends what has been done once more. */
const DONE_KEEP_MS = 86_400_000
const DONE = 'done'
const LOOK_EVERY_MS = 50

const replaceLease = commandLoader(new URL('./commands/', import.meta.url))('replace-assembly-lease')

export class AssemblyLeases {
  readonly #redis: RedisConnection
  /** What this process is at, or waits for: callers share it. */
  readonly #running = new Map<string, Promise<void>>()

  constructor(redis: RedisConnection) {
    this.#redis = redis
  }

  /** Resolves when the upload's parts are one object: by `assemble`, or by whoever holds the lease. Rejects as `assemble`. */
  async once(id: string, assemble: () => Promise<void>): Promise<void> {
    const running = this.#running.get(id)
    if (running !== undefined) return await running
    const own = this.#acquireAnd(id, assemble).finally(() => this.#running.delete(id))
    this.#running.set(id, own)
    await own
  }

  /** Parts were not to be found: since when, milliseconds since the epoch. */
  async lostSince(id: string, nowMs: number): Promise<number> {
    const key = redisKeysOf(this.#redis).lostSince(id)
    await viaRedis(this.#redis.set(key, nowMs, 'PX', DONE_KEEP_MS, 'NX'))
    return Number((await viaRedis(this.#redis.get(key))) ?? nowMs)
  }

  async #acquireAnd(id: string, assemble: () => Promise<void>): Promise<void> {
    const key = redisKeysOf(this.#redis).assembly(id)
    const token = newToken()
    while ((await viaRedis(this.#redis.set(key, token, 'PX', LEASE_MS, 'NX'))) !== 'OK') {
      const holder = await viaRedis(this.#redis.get(key))
      if (holder === DONE) return
      if (holder === token) break // taken by the call before, whose answer was lost
      await setTimeout(LOOK_EVERY_MS)
    }
    // A renewal that fails costs the lease, not the work, which may be done twice.
    const timer = setInterval(() => void this.#replace(key, token, token, LEASE_MS).catch(() => 0), RENEW_EVERY_MS)
    try {
      await assemble()
    } catch (error) {
      // Another may try at once; where Redis cannot be told, the lease runs out.
      await this.#replace(key, token, '', 0).catch(() => 0)
      throw error
    } finally {
      clearInterval(timer)
    }
    await this.#replace(key, token, DONE, DONE_KEEP_MS)
  }

  async #replace(key: string, known: string, value: string, ms: number): Promise<unknown> {
    return await run(this.#redis, replaceLease, [key], [known, value, ms])
  }
}
