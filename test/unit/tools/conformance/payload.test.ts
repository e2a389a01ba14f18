import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { digest } from '../../../../tools/conformance/digests.ts'
import { createPayload } from '../../../../tools/conformance/payload.ts'

describe('the payload', () => {
  const payload = createPayload()

  it('begins like an MP4: ftyp, then an mdat box to the end of the file', () => {
    const bytes = payload.bytes(0, 64)
    const size = bytes.readUInt32BE(0)
    expect(bytes.subarray(4, 12).toString('latin1')).toBe('ftypisom')
    expect(bytes.readUInt32BE(size)).toBe(0)
    expect(bytes.subarray(size + 4, size + 8).toString('latin1')).toBe('mdat')
  })

  it('gives the same bytes however it is cut', () => {
    const parts = [payload.bytes(0, 777), payload.bytes(777, 1500), payload.bytes(1500, 5000)]
    expect(Buffer.concat(parts).equals(payload.bytes(0, 5000))).toBe(true)
  })

  it('differs from place to place and between variants, but not in its first KiB', () => {
    expect(payload.bytes(2048, 4096).equals(payload.bytes(4096, 6144))).toBe(false)
    expect(payload.bytes(1024, 2048, 1).equals(payload.bytes(1024, 2048))).toBe(false)
    expect(payload.bytes(0, 1024, 1).equals(payload.bytes(0, 1024))).toBe(true)
  })

  it('begins with a given file', () => {
    const directory = mkdtempSync(join(tmpdir(), 'payload-'))
    try {
      writeFileSync(join(directory, 'a.pdf'), '%PDF-1.7 something')
      const own = createPayload({ bodyFile: join(directory, 'a.pdf'), metadata: 'filename YS5wZGY=' })
      expect(own.bytes(0, 18).toString()).toBe('%PDF-1.7 something')
      expect(own.bytes(0, 4096)).toHaveLength(4096)
      expect(own.metadata).toBe('filename YS5wZGY=')
    } finally {
      rmSync(directory, { recursive: true })
    }
  })
})

describe('digest', () => {
  it('agrees with the example of the protocol and with the check values of the CRCs', () => {
    expect(digest('sha1', Buffer.from('hello world'))).toBe('Kq5sNclPz7QV2+lfQIuc6R7oRu0=')
    expect(digest('crc32', Buffer.from('123456789'))).toBe(Buffer.from('cbf43926', 'hex').toString('base64'))
    expect(digest('crc32c', Buffer.from('123456789'))).toBe(Buffer.from('e3069283', 'hex').toString('base64'))
    expect(digest('nosuch', Buffer.from('a'))).toBeUndefined()
  })
})
