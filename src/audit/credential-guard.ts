// A brake on guessing passwords and API keys. Wrong attempts are counted by address and by account, in Redis, so that all
// processes on all machines share the count. Above the limit every attempt is answered 429, also a right one: the answer
// tells nothing. Two things keep honest callers in: a wrong attempt is forgiven in seconds, and a caller that was in before
// is counted by itself, so that strangers at the same address or with the same account name do not lock it out.

import { createHash } from 'node:crypto'
import { networkOf } from '../core/addresses.ts'
import type { Config } from '../core/config.ts'
import { AppError } from '../core/errors.ts'
import type { Logger } from '../core/logger.ts'
import { LruCache } from '../core/lru.ts'
import { commandLoader, run } from '../core/lua-commands.ts'
import { type RedisConnection, viaRedis } from '../core/redis.ts'
import { redisKeysOf } from '../records/keys.ts'
import type { Actor, SecurityEventName } from './security-events.ts'
import type { SecurityLog } from './security-log.ts'

const MINUTE_MS = 60_000
/** A caller is known this long after it was last let in. */
const KNOWN_SECONDS = 30 * 86_400
/** A known caller with a right credential is not looked up in Redis again within this time. */
const LET_IN_MS = 60_000
const MAX_LET_IN = 5000
/** While guessing goes on, one entry of the log says so; the wrong attempts have entries of their own. */
const BRAKED_EVERY_MS = 15 * MINUTE_MS

/** More than an address: one address alone must not keep strangers with the right credential out. */
const PER_ACCOUNT = 10

const countGuess = commandLoader(new URL('./commands/', import.meta.url))('count-guess')

export type Attempt = {
  event: Extract<SecurityEventName, 'operator.login' | 'api_key.login'>
  isRight: boolean
  actor: Actor & { from: string }
  /** The account that is named, `operator ops`; null if there is no such account: names are not invented into Redis. */
  account: string | null
  /**
   * What only this caller has, and which changes with the credential; absent: a stranger. It is known if `remember` was
   * called with it.
   */
  caller?: string
  /** Others may be the same caller, as behind one address: a right credential alone must not be told from a wrong one. */
  isShared?: boolean
}

export class CredentialGuard {
  readonly #redis: RedisConnection
  readonly #perMinute: number
  readonly #securityLog: SecurityLog
  readonly #logger: Logger
  readonly #letIn = new LruCache<string, number>(MAX_LET_IN)

  /** @param deps.redis a connection that fails at once: without Redis nobody is refused for guessing */
  constructor(deps: {
    redis: RedisConnection
    config: Pick<Config, 'wrongCredentialsPerMinute'>
    securityLog: SecurityLog
    logger: Logger
  }) {
    this.#redis = deps.redis
    this.#perMinute = deps.config.wrongCredentialsPerMinute
    this.#securityLog = deps.securityLog
    this.#logger = deps.logger
  }

  /**
   * Counts an attempt and notes a wrong one in the security log.
   *
   * @returns whether to let it in. Throws TOO_MANY_WRONG_CREDENTIALS with Retry-After above the limit.
   */
  async check(attempt: Attempt): Promise<boolean> {
    const { isRight, caller, isShared = false, actor, account, event } = attempt
    const letInMs = isRight && !isShared && caller !== undefined ? this.#letIn.get(caller) : undefined
    if (letInMs !== undefined && performance.now() - letInMs < LET_IN_MS) return true
    const waitMs = await this.#count(attempt)
    if (waitMs > 0) {
      const braked = { event: 'guessing.braked', result: 'refused', actor, on: account } as const
      await this.#securityLog.recordNowAndThen(braked, BRAKED_EVERY_MS)
      throw new AppError('TOO_MANY_WRONG_CREDENTIALS', { retryAfterSeconds: Math.ceil(waitMs / 1000) })
    }
    if (!isRight) await this.#securityLog.record({ event, result: 'refused', actor, on: account })
    else if (caller !== undefined) await this.remember(caller)
    return isRight
  }

  /** The caller was let in: strangers do not lock it out for a month. */
  async remember(caller: string): Promise<void> {
    this.#letIn.set(caller, performance.now())
    await this.#viaRedis(
      this.#redis.set(redisKeysOf(this.#redis).knownCaller(hash(caller)), '1', 'EX', KNOWN_SECONDS),
      null,
    )
  }

  async #count({ isRight, actor, account, caller }: Attempt): Promise<number> {
    if (this.#perMinute === 0) return 0
    const isKnown =
      caller !== undefined &&
      (await this.#viaRedis(this.#redis.exists(redisKeysOf(this.#redis).knownCaller(hash(caller))), 0)) === 1
    const source = isKnown ? `caller ${caller}` : `address ${networkOf(actor.from)}`
    const names = [source, `account of ${isKnown || account === null ? source : account}`]
    const keys = names.map((name) => redisKeysOf(this.#redis).guesses(hash(name)))
    const intervalMs = MINUTE_MS / this.#perMinute
    const args = [intervalMs, intervalMs / PER_ACCOUNT, MINUTE_MS, isRight ? 0 : 1]
    return Number(await this.#viaRedis(run(this.#redis, countGuess, keys, args), 0))
  }

  async #viaRedis<T>(command: Promise<T>, otherwise: T): Promise<T> {
    try {
      return await viaRedis(command)
    } catch (err) {
      this.#logger.debug({ err }, 'attempts with credentials could not be counted')
      return otherwise
    }
  }
}

function hash(text: string): string {
  return createHash('sha256').update(text).digest('base64url').slice(0, 22)
}
