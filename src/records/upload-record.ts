// The upload record: what is true about one upload, as an immutable numbered version in the object store.
// Only `records/` writes it; everybody else decides on a copy and commits the next version.

import type { Bilingual } from '../core/errors.ts'
import type { NextVersion } from './version-log.ts'

/**
 * receiving → stored → checking → accepted → ready, or → rejected (the file breaks a rule), or failed (our fault,
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

export type MediaKind = 'video' | 'pdf' | 'image' | 'audio' | 'other'

/** A hole in a recording: when it begins, as it is played, and how long it lasts. */
export type Gap = { startSeconds: number; seconds: number }

/** What was measured from the bytes. Claims (headers, names, declared types) are kept apart and decide nothing. */
export type Measured = {
  kind: MediaKind
  /** mp4 mov matroska webm avi mpegts pdf … */
  container: string
  durationSeconds?: number
  /** What the container's header claims. */
  headerDurationSeconds?: number
  /** With the edit list honoured (MP4, MOV). */
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
  /** Of the picture and the sound that are shown: numbers of their streams as the tools count them, from 0. */
  videoStream?: number
  audioStream?: number
  videoDurationSeconds?: number
  audioDurationSeconds?: number
  /** When they begin, from the earlier of both; absent: at once. */
  videoStartSeconds?: number
  audioStartSeconds?: number
  /** `videoCodec` or `audioCodec` is one that nothing here decodes, and there is no other picture or sound. */
  videoUnknown?: boolean
  audioUnknown?: boolean
  /** The sound has packets and not one of them decodes, and there is no other sound. */
  audioDamaged?: boolean
  /** The recording breaks off in the middle of something, and nothing tells how long it should have been. */
  tornEnd?: boolean
  /** Parts of a recording with neither picture nor sound in them, or with nothing that can be decoded. */
  gaps?: Gap[]
  /** The index (moov) lies before the media, so that playing can start at once. */
  indexFirst?: boolean
  /** False: the index speaks of bytes that are not there. */
  complete?: boolean
  fragmented?: boolean
  pages?: number
  encrypted?: boolean
  /** Names of active content found in a PDF: JAVASCRIPT, LAUNCH, EMBEDDED_FILE, … */
  activeContent?: string[]
  /** Numbers of pages of a PDF that are written with errors and shown all the same; some of them, where there are many. */
  flawedPages?: number[]
  /** Numbers of pages of a PDF that no viewer draws. */
  undrawnPages?: number[]
  /** A small PDF that takes many seconds to open, by what it unpacks to. */
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
  /** This rendition stands for the upload where its container could not be kept (a phone's MOV, MKV, WebM). */
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

/** Where the bytes lie. Parts are listed until the object is one object. */
export type StoredPart = {
  /** 1-based; a part's place follows from its offset. */
  number: number
  offset: number
  bytes: number
  etag?: string
  /** Base64, of a part of a multipart upload: S3 wants it named when the parts are joined. */
  crc32?: string
  /** Object or file of its own (a tail, a segment, a partial upload); absent: a part of the multipart upload. */
  key?: string
}

export type StoredObject = {
  key: string
  /** S3: the multipart upload that is still to be completed. */
  multipartId?: string
  partBytes?: number
  /** Present until completion has made one object of them. */
  parts?: StoredPart[]
}

export type LaneName = 'validate' | 'inspect' | 'transcode'

/** A lane's progress on one upload. `token` fences: only the holder of the claim may commit the lane's result. */
export type LaneState = {
  generation: number
  attempts: number
  claim?: { token: string; worker: string; until: string }
  doneAt?: string
  /** Set when the lane gave up: our fault, kept and retried by hand or by the reconciler after a pause. */
  failedAt?: string
  lastError?: string
  /** Runs that ended without a word: their worker was killed, or lost its lock. */
  deaths?: number
  /** Given up for good: only an operator begins it again. */
  final?: true
  /** The bytes were read before; only what the file is compared with has changed. */
  repeat?: true
}

export type UploadRecord = {
  schema: 1
  /** 1, 2, 3 …: the number in the object's name. */
  version: number
  /** Random per commit: a refusal over my own nonce is my success. */
  nonce: string
  committedAt: string

  id: string
  owner: string
  submissionId: string | null
  slot: string | null
  revision: number
  subject: string | null
  replaces: string | null

  state: UploadState
  /** Rises per submission; orders events. */
  sequence: number
  /** The event that this version stands for, if any: `upload.stored`, … */
  event: string | null

  declared: { filename: string | null; type: string | null; bytes: number | null }
  metadata: Record<string, string | null>
  /** Upload-Metadata as it came, where the parsed values would not give it back. */
  rawMetadata?: string | undefined
  fingerprint: string | null
  /** Concatenation: a partial belongs to no place of its own; a final lists its partials. */
  concat:
    | { kind: 'partial' /** The upload that has taken it. */; final?: string }
    | { kind: 'final'; partials: string[] /** As it came, for HEAD. */; header: string }
    | null
  /** What the place allows: the bound for a deferred length, and what the bytes may turn out to be (empty: anything). */
  maxBytes: number
  kinds: string[]

  object: StoredObject
  receivedBytes: number
  createdAt: string
  /** Server time of the last stored byte: what credit is given for. */
  storedAt: string | null
  late: boolean

  sha256: string | null
  measured: Measured | null
  checks: Check[]
  problems: FileProblem[]
  renditions: Rendition[]
  lanes: Partial<Record<LaneName, LaneState>>
  error: { code: string; retryable: boolean } | null
  /** Retention has taken the media away: nobody is promised them from here on; the record stays. */
  mediaRemovedAt?: string
  /** Their bytes are gone; until it says so, whoever removes them may have died. */
  mediaErasedAt?: string
}

/** A lane that is done without a run was closed by a former version on a refusal: nobody has looked at the file. */
export function isLaneDone(state: LaneState | undefined): boolean {
  return state?.doneAt !== undefined && state.attempts > 0
}

declare const transition: unique symbol

/** The next version of a record. Only src/lifecycle/transitions.ts makes it: one put together by hand does not compile. */
export type NextUpload = NextVersion<UploadRecord> & { readonly [transition]: true }

/** No further work of ours is due on an upload in one of these states, once its lanes are done. */
export const ENDED_STATES: readonly UploadState[] = ['rejected', 'expired', 'cancelled']

/** The upload has all its bytes and has not been taken away. */
export function isStored(state: UploadState): boolean {
  return state === 'stored' || state === 'checking' || isAccepted(state) || state === 'rejected' || state === 'failed'
}

/** Taken away: only its record stays. */
export function isEnded(state: UploadState): state is 'expired' | 'cancelled' {
  return state === 'expired' || state === 'cancelled'
}

/** Counts for the submission, whatever becomes of the renditions. */
export function isAccepted(state: UploadState): boolean {
  return state === 'accepted' || state === 'ready'
}
