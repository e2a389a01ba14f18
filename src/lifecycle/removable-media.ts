// Since when retention may have something to remove of a submission, by its uploads alone.

import { isAccepted, isEnded, type UploadRecord } from '../records/upload-record.ts'

/**
 * The earliest time from which a period of retention may count, Unix milliseconds, or a little before; null: nothing will have to
 * be removed as long as nothing changes.
 */
export function removableSinceMs(records: readonly UploadRecord[]): number | null {
  const times = records.flatMap((record) => sinceMs(record, records))
  return times.length === 0 ? null : Math.min(...times)
}

function sinceMs(record: UploadRecord, all: readonly UploadRecord[]): number[] {
  const { state, slot, mediaRemovedAt, mediaErasedAt, erasedAt, committedAt, storedAt } = record
  if (mediaErasedAt !== undefined || erasedAt !== undefined || isEnded(state)) return []
  // Begun, and to be finished.
  if (mediaRemovedAt !== undefined) return [0]
  if (state === 'rejected') return [Date.parse(committedAt)]
  // One of two accepted ones of a slot may be superseded, since the other was stored.
  const isRival = (other: UploadRecord) => other !== record && other.slot === slot && isAccepted(other.state)
  return isAccepted(state) && all.some(isRival) ? [Date.parse(storedAt ?? committedAt)] : []
}
