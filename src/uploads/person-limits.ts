// What one person may have under way at a time. Counted from the uploads themselves: one that has ended in whatever way is
// no longer counted, and nothing has to be given back.

import type { Config } from '../core/config.ts'
import { AppError } from '../core/errors.ts'
import { type RedisConnection, viaRedis } from '../core/redis.ts'
import { redisKeys } from '../records/keys.ts'
import { type Person, personHash } from '../records/person.ts'
import type { UploadSessionStore } from '../records/upload-session-store.ts'

/** A person who creates nothing for so long has nothing under way. */
const FORGET_MS = 30 * 86_400_000

export class PersonLimits {
  readonly #redis: RedisConnection
  readonly #hot: UploadSessionStore
  readonly #limits: Pick<Config['uploads'], 'maxOpenPerPerson' | 'maxOpenBytesPerPerson'>

  constructor(deps: { redis: RedisConnection; hot: UploadSessionStore; config: Pick<Config, 'uploads'> }) {
    this.#redis = deps.redis
    this.#hot = deps.hot
    this.#limits = deps.config.uploads
  }

  /**
   * Whether a person may begin one more upload.
   *
   * @param bytes that it declares
   * @throws OPEN_UPLOADS_LIMIT {limit}, OPEN_BYTES_LIMIT {limit, actual}, REDIS_UNAVAILABLE
   */
  async check(who: Person, bytes: number): Promise<void> {
    const { maxOpenPerPerson, maxOpenBytesPerPerson } = this.#limits
    const key = keyOf(who)
    const ids = await viaRedis(this.#redis.zrange(key, 0, -1))
    const sessions = await this.#hot.readMany(ids)
    const ended = ids.filter((_, i) => sessions[i]?.status !== 'receiving')
    if (ended.length > 0) await viaRedis(this.#redis.zrem(key, ...ended))
    const open = ids.length - ended.length
    if (maxOpenPerPerson > 0 && open >= maxOpenPerPerson)
      throw new AppError('OPEN_UPLOADS_LIMIT', { details: { limit: maxOpenPerPerson } })
    const left = sessions.reduce(
      (sum, session) => sum + (session?.status === 'receiving' ? (session.size ?? 0) - session.offset : 0),
      bytes,
    )
    if (maxOpenBytesPerPerson > 0 && left > maxOpenBytesPerPerson)
      throw new AppError('OPEN_BYTES_LIMIT', { details: { limit: maxOpenBytesPerPerson, actual: left } })
  }

  /** An upload has been created. Throws REDIS_UNAVAILABLE. */
  async add(who: Person, id: string, nowMs: number): Promise<void> {
    const key = keyOf(who)
    await viaRedis(this.#redis.multi().zadd(key, nowMs, id).pexpire(key, FORGET_MS).exec())
  }
}

function keyOf(who: Person): string {
  return redisKeys.openOf(who.owner, personHash(who))
}
