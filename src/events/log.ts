// The event log as readers see it: two Redis streams that the record index writes, one per portal (seven days) and one
// per submission (the last thousand). Stream ids never leave the process bare: a cursor is opaque, and pages that come
// back name the last event they saw, whose id outlives Redis.

import { type RedisConnection, viaRedis } from '../core/redis.ts'
import type { EventBody, EventEnvelope } from '../records/event-body.ts'
import type { IndexCompleteness } from '../records/index-completeness.ts'
import { redisKeys } from '../records/keys.ts'
import { STREAM_FIELDS } from '../records/stored-fields.ts'
import { BEGINNING, decodeCursor, encodeCursor, positionAfter, type StreamPosition, shortName } from './cursor.ts'

export type EventPage = {
  items: EventBody[]
  /** Always present: where to go on, now or when there is more. */
  nextCursor: string
}

export type History = {
  /** False: the event named is not in the log (any more, or yet), or what follows it cannot be told. */
  known: boolean
  /** What came after it, oldest first. */
  events: EventEnvelope[]
  /** The newest event of the submission, whether listed or not; undefined where there is none. */
  newestId: string | undefined
}

/** How far commit and telling of an event may be apart, clocks of different machines included. */
const OVERLAP_MS = 5000
/** Within so little, uploads of one submission may have been told in another order than committed. */
const UNORDERED_MS = 1000

type StreamEntry = [id: string, fields: string[]]

export class EventLog {
  readonly #redis: RedisConnection
  readonly #wholeness: IndexCompleteness

  constructor(wholeness: IndexCompleteness) {
    this.#redis = wholeness.redis
    this.#wholeness = wholeness
  }

  /**
   * A portal's events after a cursor of an earlier page, at most `limit`; without one from the oldest kept. Throws
   * CURSOR_INVALID, and INDEX_REBUILDING while events are missing from the log.
   */
  async after(owner: string, cursor: string | undefined, limit: number): Promise<EventPage> {
    let place = cursor === undefined ? BEGINNING : decodeCursor(cursor)
    for (;;) {
      const page = await this.#page(owner, place, limit)
      place = page.place
      // A page on which everything had been told before is not the end.
      if (page.items.length > 0 || page.atEnd) return { items: page.items, nextCursor: encodeCursor(place) }
    }
  }

  async #page(owner: string, place: StreamPosition, limit: number) {
    for (;;) {
      const epoch = (await viaRedis(this.#redis.get(redisKeys.eventEpoch(owner)))) ?? ''
      const same = place.epoch === epoch || place === BEGINNING
      const from = same ? `(${place.streamId}` : overlapping(place.streamId)
      const [epochNow, raw] = await this.#wholeness.reading('events', (commands) =>
        commands.get(redisKeys.eventEpoch(owner)).xrange(redisKeys.events(owner), from, '+', 'COUNT', limit),
      )
      if ((epochNow ?? '') !== epoch) continue
      const entries = raw as StreamEntry[]
      // Also on the pages that follow: they may still be of what was told before the log was put back.
      const told = new Set(place.told)
      const items = entries.map((entry) => envelopeOf(entry).body).filter(({ id }) => !told.has(shortName(id)))
      const last = entries.at(-1)?.[0] ?? place.streamId
      const eventIds = items.map(({ id }) => id)
      return { items, place: positionAfter(place, epoch, last, eventIds), atEnd: entries.length < limit }
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
    const entries = await viaRedis(this.#redis.xrange(key, '-', '+'))
    const events = entries.map(envelopeOf)
    const newestId = events.at(-1)?.body.id
    // An event that was announced twice counts from the first time: better told again than left out.
    const at = events.findIndex(({ body }) => body.id === lastEventId)
    return at < 0 || isUncertain(entries, events, at)
      ? { known: false, events: [], newestId }
      : { known: true, events: events.slice(at + 1), newestId }
  }
}

/** From a place in a log that has been put back since: with all that may have been told later than it was committed. */
function overlapping(streamId: string): string {
  return `${Math.max(0, Number(streamId.split('-')[0]) - OVERLAP_MS)}-0`
}

/** It was put back beside another upload's event, which its reader may not have been told: the whole document is safer. */
function isUncertain(entries: StreamEntry[], events: EventEnvelope[], at: number): boolean {
  const named = events[at]
  if (named === undefined || entries[at]?.[1].at(-2) !== STREAM_FIELDS.restored) return false
  const atMs = Date.parse(named.body.timestamp)
  return events.some(
    ({ uploadId, body }, i) =>
      i < at && uploadId !== named.uploadId && atMs - Date.parse(body.timestamp) < UNORDERED_MS,
  )
}

/** The envelope in a stream entry. */
export function envelopeOf([id, fields]: StreamEntry): EventEnvelope {
  const at = fields.indexOf(STREAM_FIELDS.event)
  const json = at % 2 === 0 ? fields[at + 1] : undefined
  if (json === undefined) throw new Error(`stream entry ${id} holds no event`)
  return JSON.parse(json) as EventEnvelope
}
