// Time for repair: a return may say until when what it found wanting can be replaced, although the deadline has passed.

import type { RevisionRecord, SubmissionHead } from '../records/submission-head.ts'
import type { UploadRecord } from '../records/upload-record.ts'
import { timelinessOf } from './document/timeliness.ts'

/** The file came in time and was rejected after the deadline: that left no time to mend it. */
export function isRejectedAfter(head: SubmissionHead, record: UploadRecord): boolean {
  if (record.state !== 'rejected' || head.deadline === null) return false
  return timelinessOf(head, record).counts && rejectedAtMs(record) > Date.parse(head.deadline)
}

/** Later versions of a record do not move its verdict. */
function rejectedAtMs({ lanes, committedAt }: UploadRecord): number {
  return Date.parse(lanes.inspect?.doneAt ?? lanes.validate?.doneAt ?? committedAt)
}

/**
 * Whether a slot may be given another file although the time of the submission is over: a return gave time until then,
 * and the slot's file was rejected after the deadline, by a verdict or by that return, which gave it back.
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
