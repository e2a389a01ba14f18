// The source of a media file's bytes: a local file, or an object in a bucket read by ranges.
// All other code in this folder reads from a source. Media tools get local files only: they have no network, and a
// presigned URL that is valid for hours must not be on a command line.

import { open } from 'node:fs/promises'
import { isAbsolute } from 'node:path'
import { setImmediate as nextTurn } from 'node:timers/promises'
import type { ByteSource } from '../../src/media/mp4/top-level.ts'

export type MediaSource = ByteSource & {
  /** All bytes in order, in small pieces, for hashing and copying, so that other work of the process can run in between. */
  stream(signal?: AbortSignal): AsyncIterable<Buffer>
}

/** A source that media tools can open. */
export type LocalSource = MediaSource & { path: string }

export function isLocal(source: MediaSource): source is LocalSource {
  return source.path !== undefined
}

const STREAM_PIECE_BYTES = 1024 * 1024
const RANGE_PIECE_BYTES = 8 * 1024 * 1024
/** Hashed in about a millisecond, so that a verdict in the same process, which needs a dozen event-loop turns, is not delayed. */
const TURN_BYTES = 256 * 1024

async function* inTurns(piece: Buffer): AsyncIterable<Buffer> {
  for (let at = 0; at < piece.length; at += TURN_BYTES) {
    if (at > 0) await nextTurn()
    yield piece.subarray(at, at + TURN_BYTES)
  }
}

/**
 * A local file, which must not change while it is used (stored objects never do).
 *
 * @param path absolute
 * @throws the file system's error (ENOENT…) when it cannot be opened
 */
export async function fileSource(path: string): Promise<LocalSource> {
  if (!isAbsolute(path)) throw new TypeError(`fileSource needs an absolute path, got ${path}`)
  const handle = await open(path, 'r')
  const { size } = await handle.stat().finally(() => handle.close())
  return {
    bytes: size,
    path,
    // Opened for each read: an index needs only a few reads, and nothing stays open if a job is interrupted.
    async readAt(position, length) {
      const file = await open(path, 'r')
      try {
        return await readFully(file, position, length)
      } finally {
        await file.close()
      }
    },
    async *stream(signal) {
      const file = await open(path, 'r')
      try {
        for (let position = 0; ; ) {
          signal?.throwIfAborted()
          const piece = await readFully(file, position, STREAM_PIECE_BYTES)
          if (piece.length === 0) return
          yield* inTurns(piece)
          position += piece.length
        }
      } finally {
        await file.close()
      }
    },
  }
}

type Readable = {
  read(b: Buffer, offset: number, length: number, position: number): Promise<{ bytesRead: number }>
}

/** A single read() may return less than asked for although more follows. */
async function readFully(file: Readable, position: number, length: number): Promise<Buffer> {
  const buffer = Buffer.allocUnsafe(length)
  let filled = 0
  while (filled < length) {
    const { bytesRead } = await file.read(buffer, filled, length - filled, position + filled)
    if (bytesRead === 0) break
    filled += bytesRead
  }
  return buffer.subarray(0, filled)
}

export type RangeReader = {
  bytes: number
  /** One ranged read of the object; `length` never reaches past the end. */
  readRange(position: number, length: number, signal?: AbortSignal): Promise<Buffer>
}

/** An object in a bucket. Reads past the end are cut to what exists, as with a file. */
export function rangeSource({ bytes, readRange }: RangeReader): MediaSource {
  const readAt = async (position: number, length: number, signal?: AbortSignal): Promise<Buffer> => {
    const wanted = Math.min(length, bytes - position)
    return wanted > 0 ? await readRange(position, wanted, signal) : Buffer.alloc(0)
  }
  return {
    bytes,
    readAt: (position, length) => readAt(position, length),
    async *stream(signal) {
      for (let position = 0; position < bytes; ) {
        signal?.throwIfAborted()
        const piece = await readAt(position, RANGE_PIECE_BYTES, signal)
        // A store that returns no bytes would otherwise cause an endless loop.
        if (piece.length === 0) throw new Error(`the store gave no bytes at ${position} of ${bytes}`)
        yield* inTurns(piece)
        position += piece.length
      }
    },
  }
}
