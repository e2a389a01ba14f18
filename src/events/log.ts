// The event log as readers see it: two Redis streams that the record index writes, one per portal (seven days) and one
// per submission (the last thousand). Stream ids never leave the process bare: a cursor is opaque, and pages that come
// back name the last event they saw, whose id outlives Redis.

import { AppError } from '../core/errors.ts'
import { type RedisConnection, viaRedis } from '../core/redis.ts'
import type { EventBody, EventEnvelope } from '../records/event-body.ts'
import { redisKeys } from '../records/keys.ts'

export type EventPage = {
  items: EventBody[]
  /** Always present: where to go on, now or when there is more. */
  nextCursor: string
}

export type History = {
  /** False: the event named is not in the log (any more, or yet); what follows it cannot be told. */
  known: boolean
  /** What came after it, oldest first. */
  events: EventEnvelope[]
  /** The newest event of the submission, whether listed or not; undefined where there is none. */
  newestId: string | undefined
}

const CURSOR = /^e1:(\d{1,15}-\d{1,15})$/

type StreamEntry = [id: string, fields: string[]]

export class EventLog {
  readonly #redis: RedisConnection

  constructor(redis: RedisConnection) {
    this.#redis = redis
  }

  /** A portal's events after a cursor of an earlier page, at most `limit`; without one from the oldest kept. */
  async after(owner: string, cursor: string | undefined, limit: number): Promise<EventPage> {
    const from = cursor === undefined ? '0-0' : decodeCursor(cursor)
    const entries = await viaRedis(
      this.#redis.xrange(redisKeys.events(owner), `(${from}`, '+', 'COUNT', limit),
    )
    return {
      items: entries.map((entry) => envelopeOf(entry).body),
      nextCursor: encodeCursor(entries.at(-1)?.[0] ?? from),
    }
  }

  /**
   * A submission's events after the one with id `lastEventId`. Order is that of the log, not of `sequence`: two commits
   * may be announced in the other order, and going on by number would then skip one.
   */
  async history(owner: string, submissionId: string, lastEventId: string | undefined): Promise<History> {
    const key = redisKeys.submissionEvents(owner, submissionId)
    if (lastEventId === undefined) {
      const newest = await viaRedis(this.#redis.xrevrange(key, '+', '-', 'COUNT', 1))
      return { known: false, events: [], newestId: newest.map((entry) => envelopeOf(entry).body.id)[0] }
    }
    // The stream is bounded, and most are short: reading it whole costs less than an index of ids would.
    const events = (await viaRedis(this.#redis.xrange(key, '-', '+'))).map(envelopeOf)
    const newestId = events.at(-1)?.body.id
    // An event that was announced twice counts from the first time: better told again than left out.
    const at = events.findIndex(({ body }) => body.id === lastEventId)
    return at < 0
      ? { known: false, events: [], newestId }
      : { known: true, events: events.slice(at + 1), newestId }
  }
}

/** The envelope in a stream entry's field `e`. */
export function envelopeOf([id, fields]: StreamEntry): EventEnvelope {
  const at = fields.indexOf('e')
  const json = at % 2 === 0 ? fields[at + 1] : undefined
  if (json === undefined) throw new Error(`stream entry ${id} holds no event`)
  return JSON.parse(json) as EventEnvelope
}

function encodeCursor(streamId: string): string {
  return Buffer.from(`e1:${streamId}`).toString('base64url')
}

function decodeCursor(cursor: string): string {
  const text = Buffer.from(cursor, 'base64url').toString('latin1')
  const streamId = CURSOR.exec(text)?.[1]
  // Re-encoding catches what the lenient decoder lets pass: padding, foreign characters.
  if (streamId === undefined || encodeCursor(streamId) !== cursor) throw new AppError('CURSOR_INVALID')
  return streamId
}
