// The object store port: what the rest of the house may ask of a place that keeps bytes.
// Two kinds exist, a local directory and S3. `createIfAbsent` is the one primitive every record rests on.

import type { Readable } from 'node:stream'

export type ObjectInfo = { key: string; bytes: number; modifiedAtMs: number }

export type PendingMultipartUpload = { key: string; multipartId: string; begunAtMs: number }

/** Inclusive byte positions, as in RFC 9110 Range. */
export type ByteRange = { start: number; end: number }

/** Pieces that become one object: parts of a multipart upload (with `etag` and `crc32`), or objects of their own (`key`). */
export type Piece = {
  number: number
  offset: number
  bytes: number
  etag?: string
  crc32?: string
  key?: string
}

/** The parts of an object are gone, and there is no object: the store has let go of them by itself. */
export class PiecesLost extends Error {
  override readonly name = 'PiecesLost'
}

export interface ObjectStore {
  readonly kind: 'local' | 's3'
  /**
   * Creates a small object that must not exist yet. True: created, durable. False: it existed, untouched.
   * Of any number of concurrent callers exactly one gets true (O_EXCL with link(2), or `If-None-Match: *`).
   */
  createIfAbsent(key: string, body: Buffer): Promise<boolean>
  /** Whole small object, or undefined where there is none. */
  read(key: string): Promise<Buffer | undefined>
  /** Size, and user metadata where the store keeps it (S3), or undefined where there is none. */
  head(key: string): Promise<{ bytes: number; metadata: Record<string, string> } | undefined>
  /** A stream over the object or an inclusive range of it. Rejects with code STORE_UNAVAILABLE, or UPLOAD_UNKNOWN where it is missing. */
  open(key: string, range?: ByteRange): Promise<Readable>
  /** At most `length` bytes from `position`; fewer at the end. */
  readAt(key: string, position: number, length: number): Promise<Buffer>
  /** Publishes a finished local file under a fresh key; the file may be moved away. Durable when it resolves. */
  publish(key: string, path: string, contentType: string): Promise<void>
  /** Everything under a prefix that ends in `/`, in key order, optionally only keys greater than `after`. */
  list(prefix: string, after?: string): AsyncIterable<ObjectInfo>
  /**
   * Makes one object of `pieces`, in order. Idempotent: where the object already stands with the right size, done.
   * With `multipartId` the pieces are parts of that S3 multipart upload; one with a `key` is sent into it first.
   * Rejects with PiecesLost in a bucket where neither they nor the object are to be found: for good, or while another
   * call is still at it.
   */
  assemble(key: string, pieces: Piece[], multipartId: string | undefined): Promise<void>
  /** Ends a multipart upload and frees its parts; an unknown one is no error. Nothing to do where parts do not exist. */
  abortMultipart(key: string, multipartId: string): Promise<void>
  /** Multipart uploads under a prefix that are neither complete nor aborted. None where parts do not exist. */
  begun(prefix: string): AsyncIterable<PendingMultipartUpload>
  /** Removes one object; a missing one is no error. */
  remove(key: string): Promise<void>
  /** Removes everything under a prefix that ends in `/`. */
  removeAll(prefix: string): Promise<void>
  /** Where the object lies on this machine, absolute; undefined in a bucket. It is only to be read. */
  localPath(key: string): string | undefined
  /** Bytes that may still be written, where the store can tell; undefined means no limit is known. */
  freeBytes(): Promise<number | undefined>
  /**
   * Proves at start-up that records and bytes are safe here. Rejects with a sentence for the operator; resolves with
   * sentences of what to mend though it may start.
   */
  probe(): Promise<string[]>
  close(): Promise<void>
}
