// Records in Redis: a cache of the newest versions, indexes for lists, sequence numbers, and
// event streams. A committed version is applied exactly once, with its event, by one script. Everything can be
// rebuilt from the store; an entry of another Redis run is not used before the store was read.

import type { ChainableCommander } from 'ioredis'
import type { Clock } from '../core/clock.ts'
import { LruCache } from '../core/lru.ts'
import { askAll, asked, run } from '../core/lua-commands.ts'
import { type RedisConnection, viaRedis } from '../core/redis.ts'
import type { RunId } from '../core/run-id.ts'
import * as commands from './commands.ts'
import { DueDates } from './due-dates.ts'
import { dueMembers } from './due-members.ts'
import { IndexCompleteness } from './index-completeness.ts'
import { type RedisKeys, redisKeysOf } from './keys.ts'
import type { Applied, Published } from './publish-in-order.ts'
import { Requeueing } from './requeueing.ts'
import { CACHE_FIELDS, SEQUENCE_FIELDS } from './stored-fields.ts'
import type { UploadRecord } from './upload-record.ts'
import { CACHE_TTL_MS, VersionPublisher } from './version-publisher.ts'

/** Parsed records that a process keeps; of each some kilobytes. */
const PARSED = 2000
const CACHED = [CACHE_FIELDS.version, CACHE_FIELDS.runId, CACHE_FIELDS.json]

/** A record as this process last parsed it, and the version and Redis run that it was cached under. */
type Parsed = { version: string; run: string; value: unknown; atMs: number }

/**
 * `complete` is undefined if Redis does not know it. `sequence` is 0 if there is none, or it was lost with Redis; a document's
 * `sequence` is never lower than that of a published event.
 */
export type PublishedNews = { complete: boolean | undefined; sequence: number }

/** Deleted submissions have a list of their own: thousands that are erased must not keep a seal waiting. */
export type SubmissionsDue = 'due-submissions' | 'due-erasures'

export class RecordIndex {
  readonly redis: RedisConnection
  readonly keys: RedisKeys
  readonly completeness: IndexCompleteness
  readonly dueDates: DueDates
  readonly requeueing: Requeueing
  readonly #runId: RunId
  readonly #clock: Clock
  readonly #publisher: VersionPublisher
  readonly #parsed = new LruCache<string, Parsed>(PARSED)

  constructor(redis: RedisConnection, runId: RunId, clock: Clock) {
    this.redis = redis
    this.keys = redisKeysOf(redis)
    this.#runId = runId
    this.#clock = clock
    this.#publisher = new VersionPublisher(redis, runId, clock)
    this.completeness = new IndexCompleteness(redis, runId)
    this.dueDates = new DueDates(redis)
    this.requeueing = new Requeueing(redis)
  }

  /** The cached newest version; undefined if unknown or of another Redis run. */
  async cached<T>(cacheKey: string): Promise<T | undefined> {
    const [json, writtenUnder] = await viaRedis(this.redis.hmget(cacheKey, CACHE_FIELDS.json, CACHE_FIELDS.runId))
    if (json == null || writtenUnder !== this.#runId.current) return undefined
    return JSON.parse(json) as T
  }

  /**
   * Several at once; the order of the answer is that of the keys. What this process has parsed before is asked for by its
   * version alone: a submission of a thousand uploads would otherwise cost a thousand parsed records a reader. The
   * answers are shared and frozen.
   */
  async cachedMany<T extends object>(cacheKeys: string[]): Promise<(T | undefined)[]> {
    const known = cacheKeys.map((key) => this.#parsed.get(key))
    const answers = await this.#fields(
      cacheKeys.map((key, i) => [key, ...(known[i] === undefined ? CACHED : CACHED.slice(0, 2))]),
    )
    const stale = cacheKeys.filter((_, i) => known[i] !== undefined && known[i]?.version !== answers[i]?.[0])
    const newer = await this.#fields(stale.map((key) => [key, ...CACHED]))
    const renewed = new Map(stale.map((key, i) => [key, newer[i] ?? []]))
    return cacheKeys.map((key, i) => {
      const [version, writtenUnder, json] = renewed.get(key) ?? answers[i] ?? []
      if (version == null || writtenUnder !== this.#runId.current) return undefined
      return this.#parse<T>(key, { version, run: writtenUnder }, json ?? null, known[i])
    })
  }

  /**
   * A record as this process has it, which may be old; undefined where it has none of the present Redis run.
   *
   * @param maxAgeMs since when nobody has asked Redis whether there is a newer one
   */
  parsed<T>(cacheKey: string, maxAgeMs = Number.POSITIVE_INFINITY): T | undefined {
    const entry = this.#parsed.get(cacheKey)
    if (entry?.run !== this.#runId.current || performance.now() - entry.atMs > maxAgeMs) return undefined
    return entry.value as T
  }

  #parse<T extends object>(
    key: string,
    { version, run }: Pick<Parsed, 'version' | 'run'>,
    json: string | null,
    before: Parsed | undefined,
  ): T | undefined {
    if (json === null && before?.version !== version) return undefined
    const value = json === null ? (before?.value as T) : Object.freeze(JSON.parse(json) as T)
    this.#parsed.set(key, { version, run, value, atMs: performance.now() })
    return value
  }

  async #fields(asked: string[][]): Promise<(string | null)[][]> {
    const questions = asked.map(
      ([key = '', ...fields]) =>
        (to: ChainableCommander) =>
          to.hmget(key, ...fields),
    )
    return (await askAll(this.redis, questions)) as (string | null)[][]
  }

  /** Makes a committed version visible and publishes its event. Idempotent per version. */
  async apply(applied: Applied): Promise<Published> {
    this.#parsed.delete(applied.cacheKey)
    return await this.#publisher.version(applied)
  }

  /** Next sequence number of a submission, or undefined if Redis has lost the last one. */
  async nextSequence(owner: string, submissionId: string): Promise<number | undefined> {
    const askedOf = this.#runId.current
    const next = (await run(
      this.redis,
      commands.nextSequence,
      [this.keys.sequence(owner, submissionId)],
      [askedOf],
    )) as number
    // A number of an earlier Redis run may have been used already.
    return next === -1 || askedOf !== this.#runId.current ? undefined : next
  }

  /**
   * Raises the sequence number to the highest one in the store; never lowers it. The list of uploads is complete from then on.
   *
   * @param uploads all that the store has of the submission
   */
  async seedSequence(
    owner: string,
    submissionId: string,
    floor: number,
    uploads: readonly Pick<UploadRecord, 'id' | 'createdAt'>[],
  ): Promise<void> {
    await run(
      this.redis,
      commands.seedSequence,
      [this.keys.sequence(owner, submissionId), this.keys.uploadsOf(owner, submissionId)],
      [this.#runId.current, floor, ...uploads.flatMap(({ id, createdAt }) => [Date.parse(createdAt), id])],
    )
    // From now on it is in Redis, and leaves it when it is quiet: see quiet-submissions.ts.
    await viaRedis(this.redis.zadd(this.keys.loaded, this.#clock.now(), `${owner}/${submissionId}`))
  }

  /** The last event without a record (`submission.complete`, `submission.incomplete`), kept beside the counter of events. */
  async publishedNews(owner: string, submissionId: string): Promise<PublishedNews> {
    const { complete, runId, eventSequence } = SEQUENCE_FIELDS
    const key = this.keys.sequence(owner, submissionId)
    const [told, writtenUnder, sequence] = await viaRedis(this.redis.hmget(key, complete, runId, eventSequence))
    return {
      complete: writtenUnder === this.#runId.current ? told === '1' : undefined,
      sequence: Number(sequence ?? 0),
    }
  }

  /** Applies a record of the submission event log: see VersionPublisher. */
  async applyNews(...given: Parameters<VersionPublisher['event']>): Promise<Published> {
    return await this.#publisher.event(...given)
  }

  /** Whether the index of a submission's uploads is complete in this Redis run. */
  async isCurrent(owner: string, submissionId: string): Promise<boolean> {
    return (
      (await viaRedis(this.redis.hget(this.keys.sequence(owner, submissionId), SEQUENCE_FIELDS.runId))) ===
      this.#runId.current
    )
  }

  /** An upload is checked at a time, or before. */
  async setUploadDueBy(id: string, atMs: number): Promise<void> {
    await viaRedis(this.redis.zadd(this.keys.due(id), 'LT', atMs, id))
  }

  /** A version is about to be committed, and checked at a time: until Redis has it, `confirmedMany` leaves its record out. */
  async noteUploadCommit(id: string, version: number, dueByMs: number): Promise<void> {
    const call = { command: commands.noteCommit, keys: [this.keys.record(id)], args: [version, CACHE_TTL_MS] }
    await askAll(this.redis, [asked(this.redis, call), (to) => to.zadd(this.keys.due(id), 'LT', dueByMs, id)])
  }

  /** Like `cachedMany`; undefined also where a newer version may have been committed of which Redis has not heard. */
  async confirmedMany<T extends object>(cacheKeys: string[]): Promise<(T | undefined)[]> {
    const { version, runId, json, begunVersion } = CACHE_FIELDS
    const answers = await this.#fields(cacheKeys.map((key) => [key, version, runId, json, begunVersion]))
    return answers.map(([cached, writtenUnder, record, begun]) => {
      if (record == null || writtenUnder !== this.#runId.current) return undefined
      return Number(begun ?? 0) > Number(cached) ? undefined : (JSON.parse(record) as T)
    })
  }

  /** Sets the next check of a submission; null: none. */
  async setSubmissionDue(
    owner: string,
    id: string,
    atMs: number | null,
    list: SubmissionsDue = 'due-submissions',
  ): Promise<void> {
    const [key, member] = [this.keys.dueOf(list, owner, id), `${owner}/${id}`]
    await viaRedis(atMs === null ? this.redis.zrem(key, member) : this.redis.zadd(key, atMs, member))
  }

  /** Submissions that are due, oldest first. */
  async dueSubmissions(
    nowMs: number,
    limit: number,
    list: SubmissionsDue = 'due-submissions',
  ): Promise<{ owner: string; submissionId: string }[]> {
    const members = await dueMembers(this.redis, this.keys.everyDue(list), nowMs, limit)
    return members.map((member) => {
      const slash = member.indexOf('/')
      return { owner: member.slice(0, slash), submissionId: member.slice(slash + 1) }
    })
  }

  async uploadIds(owner: string, submissionId: string): Promise<string[]> {
    return await viaRedis(this.redis.zrange(this.keys.uploadsOf(owner, submissionId), 0, -1))
  }

  /** All uploads of a submission, oldest first; undefined if the index is not complete. */
  async wholeUploadIds(owner: string, submissionId: string): Promise<string[] | undefined> {
    // In one transaction: a Redis that is wiped between two commands would return an incomplete list.
    const commands = this.redis
      .multi()
      .hget(this.keys.sequence(owner, submissionId), SEQUENCE_FIELDS.runId)
      .zrange(this.keys.uploadsOf(owner, submissionId), 0, -1)
    const [writtenUnder, ids] = ((await viaRedis(commands.exec())) ?? []).map(([error, reply]) => {
      if (error) throw error
      return reply
    })
    return writtenUnder === this.#runId.current ? (ids as string[]) : undefined
  }

  /** A portal's submissions from a change on, as members and scores. Throws INDEX_REBUILDING. */
  async submissionsFrom(owner: string, score: number, offset: number, count: number): Promise<string[]> {
    const [flat] = await this.completeness.reading('lists', (commands) =>
      commands.zrangebyscore(this.keys.submissionsOf(owner), score, '+inf', 'WITHSCORES', 'LIMIT', offset, count),
    )
    return flat as string[]
  }
}
