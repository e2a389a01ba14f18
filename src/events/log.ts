// The event log for readers: two Redis streams written by the record index, one per portal (seven days) and one
// per submission (the last thousand events). Stream ids are not exposed: cursors are opaque, and returning pages
// name the last event id, which stays valid after a loss of Redis.

import { type RedisConnection, viaRedis } from '../core/redis.ts'
import type { EventBody, EventEnvelope } from '../records/event-body.ts'
import type { IndexCompleteness } from '../records/index-completeness.ts'
import { type RedisKeys, redisKeysOf } from '../records/keys.ts'
import { STREAM_FIELDS } from '../records/stored-fields.ts'
import { BEGINNING, decodeCursor, encodeCursor, positionAfter, type StreamPosition, shortName } from './cursor.ts'

export type EventPage = {
  items: EventBody[]
  /** Always present: where to continue, now or later. */
  nextCursor: string
}

export type History = {
  /** False: the named event is not in the log, or the events after it are not certain. */
  known: boolean
  /** Events after it, oldest first. */
  events: EventEnvelope[]
  /** The newest event of the submission; undefined if there is none. */
  newestId: string | undefined
}

/** Maximum time between commit and publishing of an event, including clock differences. */
const OVERLAP_MS = 5000
/** Within this time, events of one submission may be published in another order than committed. */
const UNORDERED_MS = 1000

type StreamEntry = [id: string, fields: string[]]

export class EventLog {
  readonly #redis: RedisConnection
  readonly #keys: RedisKeys
  readonly #completeness: IndexCompleteness

  constructor(completeness: IndexCompleteness) {
    this.#redis = completeness.redis
    this.#keys = redisKeysOf(completeness.redis)
    this.#completeness = completeness
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
      // A page with only known events is not the end.
      if (page.items.length > 0 || page.atEnd) return { items: page.items, nextCursor: encodeCursor(place) }
    }
  }

  async #page(owner: string, place: StreamPosition, limit: number) {
    for (;;) {
      const epoch = (await viaRedis(this.#redis.get(this.#keys.eventEpoch(owner)))) ?? ''
      const same = place.epoch === epoch || place === BEGINNING
      const from = same ? `(${place.streamId}` : overlapping(place.streamId)
      const [epochNow, raw] = await this.#completeness.reading('events', (commands) =>
        commands.get(this.#keys.eventEpoch(owner)).xrange(this.#keys.events(owner), from, '+', 'COUNT', limit),
      )
      if ((epochNow ?? '') !== epoch) continue
      const entries = raw as StreamEntry[]
      // Needed for the following pages too: they may contain events returned before the restore.
      const told = new Set(place.told)
      const items = entries.map((entry) => envelopeOf(entry).body).filter(({ id }) => !told.has(shortName(id)))
      const last = entries.at(-1)?.[0] ?? place.streamId
      const eventIds = items.map(({ id }) => id)
      return { items, place: positionAfter(place, epoch, last, eventIds), atEnd: entries.length < limit }
    }
  }

  /**
   * A submission's events after the one with id `lastEventId`, in the order of the log, not of `sequence`: two commits
   * may be published in the other order, and continuing by number would skip one.
   */
  async history(owner: string, submissionId: string, lastEventId: string | undefined): Promise<History> {
    const key = this.#keys.submissionEvents(owner, submissionId)
    if (lastEventId === undefined) {
      const newest = await viaRedis(this.#redis.xrevrange(key, '+', '-', 'COUNT', 1))
      return { known: false, events: [], newestId: newest.map((entry) => envelopeOf(entry).body.id)[0] }
    }
    // The stream is bounded and mostly short: reading all of it is cheaper than an index.
    const entries = await viaRedis(this.#redis.xrange(key, '-', '+'))
    const events = entries.map(envelopeOf)
    const newestId = events.at(-1)?.body.id
    // If an event was published twice, continue after the first: repeats are better than gaps.
    const at = events.findIndex(({ body }) => body.id === lastEventId)
    return at < 0 || isUncertain(entries, events, at)
      ? { known: false, events: [], newestId }
      : { known: true, events: events.slice(at + 1), newestId }
  }
}

/** The position in a restored log, moved back by the overlap. */
function overlapping(streamId: string): string {
  return `${Math.max(0, Number(streamId.split('-')[0]) - OVERLAP_MS)}-0`
}

/** Whether a restored event beside it may be unknown to the reader: then the whole document is safer. */
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
  if (json === undefined) throw new Error(`stream entry ${id} has no event`)
  return JSON.parse(json) as EventEnvelope
}
