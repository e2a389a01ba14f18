// Whose turn it is in a lane: nobody's second file before another's first, and the nearest deadline first.

import type { LaneName } from '../records/upload-record.ts'

/** Some ten weeks; whoever has no deadline, or a later one, waits for those who have. */
const FURTHEST_MINUTES = 100_000
/** Each of the same person's files that the lane still has puts the next one back by so much. */
const PER_FILE_MINUTES = 60
/** BullMQ takes no larger number. */
const LAST = 2 ** 21 - 1

/** What the turn of one job depends on. */
export type JobNeed = {
  lane: LaneName
  /** Of its submission, RFC 3339, or null for none. */
  deadline: string | null
  /** Files of the same person that came to this lane before, and are not done. */
  ahead: number
  nowMs: number
}

/**
 * BullMQ's priority, from 1: lower is sooner. A deadline that has passed is as near as can be; to verdicts deadlines are
 * all the same, for somebody waits for each.
 */
export function jobPriority({ lane, deadline, ahead, nowMs }: JobNeed): number {
  const minutes = lane === 'validate' ? 0 : minutesUntil(deadline, nowMs)
  return Math.min(LAST, 1 + minutes + PER_FILE_MINUTES * ahead)
}

function minutesUntil(deadline: string | null, nowMs: number): number {
  if (deadline === null) return FURTHEST_MINUTES
  return Math.min(FURTHEST_MINUTES, Math.max(0, Math.floor((Date.parse(deadline) - nowMs) / 60_000)))
}
