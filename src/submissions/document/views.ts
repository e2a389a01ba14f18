// What a submission's document needs to know of each upload: an upload record fits as it is, and so does a line of hot
// state for an upload that has no record yet because none of its bytes is stored.

import type { UploadRecord } from '../../records/upload-record.ts'

export type UploadView = Pick<
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

/** What Redis knows of an upload without a record. */
export type SessionView = {
  id: string
  slot: string | null
  revision: number
  replaces: string | null
  createdAt: string
  concat: UploadRecord['concat']
}

/** The view of an upload that lives in hot state only. */
export function viewOfSession(hot: SessionView): UploadView {
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

/** By the time at which people chose them; ids decide between equals, so that every reader sees one order. */
export function byCreation(a: UploadView, b: UploadView): number {
  return compare(a.createdAt, b.createdAt) || compare(a.id, b.id)
}

/** By the time for which credit is given. */
export function byStorage(a: UploadView, b: UploadView): number {
  return compare(a.storedAt ?? '', b.storedAt ?? '') || byCreation(a, b)
}

function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0
}
