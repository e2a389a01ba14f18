// What is uploaded. Servers may sniff content or check declared types, so the default is the beginning of
// a valid MP4: an `ftyp` box, then an `mdat` box of size 0 ("to the end of the file"), then filler whose
// every byte depends on its position, so that a lost, duplicated or swapped byte is found when read back.
import { readFileSync } from 'node:fs'

export interface Payload {
  /** Bytes [from, to). `variant` changes the filler but not the first KiB, which servers may sniff. */
  bytes(from: number, to: number, variant?: number): Buffer
  /** Value of Upload-Metadata; empty: the header is not sent. */
  readonly metadata: string
  readonly description: string
}

const sniffedBytes = 1024

export const mp4Metadata = [
  `filename ${Buffer.from('conformance.mp4').toString('base64')}`,
  `filetype ${Buffer.from('video/mp4').toString('base64')}`,
].join(',')

function mp4Start(): Buffer {
  const brands = Buffer.from('isom\0\0\x02\0isomiso2avc1mp41', 'latin1')
  const ftyp = Buffer.concat([Buffer.from([0, 0, 0, brands.length + 8]), Buffer.from('ftyp'), brands])
  return Buffer.concat([ftyp, Buffer.from([0, 0, 0, 0]), Buffer.from('mdat')])
}

/**
 * `bodyFile` gives the leading bytes instead of the MP4 start; a longer upload is padded with filler.
 * Throws where the file cannot be read.
 */
export function createPayload(options: { bodyFile?: string; metadata?: string } = {}): Payload {
  const start = options.bodyFile === undefined ? mp4Start() : readFileSync(options.bodyFile)
  const kept = Math.max(sniffedBytes, Math.min(start.length, 64 * sniffedBytes))
  return {
    metadata: options.metadata ?? mp4Metadata,
    description: options.bodyFile ?? 'start of an MP4 (ftyp, mdat, filler)',
    bytes(from, to, variant = 0) {
      const out = Buffer.allocUnsafe(to - from)
      for (let position = from; position < to; position += 1) {
        const plain = start[position] ?? fillerByte(position)
        out[position - from] = position < kept ? plain : plain ^ (variant & 0xff)
      }
      return out
    },
  }
}

/** Mixes the position so that neither neighbours nor bytes one page apart are alike. */
function fillerByte(position: number): number {
  const mixed = Math.imul(position + 1, 0x9e3779b1)
  return (mixed ^ (mixed >>> 15)) >>> 24
}
