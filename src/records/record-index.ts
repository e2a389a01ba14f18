// What Redis knows of records: a cache of the newest versions, the indexes for lists, the sequence numbers, and the
// event streams. A committed version is applied here exactly once, with its event, by one script. Everything can be
// rebuilt from the store; an entry written under another Redis run is not believed before the store was asked.

import type { Clock } from '../core/clock.ts'
import { type RedisConnection, type RunId, viaRedis } from '../core/redis.ts'
import { redisKeys } from './keys.ts'
import { run, script } from './scripts.ts'

export const EVENT_DAYS = 7
const CACHE_TTL_MS = 8 * 86_400_000
const SUBMISSION_EVENTS_MAX = 1000
/** Stands where a script puts the number that it gives out. */
export const SEQUENCE_MARK = '@sequence@'

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
  /** Erased: taken out of the list. */
  gone?: boolean
}

// The cache (v, run, json) and what was announced (a) are kept apart: a reader that refreshes the cache must not
// silence the event of a version whose committer has not announced it yet.
// 'old': announced before. 'gap': an earlier version was never announced; announce that one first. 'ok'.
const APPLY = script(`
local version = tonumber(ARGV[1])
local known = redis.call('HMGET', KEYS[1], 'v', 'run', 'a')
local announce = ARGV[9] == '1'
local announced = tonumber(known[3] or (version - 1))
if announce and announced >= version then announce = false
elseif announce and announced < version - 1 then return 'gap' end
if not (known[1] and known[2] == ARGV[2] and tonumber(known[1]) >= version) then
  redis.call('HSET', KEYS[1], 'v', version, 'run', ARGV[2], 'json', ARGV[3])
  redis.call('PEXPIRE', KEYS[1], ARGV[4])
  if ARGV[6] ~= '' then
    if ARGV[8] == '' then redis.call('ZREM', KEYS[2], ARGV[6]) else redis.call('ZADD', KEYS[2], ARGV[8], ARGV[6]) end
    if ARGV[10] ~= '' then redis.call('ZADD', KEYS[3], ARGV[7], ARGV[6]) end
  end
  if ARGV[10] ~= '' then
    redis.call('SADD', KEYS[7], ARGV[11])
    if ARGV[13] == '1' then redis.call('ZREM', KEYS[4], ARGV[10])
    elseif ARGV[6] == '' or redis.call('ZSCORE', KEYS[4], ARGV[10]) then
      redis.call('ZADD', KEYS[4], 'GT', ARGV[15], ARGV[10])
    end
  end
end
if KEYS[8] ~= '' then redis.call('SET', KEYS[8], ARGV[6], 'PX', ARGV[4], 'NX') end
if ARGV[14] == '1' and not known[3] then redis.call('HSET', KEYS[1], 'a', version) end
if not announce then return 'old' end
redis.call('HSET', KEYS[1], 'a', version)
if ARGV[12] ~= '' then
  redis.call('XADD', KEYS[5], 'MINID', '~', tonumber(ARGV[5]) - ${EVENT_DAYS} * 86400000, '*', 'e', ARGV[12], 's', ARGV[10])
  redis.call('XADD', KEYS[6], 'MAXLEN', '~', ${SUBMISSION_EVENTS_MAX}, '*', 'e', ARGV[12])
  redis.call('PEXPIRE', KEYS[6], ${EVENT_DAYS} * 86400000)
  redis.call('PUBLISH', '${redisKeys.live}', ARGV[12])
end
return 'ok'
`)

const NEXT_SEQUENCE = script(`
local known = redis.call('HMGET', KEYS[1], 'n', 'run')
if not known[1] or known[2] ~= ARGV[1] then return -1 end
return redis.call('HINCRBY', KEYS[1], 'n', 1)
`)

const SEED_SEQUENCE = script(`
local known = redis.call('HMGET', KEYS[1], 'n', 'run')
local floor = tonumber(ARGV[2])
if known[1] and tonumber(known[1]) > floor then floor = tonumber(known[1]) end
redis.call('HSET', KEYS[1], 'n', floor, 'run', ARGV[1])
return floor
`)

// An event that no record version stands for: a submission became complete, or no longer is. Noted, numbered and
// announced in one step, so that a crash cannot lose the news. -1: Redis no longer knows the last number.
const FLIP = script(`
local known = redis.call('HMGET', KEYS[1], 'complete', 'n', 'run')
if not known[2] or known[3] ~= ARGV[2] then return -1 end
if known[1] == ARGV[1] then return 0 end
redis.call('HSET', KEYS[1], 'complete', ARGV[1])
if not known[1] and ARGV[1] == '0' then return 0 end
local sequence = redis.call('HINCRBY', KEYS[1], 'n', 1)
redis.call('HSET', KEYS[1], 'announced', sequence)
local event = string.gsub(ARGV[3], '"${SEQUENCE_MARK}"', sequence)
redis.call('XADD', KEYS[2], 'MINID', '~', tonumber(ARGV[4]) - ${EVENT_DAYS} * 86400000, '*', 'e', event, 's', ARGV[5])
redis.call('XADD', KEYS[3], 'MAXLEN', '~', ${SUBMISSION_EVENTS_MAX}, '*', 'e', event)
redis.call('PEXPIRE', KEYS[3], ${EVENT_DAYS} * 86400000)
redis.call('PUBLISH', '${redisKeys.live}', event)
return 1
`)

export class RecordIndex {
  readonly redis: RedisConnection
  readonly #runId: RunId
  readonly #clock: Clock

  constructor(redis: RedisConnection, runId: RunId, clock: Clock) {
    this.redis = redis
    this.#runId = runId
    this.#clock = clock
  }

  /** The cached newest version; undefined when unknown or written under another Redis run. */
  async cached<T>(cacheKey: string): Promise<T | undefined> {
    const [json, writtenUnder] = await viaRedis(this.redis.hmget(cacheKey, 'json', 'run'))
    if (json == null || writtenUnder !== this.#runId.current) return undefined
    return JSON.parse(json) as T
  }

  /** Several at once; the order of the answer is that of the keys. */
  async cachedMany<T>(cacheKeys: string[]): Promise<(T | undefined)[]> {
    if (cacheKeys.length === 0) return []
    const pipeline = this.redis.pipeline()
    for (const key of cacheKeys) pipeline.hmget(key, 'json', 'run')
    const answers = (await viaRedis(pipeline.exec())) ?? []
    return answers.map(([error, answer]) => {
      if (error) throw error
      const [json, writtenUnder] = answer as [string | null, string | null]
      return json == null || writtenUnder !== this.#runId.current ? undefined : (JSON.parse(json) as T)
    })
  }

  /** Makes a committed version visible and announces its event. Idempotent per version. */
  async apply(applied: Applied): Promise<'ok' | 'old' | 'gap'> {
    const { owner, submissionId, upload } = applied
    const sid = submissionId ?? ''
    return (await run(
      this.redis,
      APPLY,
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
        applied.announcedBefore === true ? '1' : '0',
        applied.committedAtMs ?? this.#clock.now(),
      ],
    )) as 'ok' | 'old' | 'gap'
  }

  /** Next sequence number of a submission, or undefined where Redis no longer knows the last one. */
  async nextSequence(owner: string, submissionId: string): Promise<number | undefined> {
    const askedOf = this.#runId.current
    const next = (await run(
      this.redis,
      NEXT_SEQUENCE,
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
      SEED_SEQUENCE,
      [redisKeys.sequence(owner, submissionId)],
      [this.#runId.current, floor],
    )
  }

  /**
   * Notes whether a submission is complete, and announces a change once. `event`: the envelope as JSON, with
   * SEQUENCE_MARK as its sequence. 'stale': the submission's index must be rebuilt first.
   */
  async flipComplete(
    owner: string,
    submissionId: string,
    complete: boolean,
    event: string,
  ): Promise<'same' | 'announced' | 'stale'> {
    const outcome = (await run(
      this.redis,
      FLIP,
      [
        redisKeys.sequence(owner, submissionId),
        redisKeys.events(owner),
        redisKeys.submissionEvents(owner, submissionId),
      ],
      [complete ? '1' : '0', this.#runId.current, event, this.#clock.now(), submissionId],
    )) as number
    if (outcome === -1) return 'stale'
    return outcome === 1 ? 'announced' : 'same'
  }

  /** Announces an event that no record version stands for. */
  async announce(owner: string, submissionId: string, event: string): Promise<void> {
    const now = this.#clock.now()
    const pipeline = this.redis.multi()
    pipeline.xadd(
      redisKeys.events(owner),
      'MINID',
      '~',
      now - EVENT_DAYS * 86_400_000,
      '*',
      'e',
      event,
      's',
      submissionId,
    )
    pipeline.xadd(
      redisKeys.submissionEvents(owner, submissionId),
      'MAXLEN',
      '~',
      SUBMISSION_EVENTS_MAX,
      '*',
      'e',
      event,
    )
    pipeline.publish(redisKeys.live, event)
    await viaRedis(pipeline.exec())
  }

  /** True where Redis has known this submission without a break, so that its index of uploads is whole. */
  async isCurrent(owner: string, submissionId: string): Promise<boolean> {
    return (
      (await viaRedis(this.redis.hget(redisKeys.sequence(owner, submissionId), 'run'))) ===
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
    const members = await viaRedis(
      this.redis.zrangebyscore(redisKeys.dueSubmissions, '-inf', nowMs, 'LIMIT', 0, limit),
    )
    return members.map((member) => {
      const slash = member.indexOf('/')
      return { owner: member.slice(0, slash), submissionId: member.slice(slash + 1) }
    })
  }

  async uploadIds(owner: string, submissionId: string): Promise<string[]> {
    return await viaRedis(this.redis.zrange(redisKeys.uploadsOf(owner, submissionId), 0, -1))
  }
}
