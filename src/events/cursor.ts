// What a portal comes back with to go on in its event log: a place in the stream, and the names of the last events it was
// told. The place is exact while the log stands. When events were put back after a loss of Redis they stand in the order
// of their commits, which may differ by moments from that of their telling: then the names say which were told.

import { createHash } from 'node:crypto'
import { AppError } from '../core/errors.ts'

export type StreamPosition = {
  /** Order of the log that the place belongs to; empty: it was never put back. */
  epoch: string
  streamId: string
  /** Short names of the last events told, oldest first. */
  told: readonly string[]
}

export const BEGINNING: StreamPosition = { epoch: '', streamId: '0-0', told: [] }

const CURSOR = /^e2:([0-9a-f]*):(\d{1,15}-\d{1,15}):([\w-]*)$/
const NAME_CHARS = 5
/** As many as a portal is told within the few seconds that count, unless it is very busy: then some come twice. */
const MAX_TOLD = 256

/** 30 bits: enough to tell one event from some hundreds. */
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
  // Re-encoding catches what the lenient decoder lets pass: padding, foreign characters.
  if (encodeCursor(place) !== cursor) throw new AppError('CURSOR_INVALID')
  return place
}
