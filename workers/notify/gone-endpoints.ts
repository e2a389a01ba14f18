// Endpoints that answered 410 Gone: not called for a day, then tried once more.

import { type RedisConnection, viaRedis } from '../../src/core/redis.ts'
import { redisKeysOf } from '../../src/records/keys.ts'

const GONE_SECONDS = 24 * 60 * 60

export class GoneEndpoints {
  readonly #redis: RedisConnection

  constructor(redis: RedisConnection) {
    this.#redis = redis
  }

  /** When this portal's endpoint answered 410 (RFC 3339), or undefined. */
  async since(owner: string, url: string): Promise<string | undefined> {
    return (await viaRedis(this.#redis.get(redisKeysOf(this.#redis).webhookGone(owner, url)))) ?? undefined
  }

  async disable(owner: string, url: string, at: string): Promise<void> {
    await viaRedis(this.#redis.set(redisKeysOf(this.#redis).webhookGone(owner, url), at, 'EX', GONE_SECONDS))
  }
}
