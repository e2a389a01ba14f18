// Cheap files in memory: a start, padding from one shared block, and an end of their own.

import { createHash, type Hash } from 'node:crypto'
import { CHUNK_BYTES, type Source } from '../../lib/source.ts'
import { randomFrom } from '../../surge/random.ts'

const BLOCK_BYTES = 1024 * 1024
const MARK_BYTES = 32

/** The position of the padding in a file; the bytes before and after it are given. */
export type Shape = {
  start: Buffer
  fillBytes: number
  end: Buffer /** Where in `end` the mark is written. */
  markAt: number
}

export type RehearsalFile = Source & {
  sha256: string
  /** Bytes from `position` on, at most `most` and at least one: a view, not a copy. */
  at(position: number, most: number): Buffer
}

/** Makes the files of one run; keeps the shared block and the hashes of shared beginnings. */
export class FileMaker {
  readonly #block = noise(BLOCK_BYTES)
  readonly #hashes = new Map<string, Hash>()

  /** @param name the same for the same shape, so that its hash is computed once. @param mark makes the file unique */
  file(name: string, shape: Shape, mark: string): RehearsalFile {
    const end = Buffer.from(shape.end)
    createHash('sha256').update(mark).digest().copy(end, shape.markAt, 0, MARK_BYTES)
    const hash = this.#beginning(name, shape).copy().update(end)
    const { start, fillBytes } = shape
    const bytes = start.length + fillBytes + end.length
    const at = (position: number, most: number): Buffer => {
      if (position < start.length) return start.subarray(position, position + most)
      const filled = position - start.length
      if (filled >= fillBytes) return end.subarray(filled - fillBytes, filled - fillBytes + most)
      const from = filled % BLOCK_BYTES
      return this.#block.subarray(from, Math.min(BLOCK_BYTES, from + most, from + fillBytes - filled))
    }
    return {
      bytes,
      at,
      sha256: hash.digest('hex'),
      async *chunks(from, to) {
        for (let position = from; position < to; ) {
          const chunk = at(position, Math.min(CHUNK_BYTES, to - position))
          yield chunk
          position += chunk.length
        }
      },
    }
  }

  #beginning(name: string, { start, fillBytes }: Shape): Hash {
    const known = this.#hashes.get(name)
    if (known !== undefined) return known
    const hash = createHash('sha256').update(start)
    for (let left = fillBytes; left > 0; left -= BLOCK_BYTES)
      hash.update(left < BLOCK_BYTES ? this.#block.subarray(0, left) : this.#block)
    this.#hashes.set(name, hash)
    return hash
  }
}

/** The same in every process; incompressible. */
function noise(bytes: number): Buffer {
  const random = randomFrom(7)
  const block = Buffer.alloc(bytes)
  for (let at = 0; at < bytes; at += 4) block.writeUInt32LE(Math.floor(random() * 2 ** 32), at)
  return block
}
