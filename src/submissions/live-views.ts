// Converts upload views to the members that documents need.

import type { UploadRecord } from '../records/upload-record.ts'
import type { UploadView } from '../records/upload-views.ts'
import { type DocumentView, viewOfSession } from './document/views.ts'

/**
 * The uploads that a submission document shows. Expired ones are not receiving, even if not yet removed;
 * one that ended without stored bytes has no record.
 */
export function documentViews(views: readonly UploadView[], nowMs: number): DocumentView[] {
  return views.flatMap((view): (DocumentView | UploadRecord)[] => {
    const { record, hot } = view
    if (record !== undefined) return isOver(view, nowMs) ? [] : [record]
    return hot === undefined || isOver(view, nowMs) ? [] : [viewOfSession(hot.draft)]
  })
}

/** Unfinished and expired or ended. */
function isOver({ record, hot }: UploadView, nowMs: number): boolean {
  if (record !== undefined && record.state !== 'receiving') return false
  if (hot === undefined) return false
  if (hot.status === 'expired' || hot.status === 'cancelled') return true
  return hot.status === 'receiving' && hot.expiresAtMs <= nowMs
}
