// The upload document: what a portal and a page see of one upload. Computed from its record, and from hot state while
// bytes are still coming. Pure.

import { ENDED_STATES, isAccepted, type Rendition, type UploadRecord } from '../../records/upload-record.ts'
import type { Progress, RenditionDocument, UploadDocument } from './schemas.ts'
import type { Timeliness } from './timeliness.ts'

/** A record fits as it is; an upload without one is described by the same members, taken from hot state. */
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
  /** What the worker reports; default: what the state says. */
  progress?: Partial<Progress>
  superseded: boolean
  /** The revision it belongs to now, where it was carried over; default: the one it was made in. */
  revision?: number
  /** Against the present dates (`timelinessOf`); default: `late` as recorded. */
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
 * Where it lies in the store is nobody's business outside. What was not made before the upload was rejected, as its
 * inspection may, is waited for in vain: the record keeps it as planned, since a changed profile may accept the file again.
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

function defaultProgress({ state, declared }: UploadFacts, receivedBytes: number): Progress {
  const at = (step: Progress['step'], percent: number | null): Progress => ({
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

/** Whole per cent, rounded down: 100 is for what is all here. */
function share(receivedBytes: number, declaredBytes: number | null): number | null {
  if (declaredBytes === null) return null
  return declaredBytes === 0 ? 100 : Math.min(100, Math.floor((receivedBytes / declaredBytes) * 100))
}
