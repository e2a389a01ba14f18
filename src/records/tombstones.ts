// What stays of what was erased, and for how long it is looked through again: a process that was stopped for a while may still write of what it
// had read before, and such writes are removed.

import { isoTime } from '../core/clock.ts'
import type { UploadRecord } from './upload-record.ts'
import { recordOfDraft } from './upload-session.ts'
import type { NextVersion } from './version-log.ts'

const AGAIN_FOR_MS = 86_400_000
const LOOK_AGAIN_MS = 60_000

type Tombstone = { erasedAt?: string }

export function isYoungTombstone({ erasedAt }: Tombstone, nowMs: number): boolean {
  return erasedAt !== undefined && Date.parse(erasedAt) > nowMs - AGAIN_FOR_MS
}

/**
 * When to look again, Unix milliseconds: soon, then each time after ten times as long, and last when the day is over. Each
 * look lists the store, and of what many deletions leave there are thousands.
 */
export function lookAgainAtMs({ erasedAt }: Tombstone, nowMs: number): number {
  if (erasedAt === undefined) return nowMs + LOOK_AGAIN_MS
  const ageMs = nowMs - Date.parse(erasedAt)
  return nowMs + Math.max(LOOK_AGAIN_MS, Math.min(9 * ageMs, AGAIN_FOR_MS - ageMs))
}

/**
 * The tombstone of an upload. It keeps where the upload stood and when it began, so that nothing that comes late brings it
 * back; the generations of its lanes, to find its jobs; and its multipart upload, to abort it.
 */
export function tombstoneOf(record: NextVersion<UploadRecord>, atMs: number): NextVersion<UploadRecord> {
  const { id, owner, submissionId, slot, revision, state, sequence, createdAt, lanes } = record
  const { key, multipartId, partBytes } = record.object
  const place = { id, owner, submissionId, slot, revision, createdAt }
  const nothing = {
    subject: null,
    replaces: null,
    metadata: {},
    fingerprint: null,
    concat: null,
    maxBytes: 0,
    kinds: [],
  }
  const declared = { filename: null, type: null, bytes: null }
  const object = { key, ...(multipartId && { multipartId }), ...(partBytes && { partBytes }) }
  const generations = Object.entries(lanes).map(([lane, { generation }]) => [lane, { generation, attempts: 0 }])
  return {
    ...recordOfDraft({ ...place, ...nothing, declared }, object),
    state,
    sequence,
    event: null,
    lanes: Object.fromEntries(generations) as UploadRecord['lanes'],
    erasedAt: isoTime(atMs),
  }
}
