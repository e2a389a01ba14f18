// The end of what is kept of a closed submission: all its media are removed. First the head says so, in a commit that sees a
// date that was moved and a return; from then on neither is possible. At last the head has the event. A worker that dies in
// between is followed by the next run.

import { isoTime } from '../../src/core/clock.ts'
import { cancelUpload } from '../../src/lifecycle/cancel.ts'
import { pendingLanes } from '../../src/lifecycle/pending-lanes.ts'
import { isPossible } from '../../src/lifecycle/transition-table.ts'
import { type Closing, closingOf, keptUntilMs, type SubmissionHead } from '../../src/records/submission-head.ts'
import { isAccepted, isEnded } from '../../src/records/upload-record.ts'
import type { UploadView } from '../../src/records/upload-views.ts'
import { withClosing } from '../../src/submissions/close-submission.ts'
import type { WorkerContext } from '../worker-context.ts'
import { removeMedia } from './remove-media.ts'

/** @returns the number of uploads whose media were removed by this call */
export async function removeClosedMedia(
  deps: WorkerContext,
  { owner, id }: Pick<SubmissionHead, 'owner' | 'id'>,
): Promise<number> {
  const { heads, clock, views, logger } = deps
  const unread = (await views.ofSubmission(owner, id)).filter(isUnread).map((view) => view.id)
  if (unread.length > 0) {
    logger.warn({ owner, submissionId: id, unread }, 'closed, but kept for another day: a SHA-256 is not known yet')
    return 0
  }
  const { record: head } = await heads.commit(owner, id, async (current) => {
    if (current === undefined || (keptUntilMs(current) ?? Number.POSITIVE_INFINITY) > clock.now()) return undefined
    const closing = closingOf(current)
    if (closing === undefined || closing.mediaRemovedAt !== undefined) return undefined
    return await withClosing(deps, current, { ...closing, mediaRemovedAt: isoTime(clock.now()) }, null)
  })
  if (begunOf(head) === undefined) return 0
  let removed = 0
  for (const view of await views.ofSubmission(owner, id)) if (await removeAll(deps, view)) removed++
  await heads.commit(owner, id, async (current) => {
    const closing = begunOf(current)
    if (current === undefined || closing === undefined) return undefined
    const done = { ...closing, mediaErasedAt: isoTime(clock.now()) }
    return await withClosing(deps, current, done, 'submission.media_removed')
  })
  return removed
}

/** A removal that has begun and is not finished. */
function begunOf(head: SubmissionHead | undefined): Closing | undefined {
  const closing = head === undefined ? undefined : closingOf(head)
  return closing?.mediaRemovedAt === undefined || closing.mediaErasedAt !== undefined ? undefined : closing
}

/** The receipt says the SHA-256, which only the bytes tell: they wait for the inspection, unless it was given up. */
function isUnread({ record }: UploadView): boolean {
  if (record === undefined || !isAccepted(record.state) || record.sha256 !== null) return false
  return pendingLanes(record, Number.POSITIVE_INFINITY).includes('inspect')
}

/** What has no verdict by now is cancelled: nothing else ends it. @returns whether this call began it */
async function removeAll(deps: WorkerContext, view: UploadView): Promise<boolean> {
  const { id, record } = view
  if (record !== undefined && (isEnded(record.state) || record.mediaErasedAt !== undefined)) return false
  if (record !== undefined && isPossible('media removed', record)) return await removeMedia(deps, id)
  return await cancelUpload(deps, view, { force: true })
}
