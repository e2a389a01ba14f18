// The data path of the reference server: a request's body into an upload, with checksums and take-over.
import type { IncomingMessage } from 'node:http'
import { digest } from '../../../tools/conformance/digests.ts'
import type { Fault } from './faults.ts'
import type { MemoryUpload } from './memory-uploads.ts'

export const algorithms = ['sha1', 'sha256', 'md5', 'crc32', 'crc32c']

/** 'cut': another request took the upload over, or the client is gone; there is nobody to answer. */
export type Received = 'stored' | 'too long' | 'unknown algorithm' | 'mismatch' | 'cut'

/**
 * Appends the body as it arrives, or as a whole when a checksum comes with it. A newer request for the same
 * upload ends this one.
 */
export async function receiveBody(
  request: IncomingMessage,
  upload: MemoryUpload,
  faults: ReadonlySet<Fault>,
): Promise<Received> {
  const start = upload.offset ?? 0
  const declared = checksumOf(request.headers['upload-checksum'])
  if (declared === 'unusable' || (declared && !usable(declared.algorithm, faults))) {
    if (faults.has('keeps bytes of a mismatch')) for await (const chunk of request) upload.append(chunk)
    return 'unknown algorithm'
  }
  const whole = declared !== undefined || /upload-checksum/i.test(String(request.headers.trailer ?? ''))
  if (!faults.has('mixes concurrent requests')) upload.writer?.cut()
  const writer = { cut: () => void request.destroy() }
  upload.writer = writer
  const gathered: Buffer[] = []
  let room = (upload.length ?? Number.MAX_SAFE_INTEGER) - start
  try {
    for await (const chunk of request as AsyncIterable<Buffer>) {
      if (upload.writer !== writer && !faults.has('mixes concurrent requests')) return 'cut'
      if (chunk.length > room) return 'too long'
      room -= chunk.length
      if (whole) gathered.push(chunk)
      else if (!faults.has('stores nothing')) upload.append(chunk)
    }
  } catch {
    // The connection broke: what came before it is stored, and no answer can be given.
    if (faults.has('forgets broken requests')) upload.truncate(start)
    return 'cut'
  } finally {
    if (upload.writer === writer) upload.writer = undefined
  }
  if (!whole) return 'stored'
  const body = Buffer.concat(gathered)
  const sum = declared ?? checksumOf(request.trailers['upload-checksum'])
  const fits = sum === undefined || (sum !== 'unusable' && digest(sum.algorithm, body) === sum.value)
  if (fits || faults.has('verifies no checksum') || faults.has('keeps bytes of a mismatch')) upload.append(body)
  return fits || faults.has('verifies no checksum') ? 'stored' : 'mismatch'
}

function usable(algorithm: string, faults: ReadonlySet<Fault>): boolean {
  return algorithms.includes(algorithm) && !(algorithm === 'sha1' && faults.has('refuses sha1'))
}

function checksumOf(
  value: string | string[] | undefined,
): { algorithm: string; value: string } | 'unusable' | undefined {
  if (value === undefined) return undefined
  const match = /^([a-z0-9-]+) ([A-Za-z0-9+/]+={0,2})$/.exec(String(value))
  return match ? { algorithm: match[1] ?? '', value: match[2] ?? '' } : 'unusable'
}
