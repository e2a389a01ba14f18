// The lanes that are due on an upload, by its record alone.

import { isAccepted, isLaneDone, type LaneName, type UploadRecord } from '../records/upload-record.ts'

/** The reconciler retries a failed lane after this delay: a system error never needs a new upload. */
const FAILED_PAUSE_MS = 15 * 60_000

/** Lanes that are due on this version of the record. */
export function pendingLanes(record: UploadRecord, nowMs: number): LaneName[] {
  const lanes: LaneName[] = []
  // Partial uploads are validated as part of the final one.
  if (record.concat?.kind === 'partial') return lanes
  // The bytes are gone.
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
    // Also without pending renditions: the end of the lane makes the upload `ready`.
    if (open('transcode') && (record.state === 'accepted' || hasRenditionsDue(record))) lanes.push('transcode')
  }
  return lanes
}

function hasRenditionsDue(record: UploadRecord): boolean {
  return record.renditions.some(({ state }) => state === 'waiting' || state === 'running')
}

/** Whether the bytes are not one object yet: a multipart upload to complete, or parts to join. */
export function needsAssembly(record: UploadRecord): boolean {
  return record.storedAt !== null && record.object.parts !== undefined
}
