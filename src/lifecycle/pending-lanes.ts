// What must happen next to an upload, read off its record alone.

import { isAccepted, isLaneDone, type LaneName, type UploadRecord } from '../records/upload-record.ts'

/** A failed lane is tried again by the reconciler after this pause: our fault never asks for a new upload. */
export const FAILED_PAUSE_MS = 15 * 60_000

/** Lanes that this version of the record still asks for. */
export function pendingLanes(record: UploadRecord, nowMs: number): LaneName[] {
  const lanes: LaneName[] = []
  // A partial upload is judged as part of the final one.
  if (record.concat?.kind === 'partial') return lanes
  // There is nothing left to work on.
  if (record.mediaRemovedAt !== undefined) return lanes
  const open = (lane: LaneName) => {
    const state = record.lanes[lane]
    if (isLaneDone(state) || state?.final === true) return false
    return state?.failedAt === undefined || Date.parse(state.failedAt) + FAILED_PAUSE_MS < nowMs
  }
  if (record.state === 'stored' || record.state === 'checking' || record.state === 'failed') {
    if (open('validate')) lanes.push('validate')
  } else if (isAccepted(record.state)) {
    if (open('inspect')) lanes.push('inspect')
    // Also with no rendition left to make: the lane's end is what makes an upload `ready`.
    if (open('transcode') && (record.state === 'accepted' || hasRenditionsDue(record))) lanes.push('transcode')
  }
  return lanes
}

export function hasRenditionsDue(record: UploadRecord): boolean {
  return record.renditions.some(({ state }) => state === 'waiting' || state === 'running')
}

/** The bytes are not one object yet: a multipart upload to complete, or parts to join. */
export function needsAssembly(record: UploadRecord): boolean {
  return record.storedAt !== null && record.object.parts !== undefined
}
