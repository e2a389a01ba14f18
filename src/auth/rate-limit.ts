// How often one person may ask: a bound on programs that run wild, far above what anybody does by hand. By subject, never
// by address: a school has one address for all its teachers. Nothing that goes on with an upload is counted.

import type { Config } from '../core/config.ts'
import { AppError } from '../core/errors.ts'
import type { Logger } from '../core/logger.ts'
import type { Metrics } from '../core/metrics.ts'
import type { RedisConnection } from '../core/redis.ts'
import { redisKeys } from '../records/keys.ts'
import { type Person, personHash } from '../records/person.ts'
import { run, script } from '../records/scripts.ts'

const MINUTE_MS = 60_000

/** creation: new uploads. session: what a page changes (tickets, metadata, seals), not what it reads. */
export type RateName = 'creation' | 'session'

// The generic cell rate algorithm: one number per subject, the time at which all that was allowed will have been earned.
// Redis' own clock, since the processes of a fleet have clocks of their own. Returns the milliseconds to wait.
const GCRA = script(`
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local interval = tonumber(ARGV[1])
local earned = math.max(tonumber(redis.call('GET', KEYS[1]) or 0), now) + interval
local wait = earned - now - ${MINUTE_MS}
if wait > 0 then return math.ceil(wait) end
redis.call('SET', KEYS[1], string.format('%.3f', earned), 'PX', math.ceil(earned - now))
return 0
`)

export class RateLimiter {
  readonly #redis: RedisConnection
  readonly #perMinute: Record<RateName, number>
  readonly #metrics: Pick<Metrics, 'rateLimited'>
  readonly #logger: Logger

  /** @param parts.redis a connection that fails at once: an outage is somebody else's to wait for */
  constructor(deps: {
    redis: RedisConnection
    config: Pick<Config, 'rates'>
    metrics: Pick<Metrics, 'rateLimited'>
    logger: Logger
  }) {
    this.#redis = deps.redis
    this.#perMinute = deps.config.rates
    this.#metrics = deps.metrics
    this.#logger = deps.logger
  }

  /**
   * Counts one request. Throws RATE_LIMITED {limit} with Retry-After when the subject has used up a minute's worth.
   * While Redis does not answer nobody is refused.
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
      const key = redisKeys.rate(what, who.owner, personHash(who))
      return Number(await run(this.#redis, GCRA, [key], [MINUTE_MS / perMinute]))
    } catch (err) {
      this.#logger.debug({ err }, 'a rate could not be counted')
      return 0
    }
  }
}
