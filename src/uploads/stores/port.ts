// The interface of upload stores: local directory and S3.
// An upload is written by one Sink at a time, whose fence decides whether its progress counts.

import type { StoredPart, UploadRecord } from '../../records/upload-record.ts'
import type { UploadDraft, UploadSession } from '../../records/upload-session.ts'

/** Saves progress to Redis and, if it must be durable, commits it to the record. Throws UPLOAD_TAKEN_OVER if the fence is lost. */
export interface Ledger {
  /** Bytes up to `offset` are durable and contiguous. */
  advance(offset: number, change?: LedgerChange): Promise<void>
  /** S3: marks a part as in flight, before it is sent. */
  markInFlight(partNumber: number): Promise<void>
  /**
   * All bytes are durable. Commits the record `stored`. `single` is the key of an object that contains the record
   * as metadata (see `singleRecord`); then no other record is written.
   */
  complete(object: FinishedObject): Promise<void>
  /** True while the upload has no record, so that a small file can contain its own record. */
  readonly unrecorded: boolean
  /** The counted parts, in order. */
  parts(): Promise<StoredPart[]>
  /** The record for the metadata of a single-object upload, committed by creating that object. */
  singleRecord(key: string): Promise<UploadRecord>
}

export type LedgerChange = {
  multipartId?: string
  tailKey?: string | null
  parts?: StoredPart[]
  clearInFlight?: boolean
}

export type FinishedObject =
  | { kind: 'object'; key: string }
  /** Separate objects, to be joined by completion. */
  | { kind: 'pieces'; key: string; parts: StoredPart[] }
  | { kind: 'multipart'; key: string; multipartId: string; partBytes: number; parts: StoredPart[] }
  | { kind: 'single'; record: UploadRecord }

/** Writes the bytes of one request. Calls never overlap. */
export interface Sink {
  /** Offset of the next byte, after everything passed to `write`. */
  readonly position: number
  /** The durable offset, which may be acknowledged. */
  readonly durable: number
  /**
   * Takes chunks in order, reserved in the byte budget. Releases them with `ByteBudget.releaseChunks` when they are stored, and
   * not before: their memory is used again then. Resolves when more can be written.
   */
  write(chunks: Buffer[], bytes: number): Promise<void>
  /** Makes all written bytes durable and saves the progress. */
  flush(): Promise<void>
  /** All bytes of the upload have been written: makes them durable and commits the upload as stored. */
  complete(): Promise<void>
  /** Closes files and releases buffers; nothing more is stored. */
  close(): Promise<void>
}

/**
 * Input of a recovery. `formerHolder`: the channel of a holder that did not release the lock; it may still be writing.
 * `tailKey`: as acknowledged (null: there is none); undefined where Redis may have lost it.
 */
export type Known = {
  multipartId: string | null
  partBytes: number
  formerHolder: string | null
  tailKey?: string | null
}

/** The store has aborted the upload; its parts are gone. */
export class PartsLost extends Error {}

/** The state of an unfinished upload in the store. */
export type Recovered = {
  offset: number
  multipartId: string | null
  tailKey: string | null
  parts: StoredPart[]
}

export interface UploadStore {
  readonly kind: 'local' | 's3'
  /** Size of S3 parts for an upload of this length (null: deferred); 0 where parts do not exist. */
  partBytes(size: number | null, maxBytes: number): number
  /** Opens the upload for writing at `state.offset`. */
  open(state: UploadSession, ledger: Ledger): Promise<Sink>
  /** The longest contiguous durable prefix, from the store alone; undurable bytes are made durable first. */
  recover(draft: UploadDraft, known: Known): Promise<Recovered>
  /** Removes the bytes of an upload that has ended without being stored. */
  discard(id: string, multipartId: string | null): Promise<void>
}
