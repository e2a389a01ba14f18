// Rate limits per person, against misbehaving programs; far above manual use. By subject, never
// by IP address: a school has one address for all teachers. Requests that continue an upload are not counted.

import type { Config } from '../core/config.ts'
import { AppError } from '../core/errors.ts'
import type { Logger } from '../core/logger.ts'
import { commandLoader, run } from '../core/lua-commands.ts'
import type { Metrics } from '../core/metrics.ts'
import type { PersonalHash } from '../core/personal-hash.ts'
import type { RedisConnection } from '../core/redis.ts'
import { redisKeysOf } from '../records/keys.ts'
import { type Person, personName } from '../records/person.ts'

const MINUTE_MS = 60_000

/**
 * creation: new uploads. session: what a page changes (tickets, metadata, seals). read: documents, lists, attempts. check: of
 * the receipts of one submission, by everybody together.
 */
export type RateName = 'creation' | 'session' | 'read' | 'check'

const countRequest = commandLoader(new URL('./commands/', import.meta.url))('count-request')

export class RateLimiter {
  readonly #redis: RedisConnection
  readonly #perMinute: Record<RateName, number>
  readonly #personalHash: PersonalHash
  readonly #metrics: Pick<Metrics, 'rateLimited'>
  readonly #logger: Logger

  /** @param parts.redis a connection that fails at once: an outage is somebody else's to wait for */
  constructor(deps: {
    redis: RedisConnection
    config: Pick<Config, 'rates'>
    personalHash: PersonalHash
    metrics: Pick<Metrics, 'rateLimited'>
    logger: Logger
  }) {
    this.#redis = deps.redis
    const { rates } = deps.config
    this.#perMinute = { ...rates, check: rates.read }
    this.#personalHash = deps.personalHash
    this.#metrics = deps.metrics
    this.#logger = deps.logger
  }

  /**
   * Counts one request. Throws RATE_LIMITED {limit} with Retry-After above the limit per minute.
   * During a Redis outage nobody is refused.
   */
  async check(what: RateName, who: Person): Promise<void> {
    const perMinute = this.#perMinute[what]
    if (perMinute === 0) return
    const waitMs = await this.#take(what, who, perMinute)
    if (waitMs === 0) return
    this.#metrics.rateLimited.inc({ what })
    throw new AppError('RATE_LIMITED', {
      details: { limit: perMinute },
      retryAfterSeconds: Math.ceil(waitMs / 1000),
    })
  }

  async #take(what: RateName, who: Person, perMinute: number): Promise<number> {
    try {
      const key = redisKeysOf(this.#redis).rate(what, who.owner, personName(this.#personalHash, who))
      return Number(await run(this.#redis, countRequest, [key], [MINUTE_MS / perMinute, MINUTE_MS]))
    } catch (err) {
      this.#logger.debug({ err }, 'the rate limit could not be checked')
      return 0
    }
  }
}
