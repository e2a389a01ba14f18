// Repair time: a return may allow replacing files after the deadline.

import type { RevisionRecord, SubmissionHead } from '../records/submission-head.ts'
import type { UploadRecord } from '../records/upload-record.ts'
import { timelinessOf } from './document/timeliness.ts'

/** The file was in time but rejected after the deadline, so it could not be replaced in time. */
export function isRejectedAfter(head: SubmissionHead, record: UploadRecord): boolean {
  if (record.state !== 'rejected' || head.deadline === null) return false
  return timelinessOf(head, record).counts && rejectedAtMs(record) > Date.parse(head.deadline)
}

/** The time of the verdict, which later versions do not change. */
function rejectedAtMs({ lanes, committedAt }: UploadRecord): number {
  return Date.parse(lanes.inspect?.doneAt ?? lanes.validate?.doneAt ?? committedAt)
}

/**
 * Whether a file of a slot can be replaced after the deadline: a return allows it until then,
 * and the slot's file was rejected after the deadline, by a verdict or by that return.
 *
 * @param inSlot records of the slot's uploads
 */
export function mayRepair(
  head: SubmissionHead,
  slotId: string,
  inSlot: readonly UploadRecord[],
  nowMs: number,
): boolean {
  if (head.state !== 'returned') return false
  const granted = head.revisions.findLast(({ repairUntil }) => repairUntil !== undefined)
  if (granted?.repairUntil === undefined || nowMs > Date.parse(granted.repairUntil)) return false
  return gaveBack(granted, slotId) || inSlot.some((record) => isRejectedAfter(head, record))
}

function gaveBack({ sealedAt, uploads }: RevisionRecord, slotId: string): boolean {
  return sealedAt !== undefined && (uploads?.[slotId] ?? []).length > 0
}
