// The upload record: the authoritative state of one upload, as an immutable numbered version in the object store.
// Only `records/` writes it; others work on a copy and commit the next version.

import type { Bilingual } from '../core/errors.ts'
import type { MediaKind } from '../core/identify.ts'
import type { Piece } from '../storage/object-store.ts'
import type { NextVersion } from './version-log.ts'

/**
 * receiving → stored → checking → accepted → ready, or → rejected (the file breaks a rule), or failed (system error,
 * retried), or expired | cancelled (unfinished and removed).
 */
export type UploadState =
  | 'receiving'
  | 'stored'
  | 'checking'
  | 'accepted'
  | 'ready'
  | 'rejected'
  | 'failed'
  | 'expired'
  | 'cancelled'

/** A hole in a recording: when it begins, as it is played, and how long it lasts. */
export type Gap = { startSeconds: number; seconds: number }

/** Measurements of the bytes. Declared values (headers, names, types) are kept separately and decide nothing. */
export type Measured = {
  kind: MediaKind
  /** mp4 mov matroska webm avi mpegts pdf … */
  container: string
  durationSeconds?: number
  /** Duration in the container's header. */
  headerDurationSeconds?: number
  /** Duration with the edit list applied (MP4, MOV). */
  editedDurationSeconds?: number
  width?: number
  height?: number
  /** Degrees clockwise: 0, 90, 180, 270. */
  rotation?: number
  framesPerSecond?: number
  videoCodec?: string
  audioCodec?: string
  audioChannels?: number
  audioTracks?: number
  /** Stream numbers of the selected video and audio, from 0. */
  videoStream?: number
  audioStream?: number
  videoDurationSeconds?: number
  audioDurationSeconds?: number
  /** Start of each, relative to the earlier one; absent: 0. */
  videoStartSeconds?: number
  audioStartSeconds?: number
  /** `videoCodec` or `audioCodec` cannot be decoded here, and there is no other stream of its kind. */
  videoUnknown?: boolean
  audioUnknown?: boolean
  /** The sound has packets and not one of them decodes, and there is no other sound. */
  audioDamaged?: boolean
  /** The recording is cut off, and its intended length is unknown. */
  tornEnd?: boolean
  /** Parts of a recording with neither picture nor sound in them, or with nothing that can be decoded. */
  gaps?: Gap[]
  /** The index (moov) is before the media, so playing can start at once. */
  indexFirst?: boolean
  /** False: bytes listed by the index are missing. */
  complete?: boolean
  fragmented?: boolean
  pages?: number
  encrypted?: boolean
  /** Names of active content found in a PDF: JAVASCRIPT, LAUNCH, EMBEDDED_FILE, … */
  activeContent?: string[]
  /** Page numbers with errors that viewers ignore; a limited number of them. */
  flawedPages?: number[]
  /** Page numbers that viewers cannot draw. */
  undrawnPages?: number[]
  /** A small PDF that unpacks to so much that viewers need many seconds. */
  tooComplex?: boolean
  /** Beyond our limits: not everything in the file was looked at. */
  unchecked?: boolean
  meanVolumeDb?: number
  silentSeconds?: number
  blackSeconds?: number
  frozenSeconds?: number
}

export type Severity = 'reject' | 'warn' | 'advise'

export type FileProblem = {
  code: string
  severity: Severity
  message: Bilingual
  limit?: number | string | string[]
  actual?: number | string
}

export type Check = { name: string; state: 'pending' | 'passed' | 'warned' | 'failed' }

export type Rendition = {
  name: string
  kind: 'mp4' | 'poster' | 'page'
  required: boolean
  state: 'waiting' | 'running' | 'ready' | 'skipped' | 'failed'
  /** This rendition replaces the original if its container is not accepted (MOV of phones, MKV, WebM). */
  deliverable?: boolean
  reason?: string
  key?: string
  contentType?: string
  width?: number
  height?: number
  bytes?: number
  sha256?: string
  durationSeconds?: number
}

/** Parts are listed until the object is one object. */
export type StoredPart = Piece

export type StoredObject = {
  key: string
  /** S3: the multipart upload, until it is completed. */
  multipartId?: string
  partBytes?: number
  /** Present until completion has joined them. */
  parts?: StoredPart[]
}

export type LaneName = 'validate' | 'inspect' | 'transcode'

/** The state of one lane of an upload. `claim` is the lane lease; only the holder of its `token` may commit the result. */
export type LaneState = {
  generation: number
  attempts: number
  claim?: {
    token: string
    worker: string
    until: string
    /** Of its job: how many runs the queue knew to have ended before this one. Absent in records of former versions: 0. */
    run?: number
    /** Of the worker; see processIdentity. Absent in records of former versions. */
    process?: string
    /** It is a process for this job alone. The worker that started it counts its death, unless it dies as well. */
    alone?: true
  }
  doneAt?: string
  /** Set if the lane failed by a system error; retried by the reconciler after a delay, or by an operator. */
  failedAt?: string
  lastError?: string
  /** Runs whose worker died, and runs that were left at their time limit. */
  deaths?: number
  /** Runs in a process for the job alone that died, and the worker that started it with it: perhaps they were stopped. */
  jointDeaths?: number
  /** Given up for good: only an operator can retry it. */
  final?: true
  /** The bytes were inspected before; only the comparison with other files is repeated. */
  repeat?: true
}

export type UploadRecord = {
  schema: 1
  /** 1, 2, 3 …: the number in the object's name. */
  version: number
  /** Random per commit: if the existing version has my nonce, my commit succeeded. */
  nonce: string
  committedAt: string

  id: string
  owner: string
  submissionId: string | null
  slot: string | null
  revision: number
  subject: string | null
  /** The subject as a keyed hash; absent: none, or written by a former version. */
  person?: string
  replaces: string | null

  state: UploadState
  /** Increases within a submission; orders events. */
  sequence: number
  /** W3C traceparent of the span that committed this version, or of the creation; absent: no traces. */
  trace?: string
  /** The event of this version, if any: `upload.stored`, … */
  event: string | null

  declared: { filename: string | null; type: string | null; bytes: number | null }
  metadata: Record<string, string | null>
  /** The original Upload-Metadata, if it cannot be rebuilt from the parsed values. */
  rawMetadata?: string | undefined
  fingerprint: string | null
  /** Concatenation: a partial does not count in its slot; a final lists its partials. */
  concat:
    | { kind: 'partial' /** The final upload that it belongs to. */; final?: string }
    | { kind: 'final'; partials: string[] /** The original header, for HEAD. */; header: string }
    | null
  /** Limits of the slot: maximum size, and accepted kinds (empty: any). */
  maxBytes: number
  kinds: string[]

  object: StoredObject
  receivedBytes: number
  createdAt: string
  /** Server time of the last stored byte, which counts as the time of receipt. */
  storedAt: string | null
  late: boolean

  sha256: string | null
  measured: Measured | null
  checks: Check[]
  problems: FileProblem[]
  renditions: Rendition[]
  lanes: Partial<Record<LaneName, LaneState>>
  error: { code: string; retryable: boolean } | null
  /** Retention has removed the media; the record stays. */
  mediaRemovedAt?: string
  /** The bytes are completely removed; until then the removal may have to be repeated. */
  mediaErasedAt?: string
  /** It is to be erased; what it holds about a person is still here. */
  erasing?: true
  /** A tombstone: what it held about a person is gone from it. Earlier versions may still have to be removed. */
  erasedAt?: string
}

/** A lane that is done without a run was closed by an older version after a rejection: it counts as not done. */
export function isLaneDone(state: LaneState | undefined): boolean {
  return state?.doneAt !== undefined && state.attempts > 0
}

/** An error that would be retried is cleared when no lane is failed any more. */
export function errorAfter(error: UploadRecord['error'], lanes: UploadRecord['lanes']): UploadRecord['error'] {
  const isMended = Object.values(lanes).every(({ failedAt }) => failedAt === undefined)
  return error?.retryable === true && isMended ? null : error
}

declare const transition: unique symbol

/** The next version of a record. Only src/lifecycle/transitions.ts can make it. */
export type NextUpload = NextVersion<UploadRecord> & { readonly [transition]: true }

/** States without further work, once the lanes are done. */
export const ENDED_STATES: readonly UploadState[] = ['rejected', 'expired', 'cancelled']

/** The upload is complete and was not removed. */
export function isStored(state: UploadState): boolean {
  return state === 'stored' || state === 'checking' || isAccepted(state) || state === 'rejected' || state === 'failed'
}

/** Removed: only the record stays. */
export function isEnded(state: UploadState): state is 'expired' | 'cancelled' {
  return state === 'expired' || state === 'cancelled'
}

/** Counts for the submission, independent of renditions. */
export function isAccepted(state: UploadState): boolean {
  return state === 'accepted' || state === 'ready'
}
