// Who comes first in a queue: the nearest deadline, and of one person's many files one after the other.

import { pendingLanes } from '../../src/lifecycle/pending-lanes.ts'
import type { UploadRecord } from '../../src/records/upload-record.ts'
import type { WorkerContext } from '../worker-context.ts'

/** Some ten weeks; whoever has no deadline, or a later one, waits for those who have. */
const FURTHEST_MINUTES = 100_000
/** Each of the same person's files that is still being worked on puts the next one back by so much. */
const PER_FILE_MINUTES = 60

/**
 * BullMQ's priority, from 1: lower is sooner. A deadline that has passed is as near as can be.
 *
 * @param deadline RFC 3339, or null for none
 * @param ahead files of the same person that are in work
 */
export function lanePriority(deadline: string | null, ahead: number, nowMs: number): number {
  const minutes = deadline === null ? FURTHEST_MINUTES : Math.floor((Date.parse(deadline) - nowMs) / 60_000)
  return 1 + Math.min(FURTHEST_MINUTES, Math.max(0, minutes)) + PER_FILE_MINUTES * ahead
}

/** Queues the lanes that an upload's record asks for, in the order of need. */
export async function queueByNeed(deps: WorkerContext, record: UploadRecord): Promise<void> {
  const { owner, submissionId } = record
  const now = deps.clock.now()
  const lanes = pendingLanes(record, now)
  if (submissionId === null || lanes.length === 0) return await deps.completion.queueLanes(record)
  const [head, records] = await Promise.all([
    deps.heads.latest(owner, submissionId),
    deps.heads.uploadsOf(owner, submissionId),
  ])
  const ahead = records.filter((other) => isInWork(other) && isSamePerson(other, record)).length
  const priority = lanePriority(head?.deadline ?? null, ahead, now)
  for (const lane of lanes)
    await deps.queues.enqueueUpload(lane, record.id, record.lanes[lane]?.generation ?? 1, priority)
}

function isInWork({ state }: UploadRecord): boolean {
  return state === 'accepted'
}

/** Where the portal names nobody, a submission is one person's. */
function isSamePerson(a: UploadRecord, b: UploadRecord): boolean {
  return a.id !== b.id && a.subject === b.subject
}
