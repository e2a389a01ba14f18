// A file as an upload reads it: its length, and any range of it, repeatedly.

import { createReadStream } from 'node:fs'
import { stat } from 'node:fs/promises'

export const CHUNK_BYTES = 64 * 1024

export type Source = {
  bytes: number
  /** From `start` up to, not including, `end`. */
  chunks(start: number, end: number): AsyncIterable<Buffer>
}

export async function fileSource(path: string): Promise<Source> {
  const { size } = await stat(path)
  return {
    bytes: size,
    chunks: (start, end) => createReadStream(path, { start, end: end - 1, highWaterMark: CHUNK_BYTES }),
  }
}
