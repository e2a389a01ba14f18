// When to look at which submission because of its dates: a sorted set in Redis, for all services. It is an index of the heads in the
// store and may be early, never late: an early look finds nothing to do and asks for the next one.
//
// A commit that moves a date leaves an intent first, an entry of its own that is due in a minute, then commits, then
// lowers the submission's entry and takes the intent back. Dies its process in between, the intent makes another one look.
// Only who looked moves an entry to a later time or removes it, and only if nobody touched it since it was leased.

import { newToken } from '../core/ids.ts'
import { run } from '../core/lua-commands.ts'
import { type RedisConnection, viaRedis } from '../core/redis.ts'
import * as commands from './commands.ts'
import { redisKeysOf } from './keys.ts'

/** By then a commit has been made, or its process has died. */
const INTENT_MS = 60_000
/** A lease of a process that died is free again after this: everything of a deadline is to be done within a minute. */
const LEASE_MS = 15_000
/** No character of a submission's id. */
const MARK = '?'

export type Leased = { owner: string; submissionId: string; member: string; token: number }

export class DueDates {
  readonly #redis: RedisConnection
  readonly #key: string

  constructor(redis: RedisConnection) {
    this.#redis = redis
    this.#key = redisKeysOf(redis).dueDates
  }

  /** Makes somebody look in a minute. @returns its name, for `takeBack` */
  async intend(owner: string, submissionId: string, nowMs: number): Promise<string> {
    const member = `${owner}/${submissionId}${MARK}${newToken()}`
    await viaRedis(this.#redis.zadd(this.#key, nowMs + INTENT_MS, member))
    return member
  }

  async takeBack(intent: string): Promise<void> {
    await viaRedis(this.#redis.zrem(this.#key, intent))
  }

  /** A submission is looked at by this time, Unix milliseconds. */
  async lower(owner: string, submissionId: string, atMs: number): Promise<void> {
    await run(this.#redis, commands.lowerDueDate, [this.#key], [`${owner}/${submissionId}`, atMs])
  }

  /** Of an erased submission. */
  async forget(owner: string, submissionId: string): Promise<void> {
    await viaRedis(this.#redis.zrem(this.#key, `${owner}/${submissionId}`))
  }

  /** At most `limit` entries whose time has come, the earliest first. No other process is given them for some seconds. */
  async lease(nowMs: number, limit: number): Promise<Leased[]> {
    const token = nowMs + LEASE_MS
    const members = await run(this.#redis, commands.leaseDueDates, [this.#key], [nowMs, limit, token])
    return (members as string[]).map((member) => {
      const slash = member.indexOf('/')
      const [submissionId = ''] = member.slice(slash + 1).split(MARK)
      return { owner: member.slice(0, slash), submissionId, member, token }
    })
  }

  /** Ends a lease. @param nextMs when to look again, Unix milliseconds; null: never */
  async release({ owner, submissionId, member, token }: Leased, nextMs: number | null): Promise<void> {
    if (member.includes(MARK)) {
      if (nextMs !== null) await this.lower(owner, submissionId, nextMs)
      return await this.takeBack(member)
    }
    await run(this.#redis, commands.releaseDueDate, [this.#key], [member, token, nextMs ?? ''])
  }

  /** How late the earliest entry is, milliseconds; 0: nothing is late. */
  async behindMs(nowMs: number): Promise<number> {
    const [, score] = await viaRedis(this.#redis.zrange(this.#key, 0, 0, 'WITHSCORES'))
    return score === undefined ? 0 : Math.max(0, nowMs - Number(score))
  }
}
