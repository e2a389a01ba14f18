// The interface of object stores.
// Implementations: local directory and S3. All records are based on `createIfAbsent`.

import type { Readable } from 'node:stream'

export type ObjectInfo = { key: string; bytes: number; modifiedAtMs: number }

export type PendingMultipartUpload = { key: string; multipartId: string; begunAtMs: number }

/** Inclusive byte positions, as in RFC 9110 Range. */
export type ByteRange = { start: number; end: number }

/** Pieces of one object: parts of a multipart upload (with `etag` and `crc32`), or separate objects (`key`). */
export type Piece = {
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

/** The parts of an object are gone, and there is no object: the store has let go of them by itself. */
export class PiecesLost extends Error {
  override readonly name = 'PiecesLost'
}

export interface ObjectStore {
  readonly kind: 'local' | 's3'
  /**
   * Creates a small object if it does not exist. True: created, durable. False: it exists and was not changed.
   * Of any number of concurrent callers exactly one gets true (O_EXCL with link(2), or `If-None-Match: *`).
   */
  createIfAbsent(key: string, body: Buffer): Promise<boolean>
  /** Writes a small object over the one that is there. Durable when it resolves; readers get the one or the other. */
  replace(key: string, body: Buffer): Promise<void>
  /** The content of a small object, or undefined. */
  read(key: string): Promise<Buffer | undefined>
  /** Size, and user metadata (S3), or undefined. */
  head(key: string): Promise<{ bytes: number; metadata: Record<string, string> } | undefined>
  /** A stream of the object or an inclusive range. Rejects with STORE_UNAVAILABLE, or UPLOAD_UNKNOWN if it is missing. */
  open(key: string, range?: ByteRange): Promise<Readable>
  /** At most `length` bytes from `position`; fewer at the end. */
  readAt(key: string, position: number, length: number): Promise<Buffer>
  /** Publishes a local file under a new key; the file may be moved. Durable when it resolves. */
  publish(key: string, path: string, contentType: string): Promise<void>
  /** Everything under a prefix that ends in `/`, in key order, optionally only keys greater than `after`. */
  list(prefix: string, after?: string): AsyncIterable<ObjectInfo>
  /**
   * Joins `pieces` into one object, in order. Idempotent: an existing object of the right size is a success.
   * With `multipartId` the pieces are parts of that S3 multipart upload; a piece with a `key` is uploaded to it first.
   * Rejects with PiecesLost in a bucket where neither they nor the object are to be found: for good, or while another
   * call is still at it.
   */
  assemble(key: string, pieces: Piece[], multipartId: string | undefined): Promise<void>
  /** Aborts a multipart upload; an unknown one is no error. The local store does nothing. */
  abortMultipart(key: string, multipartId: string): Promise<void>
  /** Pending multipart uploads under a prefix. None in the local store. */
  listMultipartUploads(prefix: string): AsyncIterable<PendingMultipartUpload>
  /** Removes one object; a missing one is no error. */
  remove(key: string): Promise<void>
  /** Removes everything under a prefix that ends in `/`. */
  removeAll(prefix: string): Promise<void>
  /** Absolute path of the object, read-only; undefined in a bucket. */
  localPath(key: string): string | undefined
  /** Free bytes; undefined: unknown. */
  freeBytes(): Promise<number | undefined>
  /**
   * Tests the store at start. Rejects with a message for the operator; resolves with
   * warnings.
   */
  probe(): Promise<string[]>
  close(): Promise<void>
}
