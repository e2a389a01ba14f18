// Bytes to upload: they begin as their kind does and go on without repeating, so that a part in the wrong place, missing
// or twice changes the hash.

import { createCipheriv, createHash } from 'node:crypto'

/** `length` bytes that follow from `seed` alone (AES-CTR of zeros). */
export function noise(length: number, seed: string): Buffer {
  const key = createHash('sha256').update(seed).digest()
  return createCipheriv('aes-256-ctr', key, Buffer.alloc(16)).update(Buffer.alloc(length))
}

/** Begins like a PDF; no reader would open it. */
export function pdfBytes(length: number, seed = 'pdf'): Buffer {
  return begun(Buffer.from('%PDF-1.7\n%\xe2\xe3\xcf\xd3\n', 'latin1'), length, seed)
}

/** Begins like an MP4; no player would play it. */
export function filmBytes(length: number, seed = 'film'): Buffer {
  const ftyp = Buffer.from('\0\0\0\x18ftypisom\0\0\x02\0isommp42', 'latin1')
  return begun(ftyp, length, seed)
}

function begun(start: Buffer, length: number, seed: string): Buffer {
  const bytes = noise(length, seed)
  start.copy(bytes)
  return bytes
}

export function sha256(bytes: Buffer): string {
  return createHash('sha256').update(bytes).digest('hex')
}
