// The session of a running upload, as stored in Redis.

import { traceIn } from '../core/trace-context.ts'
import { SESSION_FIELDS as field } from './stored-fields.ts'
import type { StoredObject, UploadRecord } from './upload-record.ts'
import type { NextVersion } from './version-log.ts'

/** The data of an upload from its creation: everything for its first record. */
export type UploadDraft = Pick<
  UploadRecord,
  | 'id'
  | 'owner'
  | 'submissionId'
  | 'slot'
  | 'revision'
  | 'subject'
  | 'person'
  | 'replaces'
  | 'declared'
  | 'metadata'
  | 'rawMetadata'
  | 'fingerprint'
  | 'concat'
  | 'createdAt'
  | 'maxBytes'
  | 'kinds'
  | 'trace'
>

/** The draft in a record. */
export function draftOf(record: UploadRecord): UploadDraft {
  return {
    id: record.id,
    owner: record.owner,
    submissionId: record.submissionId,
    slot: record.slot,
    revision: record.revision,
    subject: record.subject,
    ...(record.person === undefined ? {} : { person: record.person }),
    replaces: record.replaces,
    declared: record.declared,
    metadata: record.metadata,
    ...(record.rawMetadata === undefined ? {} : { rawMetadata: record.rawMetadata }),
    fingerprint: record.fingerprint,
    concat: record.concat,
    createdAt: record.createdAt,
    maxBytes: record.maxBytes,
    kinds: record.kinds,
    ...traceIn(record.trace),
  }
}

/** The first record without its state: nothing is known about the file yet. */
export function recordOfDraft(
  draft: UploadDraft,
  object: StoredObject,
): Omit<NextVersion<UploadRecord>, 'state' | 'event' | 'sequence'> {
  return {
    schema: 1,
    ...draft,
    object,
    receivedBytes: 0,
    storedAt: null,
    late: false,
    sha256: null,
    measured: null,
    checks: [],
    problems: [],
    renditions: [],
    lanes: {},
    error: null,
  }
}

export type HotStatus = 'receiving' | 'finishing' | 'stored' | 'expired' | 'cancelled'

export type UploadSession = {
  draft: UploadDraft
  /** Bytes; null while the length is deferred. */
  size: number | null
  /** Length of the contiguous durable prefix. */
  offset: number
  status: HotStatus
  /** Version of the newest record known here; 0: none yet. */
  version: number
  expiresAtMs: number
  storedAtMs: number | null
  /** S3: multipart upload, its part size, and the object with the bytes after the last complete part. */
  multipartId: string | null
  partBytes: number
  tailKey: string | null
  /**
   * S3: part in flight, `number:sinceMs`, so that a successor does not send the same part meanwhile. Of a lock that was
   * taken: since when by `performance.now()`.
   */
  inFlight: string | null
  /** The holder of the lock, if its lease has not expired. */
  holder: { fence: string; channel: string } | null
  /** The lease of its last holder expired without a release. */
  abandoned: boolean
  /** False: written in another Redis run; verify it against the store. */
  trusted: boolean
  /** Restored from the store, and not locked since. */
  restored?: boolean
  /** The last request that held the lock ended because its client was gone, and nobody has locked it since. */
  clientGone?: boolean
}

/** Reads the Redis hash of an upload. */
export function decodeSession(stored: Record<string, string>, nowMs: number, runId: string): UploadSession {
  const lease = Number(stored[field.leaseUntilMs] ?? 0)
  const fence = stored[field.fence] ?? ''
  return {
    draft: JSON.parse(stored[field.draft] ?? '{}') as UploadDraft,
    size: stored[field.size] === undefined || stored[field.size] === '' ? null : Number(stored[field.size]),
    offset: Number(stored[field.offset] ?? 0),
    status: (stored[field.status] ?? 'receiving') as HotStatus,
    version: Number(stored[field.version] ?? 0),
    expiresAtMs: Number(stored[field.expiresAtMs] ?? 0),
    storedAtMs:
      stored[field.storedAtMs] === undefined || stored[field.storedAtMs] === ''
        ? null
        : Number(stored[field.storedAtMs]),
    multipartId: stored[field.multipartId] || null,
    partBytes: Number(stored[field.partBytes] ?? 0),
    tailKey: stored[field.tailKey] || null,
    inFlight: stored[field.inFlight] || null,
    holder: fence !== '' && lease > nowMs ? { fence, channel: stored[field.holder] ?? '' } : null,
    abandoned: fence !== '' && lease <= nowMs,
    trusted: stored[field.runId] === runId,
    restored: stored[field.restored] !== undefined,
    clientGone: stored[field.clientGone] !== undefined,
  }
}

/** HGETALL as scripts return it: names and values in turn. */
export function pairs(flat: string[]): Record<string, string> {
  const fields: Record<string, string> = {}
  for (let i = 0; i + 1 < flat.length; i += 2) fields[flat[i] as string] = flat[i + 1] as string
  return fields
}

/** Owner, submission and slot of an upload as one string; a ticket is valid for one of them. */
export function slotKey(draft: Pick<UploadDraft, 'owner' | 'submissionId' | 'slot'>): string {
  return `${draft.owner}\n${draft.submissionId ?? ''}\n${draft.slot ?? ''}`
}

/** The session of a new upload. */
export function newUploadSession(
  draft: UploadDraft,
  { size, expiresAtMs, partBytes, holder }: Pick<UploadSession, 'size' | 'expiresAtMs' | 'partBytes' | 'holder'>,
): UploadSession {
  return {
    draft,
    size,
    offset: 0,
    status: 'receiving',
    version: 0,
    expiresAtMs,
    storedAtMs: null,
    multipartId: null,
    partBytes,
    tailKey: null,
    inFlight: null,
    holder,
    abandoned: false,
    trusted: true,
  }
}
