// Endpoints that answered 410 Gone: not called again for a day, then asked once more.

import { createHash } from 'node:crypto'
import { type RedisConnection, viaRedis } from '../../src/core/redis.ts'

const GONE_SECONDS = 24 * 60 * 60

export class GoneEndpoints {
  readonly #redis: RedisConnection

  constructor(redis: RedisConnection) {
    this.#redis = redis
  }

  /** When this portal's endpoint said that it is gone (RFC 3339), or undefined. */
  async since(owner: string, url: string): Promise<string | undefined> {
    return (await viaRedis(this.#redis.get(key(owner, url)))) ?? undefined
  }

  async disable(owner: string, url: string, at: string): Promise<void> {
    await viaRedis(this.#redis.set(key(owner, url), at, 'EX', GONE_SECONDS))
  }
}

function key(owner: string, url: string): string {
  return `sn:webhook-gone:${createHash('sha256').update(`${owner}\n${url}`).digest('base64url')}`
}
