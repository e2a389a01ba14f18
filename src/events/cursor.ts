// The cursor of the event log: a position in the stream, and the short names of the last returned events.
// The position is exact while the log is intact. After a loss of Redis, events are restored in the order
// of their commits, which can differ from the order of publishing: then the names say which were returned.

import { createHash } from 'node:crypto'
import { AppError } from '../core/errors.ts'

export type StreamPosition = {
  /** Identifies the restored log that the position belongs to; empty: it was never restored. */
  epoch: string
  streamId: string
  /** Short names of the last returned events, oldest first. */
  told: readonly string[]
}

export const BEGINNING: StreamPosition = { epoch: '', streamId: '0-0', told: [] }

const CURSOR = /^e2:([0-9a-f]*):(\d{1,15}-\d{1,15}):([\w-]*)$/
const NAME_CHARS = 5
/** Enough for the seconds that matter; a very busy portal may get some events twice. */
const MAX_TOLD = 256

/** 30 bits: enough to distinguish some hundred events. */
export function shortName(eventId: string): string {
  return createHash('sha256').update(eventId).digest('base64url').slice(0, NAME_CHARS)
}

export function positionAfter(
  place: StreamPosition,
  epoch: string,
  streamId: string,
  eventIds: readonly string[],
): StreamPosition {
  return { epoch, streamId, told: [...place.told, ...eventIds.map(shortName)].slice(-MAX_TOLD) }
}

export function encodeCursor({ epoch, streamId, told }: StreamPosition): string {
  return Buffer.from(`e2:${epoch}:${streamId}:${told.join('')}`).toString('base64url')
}

/** Throws CURSOR_INVALID. */
export function decodeCursor(cursor: string): StreamPosition {
  const [, epoch, streamId, names] = CURSOR.exec(Buffer.from(cursor, 'base64url').toString('latin1')) ?? []
  if (epoch === undefined || streamId === undefined || names === undefined) throw new AppError('CURSOR_INVALID')
  const place = { epoch, streamId, told: names.match(new RegExp(`.{${NAME_CHARS}}`, 'g')) ?? [] }
  // Re-encoding detects what the lenient decoder accepts: padding, foreign characters.
  if (encodeCursor(place) !== cursor) throw new AppError('CURSOR_INVALID')
  return place
}
