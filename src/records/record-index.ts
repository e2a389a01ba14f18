// What Redis knows of records: a cache of the newest versions, the indexes for lists, the sequence numbers, and the
// event streams. A committed version is applied here exactly once, with its event, by one script. Everything can be
// rebuilt from the store; an entry written under another Redis run is not believed before the store was asked.

import type { Clock } from '../core/clock.ts'
import { LruCache } from '../core/lru.ts'
import { run } from '../core/lua-commands.ts'
import { type RedisConnection, type RunId, viaRedis } from '../core/redis.ts'
import * as commands from './commands.ts'
import type { SubmissionEventRecord } from './event-body.ts'
import { IndexCompleteness } from './index-completeness.ts'
import { redisKeys } from './keys.ts'
import { CACHE_FIELDS, SEQUENCE_FIELDS } from './stored-fields.ts'

const CACHE_TTL_MS = 8 * 86_400_000
/** Parsed records that a process keeps; of each some kilobytes. */
const PARSED = 2000
const CACHED = [CACHE_FIELDS.version, CACHE_FIELDS.runId, CACHE_FIELDS.json]

/** A record as this process last parsed it, and the version and Redis run that it was cached under. */
type Parsed = { version: string; run: string; value: unknown }

/** What `apply` is told of one committed version. */
export type Applied = {
  cacheKey: string
  version: number
  json: string
  owner: string
  submissionId: string | null
  /** Upload: its place in the submission's index. Absent: the record is a submission head. */
  upload?: { id: string; createdAtMs: number; dueAtMs: number | null }
  /** Orders lists; absent: now. */
  committedAtMs?: number
  /** Under which an unfinished upload is found again. */
  fingerprintKey?: string
  /** The event body without its id, or null where this version is no event. */
  event: string | null
  /** True: put its event into the streams, once. False: only make the version readable. */
  announce: boolean
  /** With announce false: the event is known to be out, even though Redis has forgotten it. */
  announcedBefore?: boolean
  /** With announce false: its event, and all before it, have just been put into the streams. */
  announcedNow?: boolean
  /** Erased: taken out of the list. */
  gone?: boolean
}

export class RecordIndex {
  readonly redis: RedisConnection
  readonly wholeness: IndexCompleteness
  readonly #runId: RunId
  readonly #clock: Clock
  readonly #parsed = new LruCache<string, Parsed>(PARSED)

  constructor(redis: RedisConnection, runId: RunId, clock: Clock) {
    this.redis = redis
    this.#runId = runId
    this.#clock = clock
    this.wholeness = new IndexCompleteness(redis, runId)
  }

  /** The cached newest version; undefined when unknown or written under another Redis run. */
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

  /** A record as this process has it, which may be old; undefined where it has none of the present Redis run. */
  parsed<T>(cacheKey: string): T | undefined {
    const entry = this.#parsed.get(cacheKey)
    return entry?.run === this.#runId.current ? (entry.value as T) : undefined
  }

  #parse<T extends object>(
    key: string,
    { version, run }: Omit<Parsed, 'value'>,
    json: string | null,
    before: Parsed | undefined,
  ): T | undefined {
    if (json === null && before?.version !== version) return undefined
    const value = json === null ? (before?.value as T) : Object.freeze(JSON.parse(json) as T)
    this.#parsed.set(key, { version, run, value })
    return value
  }

  async #fields(asked: string[][]): Promise<(string | null)[][]> {
    if (asked.length === 0) return []
    const pipeline = this.redis.pipeline()
    for (const [key = '', ...fields] of asked) pipeline.hmget(key, ...fields)
    return ((await viaRedis(pipeline.exec())) ?? []).map(([error, answer]) => {
      if (error) throw error
      return answer as (string | null)[]
    })
  }

  /** Makes a committed version visible and announces its event. Idempotent per version. */
  async apply(applied: Applied): Promise<'ok' | 'old' | 'gap'> {
    const { owner, submissionId, upload } = applied
    const sid = submissionId ?? ''
    return (await run(
      this.redis,
      commands.applyVersion,
      [
        applied.cacheKey,
        redisKeys.due,
        redisKeys.uploadsOf(owner, sid),
        redisKeys.submissionsOf(owner),
        redisKeys.events(owner),
        redisKeys.submissionEvents(owner, sid),
        redisKeys.owners,
        applied.fingerprintKey ?? '',
      ],
      [
        applied.version,
        this.#runId.current,
        applied.json,
        CACHE_TTL_MS,
        this.#clock.now(),
        upload?.id ?? '',
        upload?.createdAtMs ?? '',
        upload?.dueAtMs ?? '',
        applied.announce ? '1' : '0',
        sid,
        owner,
        applied.event ?? '',
        applied.gone === true ? '1' : '0',
        applied.announcedNow === true ? '2' : applied.announcedBefore === true ? '1' : '0',
        applied.committedAtMs ?? this.#clock.now(),
      ],
    )) as 'ok' | 'old' | 'gap'
  }

  /** Next sequence number of a submission, or undefined where Redis no longer knows the last one. */
  async nextSequence(owner: string, submissionId: string): Promise<number | undefined> {
    const askedOf = this.#runId.current
    const next = (await run(
      this.redis,
      commands.nextSequence,
      [redisKeys.sequence(owner, submissionId)],
      [askedOf],
    )) as number
    // A number of the Redis before this one may have been given out already.
    return next === -1 || askedOf !== this.#runId.current ? undefined : next
  }

  /** Tells Redis the highest sequence number found in the store; never lowers. */
  async seedSequence(owner: string, submissionId: string, floor: number): Promise<void> {
    await run(
      this.redis,
      commands.seedSequence,
      [redisKeys.sequence(owner, submissionId)],
      [this.#runId.current, floor],
    )
  }

  /** Whether a submission is complete as readers were last told; undefined where Redis cannot say. */
  async toldComplete(owner: string, submissionId: string): Promise<boolean | undefined> {
    const [complete, writtenUnder] = await viaRedis(
      this.redis.hmget(redisKeys.sequence(owner, submissionId), SEQUENCE_FIELDS.complete, SEQUENCE_FIELDS.runId),
    )
    if (writtenUnder !== this.#runId.current) return undefined
    return complete === '1'
  }

  /**
   * Makes a record of news visible. Idempotent per version. With `announce` its event is told, once; 'gap': an earlier one
   * never was. Without it, `young` news is left for whoever tells it.
   */
  async applyNews(
    owner: string,
    submissionId: string,
    { version, complete, sequence, envelope }: SubmissionEventRecord,
    announce: boolean,
    young = false,
  ): Promise<'ok' | 'old' | 'gap'> {
    return (await run(
      this.redis,
      commands.applySubmissionEvent,
      [
        redisKeys.sequence(owner, submissionId),
        redisKeys.events(owner),
        redisKeys.submissionEvents(owner, submissionId),
      ],
      [
        version,
        complete ? '1' : '0',
        sequence,
        JSON.stringify(envelope),
        announce ? '1' : '0',
        young ? '0' : '1',
        this.#clock.now(),
        submissionId,
      ],
    )) as 'ok' | 'old' | 'gap'
  }

  /** True where Redis has known this submission without a break, so that its index of uploads is whole. */
  async isCurrent(owner: string, submissionId: string): Promise<boolean> {
    return (
      (await viaRedis(this.redis.hget(redisKeys.sequence(owner, submissionId), SEQUENCE_FIELDS.runId))) ===
      this.#runId.current
    )
  }

  /** When to look at a submission again; null: not any more. */
  async setSubmissionDue(owner: string, submissionId: string, atMs: number | null): Promise<void> {
    const member = `${owner}/${submissionId}`
    await viaRedis(
      atMs === null
        ? this.redis.zrem(redisKeys.dueSubmissions, member)
        : this.redis.zadd(redisKeys.dueSubmissions, atMs, member),
    )
  }

  /** Submissions to look at by now, the longest due first. */
  async dueSubmissions(nowMs: number, limit: number): Promise<{ owner: string; submissionId: string }[]> {
    const members = await viaRedis(this.redis.zrangebyscore(redisKeys.dueSubmissions, '-inf', nowMs, 'LIMIT', 0, limit))
    return members.map((member) => {
      const slash = member.indexOf('/')
      return { owner: member.slice(0, slash), submissionId: member.slice(slash + 1) }
    })
  }

  /** Portals whose webhooks are to be queued again. */
  async toRequeue(): Promise<string[]> {
    return await viaRedis(this.redis.smembers(redisKeys.requeue))
  }

  async noteRequeue(owner: string): Promise<void> {
    await viaRedis(this.redis.sadd(redisKeys.requeue, owner))
  }

  async noteRequeued(owner: string): Promise<void> {
    await viaRedis(this.redis.srem(redisKeys.requeue, owner))
  }

  async uploadIds(owner: string, submissionId: string): Promise<string[]> {
    return await viaRedis(this.redis.zrange(redisKeys.uploadsOf(owner, submissionId), 0, -1))
  }

  /** All uploads of a submission, oldest first; undefined where Redis has not known it without a break. */
  async wholeUploadIds(owner: string, submissionId: string): Promise<string[] | undefined> {
    // In one step: a Redis that is wiped between two questions would answer with a list that is short.
    const commands = this.redis
      .multi()
      .hget(redisKeys.sequence(owner, submissionId), SEQUENCE_FIELDS.runId)
      .zrange(redisKeys.uploadsOf(owner, submissionId), 0, -1)
    const [writtenUnder, ids] = ((await viaRedis(commands.exec())) ?? []).map(([error, reply]) => {
      if (error) throw error
      return reply
    })
    return writtenUnder === this.#runId.current ? (ids as string[]) : undefined
  }

  /** A portal's submissions from a change on, members and scores in turn. Throws INDEX_REBUILDING. */
  async submissionsFrom(owner: string, score: number, offset: number, count: number): Promise<string[]> {
    const [flat] = await this.wholeness.reading('lists', (commands) =>
      commands.zrangebyscore(
        ...([redisKeys.submissionsOf(owner), score, '+inf'] as const),
        ...(['WITHSCORES', 'LIMIT', offset, count] as const),
      ),
    )
    return flat as string[]
  }
}
