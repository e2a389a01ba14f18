// Portals whose webhooks must be re-queued, after a rebuild has put their events back.

import { type RedisConnection, viaRedis } from '../core/redis.ts'
import { redisKeysOf } from './keys.ts'

export class Requeueing {
  readonly #redis: RedisConnection

  constructor(redis: RedisConnection) {
    this.#redis = redis
  }

  async portals(): Promise<string[]> {
    return await viaRedis(this.#redis.smembers(redisKeysOf(this.#redis).requeue))
  }

  async note(owner: string): Promise<void> {
    await viaRedis(this.#redis.sadd(redisKeysOf(this.#redis).requeue, owner))
  }

  async done(owner: string): Promise<void> {
    await viaRedis(this.#redis.srem(redisKeysOf(this.#redis).requeue, owner))
  }
}
