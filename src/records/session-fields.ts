// An upload session as fields of its Redis hash, and its parts as fields of another: names and values in turn, as HSET
// takes them. `decodeSession` in upload-session.ts reads them.

import { SESSION_FIELDS as field } from './stored-fields.ts'
import type { StoredPart } from './upload-record.ts'
import { slotKey, type UploadSession } from './upload-session.ts'

/** The fields changed by saving progress. */
export type SessionProgress = {
  offset: number
  expiresAtMs: number
  status?: 'finishing'
  storedAtMs?: number
  version?: number
  multipartId?: string
  tailKey?: string | null
  parts?: StoredPart[]
  clearInFlight?: boolean
}

type Fields = (string | number)[]

export function progressFields(progress: SessionProgress): Fields {
  // Not the run id: an untrusted session stays untrusted, since its parts may have a gap.
  const fields: Fields = [field.offset, progress.offset, field.expiresAtMs, progress.expiresAtMs]
  if (progress.status !== undefined) fields.push(field.status, progress.status)
  if (progress.storedAtMs !== undefined) fields.push(field.storedAtMs, progress.storedAtMs)
  if (progress.version !== undefined) fields.push(field.version, progress.version)
  if (progress.multipartId !== undefined) fields.push(field.multipartId, progress.multipartId)
  if (progress.tailKey !== undefined) fields.push(field.tailKey, progress.tailKey ?? '')
  if (progress.clearInFlight === true) fields.push(field.inFlight, '')
  return fields
}

/** The part of a session that can be restored from the store. */
export type Restorable = Omit<UploadSession, 'holder' | 'abandoned' | 'trusted' | 'inFlight'>

/** All fields of a restored session, for the Redis run `runId`. */
export function restoredFields(state: Restorable, runId: string): Fields {
  return [
    field.draft,
    JSON.stringify(state.draft),
    field.slotKey,
    slotKey(state.draft),
    field.size,
    state.size ?? '',
    field.offset,
    state.offset,
    field.status,
    state.status,
    field.version,
    state.version,
    field.expiresAtMs,
    state.expiresAtMs,
    field.storedAtMs,
    state.storedAtMs ?? '',
    field.multipartId,
    state.multipartId ?? '',
    field.partBytes,
    state.partBytes,
    field.tailKey,
    state.tailKey ?? '',
    field.runId,
    runId,
  ]
}

/** Part number → location. */
export function partFields(parts: readonly StoredPart[]): string[] {
  return parts.flatMap(({ number, offset, bytes, etag, crc32, key }) => [
    String(number),
    JSON.stringify({ offset, bytes, etag, crc32, key }),
  ])
}

/** The parts in order, from the hash of `partFields`. */
export function decodeParts(fields: Record<string, string>): StoredPart[] {
  return Object.entries(fields)
    .map(([number, json]) => ({
      number: Number(number),
      ...(JSON.parse(json) as Omit<StoredPart, 'number'>),
    }))
    .sort((a, b) => a.number - b.number)
}
