// Storage of attempts: first in a Redis list per submission, then as immutable objects in the store. An attempt
// may be in both for a moment, or twice in the store after a crash; its id identifies it.

import { newToken } from '../core/ids.ts'
import { commandLoader, run, runMany } from '../core/lua-commands.ts'
import { type RedisConnection, viaRedis } from '../core/redis.ts'
import { objectKeys, redisKeysOf } from '../records/keys.ts'
import type { ObjectStore } from '../storage/object-store.ts'

export type Attempt = {
  id: string
  /** Server time, RFC 3339. */
  at: string
  slot: string | null
  /** The person, as the portal names them. */
  subject: string | null
  declared: { filename: string | null; type: string | null; bytes: number | null } | null
  /** `claimed`: a page says so; nobody here saw it. */
  outcome: 'accepted' | 'refused' | 'claimed'
  /** Error code, if refused; of a claimed one what the page got instead of an answer. */
  code: string | null
  uploadId: string | null
  /** So many like this one within a minute from `at`; absent: this one alone. */
  count?: number
  /** Of a claimed one: when it was filed, server time. */
  filedAt?: string
}

export type Journal = { owner: string; submissionId: string }

/** Limit of attempts per submission and minute. */
const MAX_WAITING = 1000
/** Lease of a process that moves a submission's attempts to the store. */
const LEASE_MS = 120_000
const BATCH = 500

const command = commandLoader(new URL('./commands/', import.meta.url))
const appendAttempts = command('append-attempts')
const leaseDueAttempts = command('lease-due-attempts')
const removeWrittenAttempts = command('remove-written-attempts')

export class AttemptJournal {
  readonly #redis: RedisConnection
  readonly #store: ObjectStore

  constructor({ redis, store }: { redis: RedisConnection; store: ObjectStore }) {
    this.#redis = redis
    this.#store = store
  }

  /** Throws REDIS_UNAVAILABLE. @returns how many were dropped because of the limit */
  async append(journal: Journal, attempts: readonly Attempt[], nowMs: number): Promise<number> {
    const { list, due, member } = this.#namesOf(journal)
    const lines = attempts.map((attempt) => JSON.stringify(attempt))
    return Number(await run(this.#redis, appendAttempts, [list, due], [member, nowMs, MAX_WAITING, ...lines]))
  }

  /** Leases submissions whose attempts are due to be written. */
  async drain(nowMs: number): Promise<Journal[]> {
    const lists = redisKeysOf(this.#redis).everyDue('due-attempts')
    const share = Math.ceil(BATCH / lists.length)
    const calls = lists.map((list) => ({
      command: leaseDueAttempts,
      keys: [list],
      args: [nowMs, nowMs + LEASE_MS, share],
    }))
    const members = (await runMany(this.#redis, calls)) as string[][]
    return members.flat().map((member) => {
      const slash = member.indexOf('/')
      return { owner: member.slice(0, slash), submissionId: member.slice(slash + 1) }
    })
  }

  /** Moves a submission's waiting attempts to the store. @returns how many */
  async moveToStore(journal: Journal, nowMs: number): Promise<number> {
    const { list, due, member } = this.#namesOf(journal)
    const lines = await viaRedis(this.#redis.lrange(list, 0, -1))
    if (lines.length > 0) await this.write(journal, lines.map(parse))
    await run(this.#redis, removeWrittenAttempts, [list, due], [member, nowMs, lines[0] ?? '', lines.length])
    return lines.length
  }

  /** Drops what is not in the store yet. */
  async forgetWaiting(journal: Journal): Promise<void> {
    const { list, due, member } = this.#namesOf(journal)
    await viaRedis(this.#redis.multi().del(list).zrem(due, member).exec())
  }

  /** Removes what is in the store. */
  async forgetStored({ owner, submissionId }: Journal): Promise<void> {
    await this.#store.removeAll(objectKeys.attempts(owner, submissionId))
  }

  /** Replaces what is in the store by what `change` makes of it. The new object is there before the old one goes. */
  async rewrite(journal: Journal, change: (attempt: Attempt) => Attempt): Promise<void> {
    for await (const { key, read } of this.objects(journal)) {
      const attempts = await read()
      const changed = attempts.map(change)
      if (attempts.every((attempt, i) => attempt === changed[i])) continue
      await this.write(journal, changed)
      await this.#store.remove(key)
    }
  }

  /** Writes attempts to the store. */
  async write({ owner, submissionId }: Journal, attempts: readonly Attempt[]): Promise<void> {
    const firstMs = Math.min(...attempts.map(({ at }) => Date.parse(at)))
    const lastMs = Math.max(...attempts.map(({ at }) => Date.parse(at)))
    const name = `${digits(firstMs)}-${digits(lastMs)}-${newToken()}.json`
    const body = Buffer.from(JSON.stringify({ schema: 1, attempts }))
    await this.#store.createIfAbsent(`${objectKeys.attempts(owner, submissionId)}${name}`, body)
  }

  /** Attempts that are not in the store yet. */
  async waiting(journal: Journal): Promise<Attempt[]> {
    return (await viaRedis(this.#redis.lrange(this.#namesOf(journal).list, 0, -1))).map(parse)
  }

  /** Attempts in the store, by object, in the order of their first attempt, up to `untilMs`. */
  async *stored(journal: Journal, untilMs = Number.POSITIVE_INFINITY) {
    for await (const { firstMs, read } of this.objects(journal)) {
      if (firstMs > untilMs) return
      yield await read()
    }
  }

  /**
   * The objects in the store in the order of their first attempt, without those that end before a moment. All attempts of
   * an object are from `firstMs` on; objects of several processes overlap.
   */
  async *objects({ owner, submissionId }: Journal, fromMs = 0) {
    const prefix = objectKeys.attempts(owner, submissionId)
    for await (const { key } of this.#store.list(prefix)) {
      const [, first, last] = OBJECT_NAME.exec(key.slice(prefix.length)) ?? []
      // Older objects don't say where they end.
      if (last !== undefined && Number(last) < fromMs) continue
      const read = async (): Promise<Attempt[]> => {
        const body = await this.#store.read(key)
        return body === undefined ? [] : (JSON.parse(body.toString('utf8')) as { attempts: Attempt[] }).attempts
      }
      yield { key, firstMs: Number(first ?? 0), read }
    }
  }

  #namesOf({ owner, submissionId }: Journal): { list: string; due: string; member: string } {
    const keys = redisKeysOf(this.#redis)
    return {
      list: keys.attempts(owner, submissionId),
      due: keys.dueOf('due-attempts', owner, submissionId),
      member: `${owner}/${submissionId}`,
    }
  }
}

/** Time of the first attempt, of the last one, and a token; the last one is missing in older names. */
const OBJECT_NAME = /^(\d{14})-(?:(\d{14})-)?/

function digits(ms: number): string {
  return String(ms).padStart(14, '0')
}

function parse(line: string): Attempt {
  return JSON.parse(line) as Attempt
}
