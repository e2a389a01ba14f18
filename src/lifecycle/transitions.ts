// From the draft of a new upload to its first record, and from a record back to what the hot state needs.

import type { StoredObject, UploadRecord } from '../records/upload-record.ts'
import type { UploadDraft } from '../records/upload-session.ts'
import type { NextVersion } from '../records/version-log.ts'

/** The first record of an upload: some bytes are durable. */
export function receivingRecord(
  draft: UploadDraft,
  object: StoredObject,
  sequence: number,
): NextVersion<UploadRecord> {
  return {
    schema: 1,
    id: draft.id,
    owner: draft.owner,
    submissionId: draft.submissionId,
    slot: draft.slot,
    revision: draft.revision,
    subject: draft.subject,
    replaces: draft.replaces,
    state: 'receiving',
    sequence,
    event: 'upload.created',
    declared: draft.declared,
    metadata: draft.metadata,
    ...(draft.rawMetadata === undefined ? {} : { rawMetadata: draft.rawMetadata }),
    fingerprint: draft.fingerprint,
    concat: draft.concat,
    maxBytes: draft.maxBytes,
    kinds: draft.kinds,
    object,
    receivedBytes: 0,
    createdAt: draft.createdAt,
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

/** The same record once its last byte is durable; validation is due. */
export function storedRecord(
  base: NextVersion<UploadRecord>,
  stored: { object: StoredObject; bytes: number; storedAt: string; late: boolean; sequence: number },
): NextVersion<UploadRecord> {
  return {
    ...base,
    state: 'stored',
    event: 'upload.stored',
    sequence: stored.sequence,
    declared: { ...base.declared, bytes: stored.bytes },
    object: stored.object,
    receivedBytes: stored.bytes,
    storedAt: stored.storedAt,
    late: stored.late,
    lanes: base.concat?.kind === 'partial' ? {} : { validate: { generation: 1, attempts: 0 } },
  }
}

/** What a record still tells of its draft. */
export function draftOf(record: UploadRecord): UploadDraft {
  const { id, owner, submissionId, slot, revision, subject, replaces, declared, metadata } = record
  return {
    ...{ id, owner, submissionId, slot, revision, subject, replaces, declared, metadata },
    ...(record.rawMetadata === undefined ? {} : { rawMetadata: record.rawMetadata }),
    fingerprint: record.fingerprint,
    concat: record.concat,
    createdAt: record.createdAt,
    maxBytes: record.maxBytes,
    kinds: record.kinds,
  }
}
