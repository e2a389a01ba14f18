// The upload document. Pure: computed from the record, and from the session while
// bytes are being received.

import { ENDED_STATES, isAccepted, type Rendition, type UploadRecord } from '../../records/upload-record.ts'
import type { RenditionDocument, UploadDocument, UploadProgress } from './schemas.ts'
import type { Timeliness } from './timeliness.ts'

/** The members of a record; for an upload without a record they come from its session. */
export type UploadFacts = Pick<
  UploadRecord,
  | 'id'
  | 'submissionId'
  | 'slot'
  | 'revision'
  | 'state'
  | 'sequence'
  | 'declared'
  | 'receivedBytes'
  | 'createdAt'
  | 'storedAt'
  | 'late'
  | 'sha256'
  | 'measured'
  | 'checks'
  | 'problems'
  | 'renditions'
  | 'error'
  | 'mediaRemovedAt'
>

export type UploadInput = {
  record: UploadFacts
  /** Newer than the record while the upload is running. */
  hot?: { receivedBytes: number }
  /** As the worker reports; default: derived from the state. */
  progress?: Partial<UploadProgress>
  superseded: boolean
  /** The current revision, if carried over; default: the one of its creation. */
  revision?: number
  /** By the current dates (`timelinessOf`); default: `late` of the record. */
  standing?: Pick<Timeliness, 'late' | 'repaired'>
}

export function computeUpload(input: UploadInput): UploadDocument {
  const { record, hot, standing } = input
  const receivedBytes = Math.max(record.receivedBytes, hot?.receivedBytes ?? 0)
  return {
    id: record.id,
    submissionId: record.submissionId,
    slot: record.slot,
    revision: input.revision ?? record.revision,
    state: record.state,
    accepted: isAccepted(record.state),
    playable: isAccepted(record.state) && record.renditions.some(isPlayable),
    superseded: input.superseded,
    sequence: record.sequence,
    declared: record.declared,
    receivedBytes,
    createdAt: record.createdAt,
    storedAt: record.storedAt,
    ...(record.mediaRemovedAt === undefined ? {} : { mediaRemovedAt: record.mediaRemovedAt }),
    late: standing?.late ?? record.late,
    repaired: standing?.repaired ?? false,
    sha256: record.sha256,
    progress: { ...defaultProgress(record, receivedBytes), ...input.progress },
    measured: record.measured,
    checks: record.checks,
    problems: record.problems,
    renditions: record.renditions.map((rendition) => renditionDocument(rendition, record.state)),
    error: record.error,
  }
}

/** A poster shows, but does not play. */
function isPlayable(rendition: Rendition): boolean {
  return rendition.state === 'ready' && rendition.kind !== 'poster'
}

/**
 * Without its key in the store. Renditions not made before the upload was rejected (by its
 * inspection) are not shown as waiting; the record keeps them, since a changed profile may accept the file again.
 */
function renditionDocument(
  { key: _key, contentType: _type, ...shown }: Rendition,
  upload: UploadFacts['state'],
): RenditionDocument {
  const isDue = shown.state === 'waiting' || shown.state === 'running'
  return isDue && ENDED_STATES.includes(upload)
    ? { ...shown, state: 'skipped', reason: `UPLOAD_${upload.toUpperCase()}` }
    : shown
}

function defaultProgress({ state, declared }: UploadFacts, receivedBytes: number): UploadProgress {
  const at = (step: UploadProgress['step'], percent: number | null): UploadProgress => ({
    step,
    percent,
    etaSeconds: null,
    queuePosition: null,
  })
  switch (state) {
    case 'receiving':
      return at('receive', share(receivedBytes, declared.bytes))
    case 'stored':
    case 'checking':
    case 'failed':
      return at('validate', null)
    case 'accepted':
      return at('transcode', null)
    case 'ready':
    case 'rejected':
      return at('done', 100)
    case 'expired':
    case 'cancelled':
      return at('done', null)
  }
}

/** Per cent, rounded down: 100 means complete. */
function share(receivedBytes: number, declaredBytes: number | null): number | null {
  if (declaredBytes === null) return null
  return declaredBytes === 0 ? 100 : Math.min(100, Math.floor((receivedBytes / declaredBytes) * 100))
}
