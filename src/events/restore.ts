// Events back into the streams after Redis was wiped or came back older, from the records in the store. What is in a
// stream by then stays in it. Each stream is made anew beside the old one and put in its place in one step.

import { commandLoader, run } from '../core/lua-commands.ts'
import { type RedisConnection, viaRedis } from '../core/redis.ts'
import { SUBMISSION_EVENTS_MAX } from '../records/commands.ts'
import type { EventEnvelope } from '../records/event-body.ts'
import { redisKeys } from '../records/keys.ts'
import { STREAM_FIELDS } from '../records/stored-fields.ts'
import { envelopeOf } from './log.ts'
import { WEBHOOK_GROUP } from './stream-group.ts'

const CHUNK = 500
const STAGED_TTL_MS = 3_600_000
const SEQUENCE_DIGITS = 12
const DAYS_7_MS = 7 * 86_400_000
const MAX_ROUNDS = 20

const replaceStream = commandLoader(new URL('./commands/', import.meta.url))('replace-stream')

/** One restoring of all streams. */
export class StreamRestore {
  readonly #redis: RedisConnection
  readonly #token: string
  /** Events waiting for their portal's stream, a few at a time. */
  readonly owners = new Set<string>()

  /** `token`: hexadecimal, fresh. */
  constructor(redis: RedisConnection, token: string) {
    this.#redis = redis
    this.#token = token
  }

  /** All events of one submission: into its stream, and kept for its portal's. @returns how many */
  async submission(owner: string, id: string, events: readonly EventEnvelope[]): Promise<number> {
    if (events.length === 0) return 0
    const stream = redisKeys.submissionEvents(owner, id)
    const mine = redisKeys.restoring(this.#token, stream)
    await this.#stage(mine, events.slice(-SUBMISSION_EVENTS_MAX))
    await this.#replace(mine, stream, undefined)
    await this.#stage(redisKeys.restoring(this.#token, redisKeys.events(owner)), events)
    this.owners.add(owner)
    return events.length
  }

  /** A portal's stream, once all of its submissions have been given. @returns true where anything was missing from it */
  async portal(owner: string): Promise<boolean> {
    const stream = redisKeys.events(owner)
    await viaRedis(this.#redis.sadd(redisKeys.owners, owner))
    return await this.#replace(redisKeys.restoring(this.#token, stream), stream, owner)
  }

  /** Readers with an open line look up what they were not told. */
  async tellReaders(): Promise<void> {
    await viaRedis(this.#redis.publish(redisKeys.live, RESTORED))
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
        // The same event as it stands in the stream is the same member.
        const { present, lastId } = await this.#stageStream(staged, stream)
        if ((await viaRedis(this.#redis.zcard(staged))) <= present) return false
        await viaRedis(this.#redis.del(fresh))
        await this.#fill(staged, fresh)
        const keys = [fresh, stream, owner === undefined ? '' : redisKeys.eventEpoch(owner)]
        const group = owner === undefined ? '' : WEBHOOK_GROUP
        if ((await run(this.#redis, replaceStream, keys, [lastId, group, this.#token, DAYS_7_MS])) === 1) return true
      }
      throw new Error(`${stream}: it changed ${MAX_ROUNDS} times while it was put back`)
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

  /** In the order of their commits, under ids that say when. */
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

/** On the channel of live events: something was put back that was perhaps never told there. */
export const RESTORED = 'restored'

function scoreOf({ body }: EventEnvelope): number {
  return Date.parse(body.timestamp)
}

/** Of one millisecond the order is that of their numbers. */
function memberOf(event: EventEnvelope): string {
  return `${String(event.body.data.sequence).padStart(SEQUENCE_DIGITS, '0')} ${JSON.stringify(event)}`
}
