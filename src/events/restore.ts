// Restores the event streams from the records in the store, after Redis was wiped or is an older copy. Events
// that are in a stream stay in it. Each stream is built beside the old one and swapped in atomically.

import { commandLoader, run } from '../core/lua-commands.ts'
import { type RedisConnection, viaRedis } from '../core/redis.ts'
import { SUBMISSION_EVENTS_MAX } from '../records/commands.ts'
import type { EventEnvelope } from '../records/event-body.ts'
import { channels, type RedisKeys, redisKeysOf } from '../records/keys.ts'
import { STREAM_FIELDS } from '../records/stored-fields.ts'
import { envelopeOf } from './log.ts'
import { WEBHOOK_GROUP } from './stream-group.ts'

const CHUNK = 500
const STAGED_TTL_MS = 3_600_000
const SEQUENCE_DIGITS = 12
const DAYS_7_MS = 7 * 86_400_000
const MAX_ROUNDS = 20

const replaceStream = commandLoader(new URL('./commands/', import.meta.url))('replace-stream')

/** One restore of all streams. */
export class StreamRestore {
  readonly #redis: RedisConnection
  readonly #keys: RedisKeys
  readonly #token: string
  /** Portals whose events wait to be written to their stream. */
  readonly owners = new Set<string>()

  /** `token`: hexadecimal, unique. */
  constructor(redis: RedisConnection, token: string) {
    this.#redis = redis
    this.#keys = redisKeysOf(redis)
    this.#token = token
  }

  /** Restores the stream of one submission, and stages its events for the portal's. @returns the number of events */
  async submission(owner: string, id: string, events: readonly EventEnvelope[]): Promise<number> {
    if (events.length === 0) return 0
    const stream = this.#keys.submissionEvents(owner, id)
    const mine = this.#keys.restoring(this.#token, stream)
    await this.#stage(mine, events.slice(-SUBMISSION_EVENTS_MAX))
    await this.#replace(mine, stream, undefined)
    await this.#stage(this.#keys.restoring(this.#token, this.#keys.events(owner)), events)
    this.owners.add(owner)
    return events.length
  }

  /** Restores a portal's stream, after all its submissions. @returns whether events were missing */
  async portal(owner: string): Promise<boolean> {
    const stream = this.#keys.events(owner)
    await viaRedis(this.#redis.sadd(this.#keys.owners, owner))
    return await this.#replace(this.#keys.restoring(this.#token, stream), stream, owner)
  }

  /** Makes readers with an open stream read the log. */
  async tellReaders(): Promise<void> {
    await viaRedis(this.#redis.publish(channels.live, RESTORED))
  }

  async #stage(staged: string, events: readonly EventEnvelope[]): Promise<void> {
    for (let i = 0; i < events.length; i += CHUNK) {
      const members = events.slice(i, i + CHUNK).flatMap((event) => [scoreOf(event), memberOf(event)])
      await viaRedis(this.#redis.zadd(staged, ...members))
    }
    await viaRedis(this.#redis.pexpire(staged, STAGED_TTL_MS))
  }

  async #replace(staged: string, stream: string, owner: string | undefined): Promise<boolean> {
    const fresh = `${staged}:stream`
    try {
      for (let round = 0; round < MAX_ROUNDS; round++) {
        // The same event in stream and records is the same member.
        const { present, lastId } = await this.#stageStream(staged, stream)
        if ((await viaRedis(this.#redis.zcard(staged))) <= present) return false
        await viaRedis(this.#redis.del(fresh))
        await this.#fill(staged, fresh)
        const keys = [fresh, stream, owner === undefined ? stream : this.#keys.eventEpoch(owner)]
        const group = owner === undefined ? '' : WEBHOOK_GROUP
        if ((await run(this.#redis, replaceStream, keys, [lastId, group, this.#token, DAYS_7_MS])) === 1) return true
      }
      throw new Error(`${stream}: changed ${MAX_ROUNDS} times during its restore`)
    } finally {
      await viaRedis(this.#redis.del(staged, fresh))
    }
  }

  async #stageStream(staged: string, stream: string): Promise<{ present: number; lastId: string }> {
    const present = new Set<string>()
    let lastId = ''
    for (;;) {
      const from = lastId === '' ? '-' : `(${lastId}`
      const entries = await viaRedis(this.#redis.xrange(stream, from, '+', 'COUNT', CHUNK))
      const last = entries.at(-1)?.[0]
      if (last === undefined) return { present: present.size, lastId }
      lastId = last
      const events = entries.map(envelopeOf)
      for (const { body } of events) present.add(body.id)
      await this.#stage(staged, events)
    }
  }

  /** In the order of commits, with stream ids of the commit times. */
  async #fill(staged: string, fresh: string): Promise<void> {
    let lastMs = 0
    let serial = 0
    for (let start = 0; ; start += CHUNK) {
      const flat = await viaRedis(this.#redis.zrange(staged, start, start + CHUNK - 1, 'WITHSCORES'))
      if (flat.length === 0) break
      const pipeline = this.#redis.pipeline()
      for (let i = 0; i + 1 < flat.length; i += 2) {
        const [member = '', score] = [flat[i], flat[i + 1]]
        const json = member.slice(SEQUENCE_DIGITS + 1)
        const ms = Math.max(lastMs, Number(score))
        serial = ms === lastMs ? serial + 1 : 0
        lastMs = ms
        const { submissionId } = JSON.parse(json) as EventEnvelope
        const { event, submissionId: submission, restored } = STREAM_FIELDS
        pipeline.xadd(fresh, `${ms}-${serial}`, event, json, submission, submissionId, restored, '1')
      }
      for (const [error] of (await viaRedis(pipeline.exec())) ?? []) if (error) throw error
    }
    await viaRedis(this.#redis.pexpire(fresh, STAGED_TTL_MS))
  }
}

/** Message on the channel of live events: events were restored that may not have been published. */
export const RESTORED = 'restored'

function scoreOf({ body }: EventEnvelope): number {
  return Date.parse(body.timestamp)
}

/** Sorts by sequence within a millisecond. */
function memberOf(event: EventEnvelope): string {
  return `${String(event.body.data.sequence).padStart(SEQUENCE_DIGITS, '0')} ${JSON.stringify(event)}`
}
