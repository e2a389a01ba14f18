// From what Redis and the store know of an upload to what the documents are computed from.

import type { UploadRecord } from '../records/upload-record.ts'
import type { UploadView } from '../records/upload-views.ts'
import { type UploadView as DocumentView, viewOfSession } from './document/views.ts'

/**
 * The uploads of a submission that its document may speak of. One that ran out, swept or not, is no longer on its way;
 * one that ended before a byte was stored has left no record.
 */
export function documentViews(views: readonly UploadView[], nowMs: number): DocumentView[] {
  return views.flatMap((view): (DocumentView | UploadRecord)[] => {
    const { record, hot } = view
    if (record !== undefined) return isOver(view, nowMs) ? [] : [record]
    return hot === undefined || isOver(view, nowMs) ? [] : [viewOfSession(hot.draft)]
  })
}

/** Unfinished, and no longer to be finished. */
function isOver({ record, hot }: UploadView, nowMs: number): boolean {
  if (record !== undefined && record.state !== 'receiving') return false
  if (hot === undefined) return false
  if (hot.status === 'expired' || hot.status === 'cancelled') return true
  return hot.status === 'receiving' && hot.expiresAtMs <= nowMs
}
