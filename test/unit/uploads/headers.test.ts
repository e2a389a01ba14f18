// tus headers: what is let through, what is refused, and in which words.

import type { IncomingMessage, ServerResponse } from 'node:http'
import { describe, expect, test } from 'vitest'
import { AppError } from '../../../src/core/errors.ts'
import { parseChecksum } from '../../../src/uploads/checksum.ts'
import { checkHeaders, MAX_METADATA_BYTES, TusRequest } from '../../../src/uploads/tus-request.ts'
import type { TusMethod } from '../../../src/uploads/tus-words.ts'

function refusal(method: TusMethod, headers: Record<string, string>): string | undefined {
  const raw = { headers: { 'tus-resumable': '1.0.0', ...headers } } as unknown as IncomingMessage
  const request = new TusRequest(raw, {} as ServerResponse, { method, id: 'a', baseUrl: 'http://x' })
  try {
    checkHeaders(request)
    return undefined
  } catch (error) {
    if (error instanceof AppError) return error.code
    throw error
  }
}

const patch = { 'content-type': 'application/offset+octet-stream', 'upload-offset': '0' }

test.each(['-1', '1.5', '0x10', '+1', '', ' 1', '01', '1e3', '9007199254740992', '9'.repeat(40)])(
  'an offset of %j is no offset',
  (value) => {
    expect(refusal('PATCH', { ...patch, 'upload-offset': value })).toBe('TUS_HEADER_INVALID')
    expect(refusal('POST', { 'upload-length': value })).toBe('TUS_HEADER_INVALID')
  },
)

test('0 and the largest safe integer are', () => {
  for (const value of ['0', '1', '9007199254740991'])
    expect(refusal('PATCH', { ...patch, 'upload-offset': value })).toBeUndefined()
})

test('a PATCH needs its type, in any case, and its offset', () => {
  expect(refusal('PATCH', { ...patch, 'content-type': 'Application/Offset+Octet-Stream' })).toBeUndefined()
  expect(refusal('PATCH', { ...patch, 'content-type': 'text/plain' })).toBe('MEDIA_TYPE_UNSUPPORTED')
  expect(refusal('PATCH', { 'content-type': patch['content-type'] })).toBe('TUS_HEADER_INVALID')
})

test('another version is refused, but not for OPTIONS', () => {
  expect(refusal('POST', { 'tus-resumable': '0.2.2' })).toBe('TUS_VERSION_UNSUPPORTED')
  expect(refusal('OPTIONS', { 'tus-resumable': '0.2.2' })).toBeUndefined()
})

test('metadata is bounded', () => {
  expect(refusal('POST', { 'upload-length': '1', 'upload-metadata': 'a'.repeat(MAX_METADATA_BYTES) })).toBeUndefined()
  expect(refusal('POST', { 'upload-metadata': 'a'.repeat(MAX_METADATA_BYTES + 1) })).toBe('METADATA_TOO_LARGE')
})

describe('Upload-Checksum', () => {
  const digest = Buffer.alloc(20, 1).toString('base64')
  const code = (header: string) => {
    try {
      return parseChecksum(header).algorithm
    } catch (error) {
      return (error as AppError).code
    }
  }

  test('names an algorithm and a digest of its length', () => {
    expect(parseChecksum(`sha1 ${digest}`)).toEqual({ algorithm: 'sha1', digest: Buffer.alloc(20, 1) })
    expect(code(`sha256 ${Buffer.alloc(32).toString('base64')}`)).toBe('sha256')
    expect(code(`crc32c ${Buffer.alloc(4).toString('base64')}`)).toBe('crc32c')
  })

  test.each([
    [`md5 ${digest}`, 'CHECKSUM_UNSUPPORTED'],
    [`sha256 ${digest}`, 'TUS_HEADER_INVALID'],
    ['sha1', 'TUS_HEADER_INVALID'],
    ['sha1 ***', 'TUS_HEADER_INVALID'],
    [`sha1 ${digest} more`, 'TUS_HEADER_INVALID'],
    ['', 'TUS_HEADER_INVALID'],
  ])('%j: %s', (header, expected) => {
    expect(code(header)).toBe(expected)
  })
})
