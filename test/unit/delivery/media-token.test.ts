import { createHmac } from 'node:crypto'
import { describe, expect, it } from 'vitest'
import { isMarkOf, personMark } from '../../../src/auth/link-session.ts'
import { newUploadId } from '../../../src/core/ids.ts'
import { type MediaClaims, openMediaToken, signMediaToken } from '../../../src/delivery/media-token.ts'
import { objectKeys } from '../../../src/records/keys.ts'

const OLD = 'the secret of last year, long enough'
const NEW = 'the secret of this year, long enough'
const id = newUploadId('portal', 'S-1', [NEW])
const NOW = Date.parse('2026-11-21T10:00:00Z')
const claims: MediaClaims = {
  uploadId: id,
  name: '720p',
  key: objectKeys.rendition(id, 'token', '720p.mp4'),
  expiresAtSeconds: NOW / 1000 + 60,
  contentType: 'video/mp4',
  bytes: 123_456_789_012,
  fileName: 'การสอน-720p.mp4',
  download: false,
  session: null,
}
const code = (open: () => unknown) => {
  try {
    return open()
  } catch (error) {
    return (error as { code?: string }).code
  }
}

describe('a media token', () => {
  it('carries its claims through, and outlives a change of the secret', () => {
    const token = signMediaToken(claims, [OLD])
    expect(token).toMatch(/^[\w-]+\.[\w-]{22}$/)
    expect(openMediaToken(token, [OLD], NOW)).toEqual(claims)
    expect(openMediaToken(token, [NEW, OLD], NOW)).toEqual(claims)
    expect(code(() => openMediaToken(token, [NEW], NOW))).toBe('LINK_INVALID')
  })

  it('ends to the second', () => {
    const token = signMediaToken(claims, [NEW])
    expect(code(() => openMediaToken(token, [NEW], NOW + 59_999))).toEqual(claims)
    expect(code(() => openMediaToken(token, [NEW], NOW + 60_000))).toBe('LINK_EXPIRED')
  })

  it('is refused when any character of it was changed, before its age is looked at', () => {
    const token = signMediaToken({ ...claims, expiresAtSeconds: 1 }, [NEW])
    expect(code(() => openMediaToken(token, [NEW], NOW))).toBe('LINK_EXPIRED')
    for (let i = 0; i < token.length; i++) {
      const other = token[i] === 'A' ? 'B' : 'A'
      const forged = token.slice(0, i) + other + token.slice(i + 1)
      // The last character of 16 bytes in base64 has four bits to spare.
      const same = Buffer.from(forged.split('.')[1] ?? '', 'base64url').equals(
        Buffer.from(token.split('.')[1] ?? '', 'base64url'),
      )
      if (same && i === token.length - 1) continue
      expect(code(() => openMediaToken(forged, [NEW], NOW))).toBe('LINK_INVALID')
    }
  })

  it.each(['', '.', 'x', 'x.y', `${'a'.repeat(22)}.`, '.AAAAAAAAAAAAAAAAAAAAAA'])('is not %j', (token) => {
    expect(code(() => openMediaToken(token, [NEW], NOW))).toBe('LINK_INVALID')
  })

  it('is never made for an object that is not the upload’s', () => {
    const key = objectKeys.data(newUploadId('portal', 'S-2', [NEW]))
    expect(() => signMediaToken({ ...claims, key }, [NEW])).toThrow('is not of upload')
  })

  it('of a version before keys were derived is good until it ends, and is still made beside one', () => {
    const text = openMediaToken(signMediaToken(claims, [OLD], false), [NEW, OLD], NOW)
    expect(text).toEqual(claims)
    const payload = signMediaToken(claims, [OLD], false).split('.')[0] ?? ''
    const mac = createHmac('sha256', `media-link:${OLD}`).update(payload).digest().subarray(0, 16).toString('base64url')
    expect(openMediaToken(`${payload}.${mac}`, [OLD], NOW)).toEqual(claims)
  })

  it('names its session, and the person by a mark that says nothing', () => {
    const person = personMark('ครู 1', [OLD])
    const session = { owner: 'portal', submission: 'S-1', id: 'a'.repeat(24), revocations: 2, person }
    expect(openMediaToken(signMediaToken({ ...claims, session }, [OLD]), [OLD], NOW).session).toEqual(session)
    expect(isMarkOf(person, 'ครู 1', [NEW, OLD])).toBe(true)
    expect(isMarkOf(person, 'ครู 2', [NEW, OLD])).toBe(false)
    expect(isMarkOf(person, 'ครู 1', [NEW])).toBe(false)
  })
})
