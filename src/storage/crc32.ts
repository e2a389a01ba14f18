// The sum that S3 checks what we send by.

import { crc32 } from 'node:zlib'

/**
 * CRC-32 of a body, in base64 as S3 takes it. There are S3 servers that keep what a dying client had sent of an object
 * or a part as the whole of it, filled up with zeros; whoever goes on would count it.
 */
export function crc32Of(chunks: readonly Buffer[]): string {
  const sum = Buffer.alloc(4)
  sum.writeUInt32BE(chunks.reduce((before, chunk) => crc32(chunk, before), 0))
  return sum.toString('base64')
}
