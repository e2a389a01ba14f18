// What the upload path asks of a place that receives bytes. Two kinds: a local directory and S3.
// An upload's bytes arrive through one Sink at a time, whose fence decides whether its commits count.

import type { StoredPart, UploadRecord } from '../../records/upload-record.ts'
import type { UploadDraft, UploadSession } from '../../records/upload-session.ts'

/** Commits progress to Redis and, where it must be durable, to the record. Throws UPLOAD_TAKEN_OVER when fenced off. */
export interface Ledger {
  /** Bytes up to `offset` are durable and contiguous. */
  advance(offset: number, change?: LedgerChange): Promise<void>
  /** S3: says that a part is on its way, before it is. */
  markInFlight(partNumber: number): Promise<void>
  /**
   * All bytes are durable. Commits the record `stored`. `single` is the key of an object that carries the record
   * itself as metadata (see `singleRecord`); then no other record is written.
   */
  complete(object: FinishedObject): Promise<void>
  /** True while the upload has no record, so that a whole small file may become its own. */
  readonly unrecorded: boolean
  /** Parts that count so far, in order. */
  parts(): Promise<StoredPart[]>
  /** The record that a single-object upload carries with it, committed by creating that object. */
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
  /** Pieces of their own, to be joined by completion. */
  | { kind: 'pieces'; key: string; parts: StoredPart[] }
  | { kind: 'multipart'; key: string; multipartId: string; partBytes: number; parts: StoredPart[] }
  | { kind: 'single'; record: UploadRecord }

/** One request's way of writing. Calls never overlap; `write` may keep the buffers until it resolves. */
export interface Sink {
  /** Position of the next byte: everything given to `write` so far. */
  readonly position: number
  /** What may be acknowledged. */
  readonly durable: number
  /** Takes chunks in order, charged to the byte budget, and gives back what it holds no longer. Resolves when more may come. */
  write(chunks: Buffer[], bytes: number): Promise<void>
  /** Makes everything written so far durable and commits it. */
  flush(): Promise<void>
  /** All bytes of the upload have been written: makes them durable and commits the upload as stored. */
  complete(): Promise<void>
  /** Lets go of files and buffers; nothing more is stored. */
  close(): Promise<void>
}

/** What a recovery is told. `formerHolder`: the channel of a holder that did not let go; it may still be writing. */
export type Known = { multipartId: string | null; partBytes: number; formerHolder: string | null }

/** The store has ended the upload by itself; what was sent into it is gone. */
export class PartsLost extends Error {}

/** What the store itself says of an unfinished upload. */
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
  /** Longest contiguous durable prefix, from the store alone; what is open ended is made durable first. */
  recover(draft: UploadDraft, known: Known): Promise<Recovered>
  /** Removes the bytes of an upload that has ended without being stored. */
  discard(id: string, multipartId: string | null): Promise<void>
}
