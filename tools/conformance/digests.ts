// Checksums of a body by the names that servers announce.
import { createHash, getHashes } from 'node:crypto'

/**
 * Base64 of the digest, or undefined for a name that is not known here. The protocol fixes only `sha1`;
 * for CRCs the common form is used: four bytes, big-endian.
 */
export function digest(algorithm: string, body: Buffer): string | undefined {
  const name = algorithm.toLowerCase()
  const plain = name.replaceAll('-', '')
  if (plain === 'crc32') return crc(body, 0xedb88320)
  if (plain === 'crc32c') return crc(body, 0x82f63b78)
  const known = [name, plain].find((candidate) => getHashes().includes(candidate))
  return known === undefined ? undefined : createHash(known).update(body).digest('base64')
}

/** Whether the protocol or common use leaves no doubt about how the digest is written. */
export function isUnambiguous(algorithm: string): boolean {
  return /^(md5|sha-?1|sha-?(224|256|384|512))$/.test(algorithm)
}

function crc(body: Buffer, reversedPolynomial: number): string {
  let value = 0xffffffff
  for (const byte of body) {
    value ^= byte
    for (let bit = 0; bit < 8; bit += 1) {
      value = (value >>> 1) ^ (value & 1 ? reversedPolynomial : 0)
    }
  }
  const out = Buffer.alloc(4)
  out.writeUInt32BE(~value >>> 0)
  return out.toString('base64')
}
