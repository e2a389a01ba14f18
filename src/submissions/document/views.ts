// The members of an upload that the submission document needs: from its record, or from its session
// if it has no record yet because no byte is stored.

import type { UploadRecord } from '../../records/upload-record.ts'

export type DocumentView = Pick<
  UploadRecord,
  | 'id'
  | 'slot'
  | 'revision'
  | 'state'
  | 'replaces'
  | 'createdAt'
  | 'storedAt'
  | 'sequence'
  | 'measured'
  | 'problems'
  | 'concat'
> & { committedAt?: string }

/** The session of an upload without a record. */
export type SessionView = {
  id: string
  slot: string | null
  revision: number
  replaces: string | null
  createdAt: string
  concat: UploadRecord['concat']
}

/** The view of an upload that exists only as a session. */
export function viewOfSession(hot: SessionView): DocumentView {
  const { id, slot, revision, replaces, createdAt, concat } = hot
  return {
    id,
    slot,
    revision,
    replaces,
    createdAt,
    concat,
    state: 'receiving',
    storedAt: null,
    sequence: 0,
    measured: null,
    problems: [],
  }
}

/** By creation time, then by id, so that the order is the same for all readers. */
export function byCreation(a: DocumentView, b: DocumentView): number {
  return compare(a.createdAt, b.createdAt) || compare(a.id, b.id)
}

/** By the time of the last stored byte. */
export function byStorage(a: DocumentView, b: DocumentView): number {
  return compare(a.storedAt ?? '', b.storedAt ?? '') || byCreation(a, b)
}

function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0
}
