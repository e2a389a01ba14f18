// What one person may have under way at a time. Counted from the uploads themselves: one that has ended in whatever way is
// no longer counted, and nothing has to be given back.

import type { Config } from '../core/config.ts'
import { AppError } from '../core/errors.ts'
import type { PersonalHash } from '../core/personal-hash.ts'
import type { RedisConnection } from '../core/redis.ts'
import { countOpenOfPerson } from '../records/open-uploads.ts'
import { type Person, personName } from '../records/person.ts'

export class PersonLimits {
  readonly #redis: RedisConnection
  readonly #personalHash: PersonalHash
  readonly #limits: Pick<Config['uploads'], 'maxOpenPerPerson' | 'maxOpenBytesPerPerson'>

  constructor(deps: { redis: RedisConnection; personalHash: PersonalHash; config: Pick<Config, 'uploads'> }) {
    this.#redis = deps.redis
    this.#personalHash = deps.personalHash
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
    if (maxOpenPerPerson === 0 && maxOpenBytesPerPerson === 0) return
    const { open, bytesLeft } = await countOpenOfPerson(this.#redis, who.owner, personName(this.#personalHash, who))
    if (maxOpenPerPerson > 0 && open >= maxOpenPerPerson)
      throw new AppError('OPEN_UPLOADS_LIMIT', { details: { limit: maxOpenPerPerson } })
    const actual = bytesLeft + bytes
    if (maxOpenBytesPerPerson > 0 && actual > maxOpenBytesPerPerson)
      throw new AppError('OPEN_BYTES_LIMIT', { details: { limit: maxOpenBytesPerPerson, actual } })
  }
}
