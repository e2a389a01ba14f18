// Whose turn it is in a lane: by when a job would be done if all had the same share. Who comes earlier, whose work is
// short, whose deadline is near and whose first file it is comes before others, but nobody waits for ever: what comes a day
// or two later is behind, whatever it is.

import type { LaneName } from '../records/upload-record.ts'
import { isShort } from './job-cost.ts'

/** Numbers count these from {@link EPOCH_MS}: BullMQ takes some two million, which is twenty years. */
const TICK_MINUTES = 5
const EPOCH_MS = Date.UTC(2026, 0, 1)
/** BullMQ takes no larger number. */
const LAST = 2 ** 21 - 1

/** Whoever has no deadline, or a later one, waits for those who have one within a day. */
const FURTHEST_MINUTES = 24 * 60
/** Work that slows all others down is put back by more than it takes. */
const COST_WEIGHT = 6
const MOST_COST_MINUTES = 24 * 60
/** Each of the same person's files that the lane still has puts the next one back by so much. */
const PER_FILE_MINUTES = 60
const MOST_FILES_MINUTES = 48 * 60

/** What the turn of one job depends on. */
export type JobNeed = {
  lane: LaneName
  /** Of its submission, RFC 3339, or null for none. */
  deadline: string | null
  /** Files of the same person that came to this lane before, and are not done. */
  ahead: number
  /** What it is expected to take. */
  costSeconds: number
  nowMs: number
}

/**
 * BullMQ's priority, from 1: lower is sooner. A deadline that has passed is as near as can be; to verdicts and
 * other short work deadlines are all the same, for somebody waits for each.
 */
export function jobPriority({ lane, deadline, ahead, costSeconds, nowMs }: JobNeed): number {
  const minutes =
    (lane === 'validate' || isShort(costSeconds) ? 0 : minutesUntil(deadline, nowMs)) +
    Math.min(MOST_COST_MINUTES, (COST_WEIGHT * costSeconds) / 60) +
    Math.min(MOST_FILES_MINUTES, PER_FILE_MINUTES * ahead)
  const ticks = (nowMs - EPOCH_MS) / 60_000 / TICK_MINUTES
  return Math.min(LAST, Math.max(1, Math.floor(ticks) + Math.floor(minutes / TICK_MINUTES)))
}

function minutesUntil(deadline: string | null, nowMs: number): number {
  if (deadline === null) return FURTHEST_MINUTES
  return Math.min(FURTHEST_MINUTES, Math.max(0, (Date.parse(deadline) - nowMs) / 60_000))
}
