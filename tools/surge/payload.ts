// Files that need no disk: a real clip, then a `free` box of random bytes of the client's own. Players skip the box
// (ISO/IEC 14496-12, 8.1.2), every file's SHA-256 is different, and any range can be made again after a break.

import { createCipheriv, createHash } from 'node:crypto'
import { CHUNK_BYTES, type Source } from '../lib/source.ts'

const BOX_HEADER_BYTES = 8
/** Header of a box with a 32-bit length, enough for these files. */
const MAX_BOX_BYTES = 2 ** 32 - 1
const AES_BLOCK_BYTES = 16

/** @param bytes length of the complete file with the box header; at least eight more than the clip */
export function paddedClip(clip: Buffer, bytes: number, seed: number): Source {
  const boxBytes = bytes - clip.length
  if (boxBytes < BOX_HEADER_BYTES || boxBytes > MAX_BOX_BYTES)
    throw new RangeError(`a clip of ${clip.length} bytes cannot be padded to ${bytes}`)
  const header = Buffer.alloc(BOX_HEADER_BYTES)
  header.writeUInt32BE(boxBytes, 0)
  header.write('free', 4, 'latin1')
  const start = Buffer.concat([clip, header])
  return {
    bytes,
    async *chunks(from, to) {
      for (let at = from; at < to; ) {
        const end = Math.min(at + CHUNK_BYTES, to)
        yield at < start.length
          ? start.subarray(at, Math.min(end, start.length))
          : noise(seed, at - start.length, end - at)
        at = at < start.length ? Math.min(end, start.length) : end
      }
    },
  }
}

/** Bytes `position` to `position + length` of an endless stream: AES in counter mode over zeros can begin anywhere. */
function noise(seed: number, position: number, length: number): Buffer {
  const key = createHash('sha256').update(`payload ${seed}`).digest()
  const counter = Buffer.alloc(AES_BLOCK_BYTES)
  counter.writeBigUInt64BE(BigInt(Math.floor(position / AES_BLOCK_BYTES)), 8)
  const skip = position % AES_BLOCK_BYTES
  return createCipheriv('aes-256-ctr', key, counter)
    .update(Buffer.alloc(skip + length))
    .subarray(skip)
}

/** Lower-case hex, as the upload document has it. */
export async function sha256Of(source: Source): Promise<string> {
  const hash = createHash('sha256')
  for await (const chunk of source.chunks(0, source.bytes)) hash.update(chunk)
  return hash.digest('hex')
}
