// Checksums of request bodies for S3.

import { crc32 } from 'node:zlib'

/**
 * CRC-32 of a body, in base64. Without it some S3 servers keep an incomplete body of a dying client
 * as the complete object or part, filled with zeros.
 */
export function crc32Of(chunks: readonly Buffer[]): string {
  const sum = Buffer.alloc(4)
  sum.writeUInt32BE(chunks.reduce((before, chunk) => crc32(chunk, before), 0))
  return sum.toString('base64')
}
