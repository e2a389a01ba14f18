// The page's look at a file, before a byte is sent, against what the service says of the same bytes.

import { createHash } from 'node:crypto'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { IDENTIFY_BYTES, identify as identifyHere } from '../../../src/core/identify.ts'
import { fileSource } from '../../../tools/lib/source.ts'
import { fingerprintOf as fingerprintElsewhere } from '../../../tools/try/files.ts'
import { box, FTYP, full, largeBox, u32, u64 } from '../../support/media/mp4-build.ts'
import { asset } from './assets.ts'

type Identity = { kind: string; container: string }
type Facts = { durationSeconds: number | null; picture: boolean; sound: boolean; complete: boolean }

const { identify } = await asset<{ identify: (head: Uint8Array) => Identity }>('checking/identify.js')
const { readMp4 } = await asset<{ readMp4: (file: Blob) => Promise<Facts | undefined> }>('checking/mp4.js')
const { sha256, digestHere } = await asset<{
  sha256: (bytes: Uint8Array) => Promise<string>
  digestHere: (bytes: Uint8Array) => Uint8Array
}>('checking/sha256.js')
const { fingerprintOf } = await asset<{ fingerprintOf: (file: Blob) => Promise<string> }>(
  'checking/fingerprint.js',
)

const head = (start: string) => {
  const bytes = Buffer.from(start, 'latin1')
  return Buffer.concat([bytes, Buffer.alloc(Math.max(0, IDENTIFY_BYTES - bytes.length))])
}
/** Names a test. */
const hexOf = (start: string) => Buffer.from(start.slice(0, 12), 'latin1').toString('hex')
const transport = (stride: number, first: number) => {
  const bytes = Buffer.alloc(IDENTIFY_BYTES, 1)
  for (let at = first; at < bytes.length; at += stride) bytes[at] = 0x47
  return bytes
}

describe('identify', () => {
  const heads: [string, Buffer][] = [
    ...['isom', 'mp42', 'M4V ', 'qt  ', '3gp4', 'M4A ', 'heic', 'avif', 'crx '].map(
      (brand): [string, Buffer] => [brand, head(`\0\0\0\x20ftyp${brand}\0\0\0\0`)],
    ),
    ...['\0\0\0\x08wide', '\0\0\0\x01mdat', '\0\0\x10\0moov', '\0\0\0\x08pnot', '\0\0\0\x05moov'].map(
      (start): [string, Buffer] => [hexOf(start), head(start)],
    ),
    ...[
      ...['RIFF\0\0\0\0AVI ', 'RIFF\0\0\0\0WAVE', 'RIFF\0\0\0\0WEBP', 'FLV\x01', '\0\0\x01\xba'],
      ...['\x30\x26\xb2\x75\x8e\x66\xcf\x11\xa6\xd9\x00\xaa', '\xff\xd8\xff\xe0', '\x89PNG\r\n\x1a\n'],
      ...[
        'OggS\0\x02......\x80theora',
        'OggS\0\x02......OpusHead',
        'ID3\x03',
        '\xff\xfb\x90',
        '\xff\xf1\x50',
      ],
      ...['PK\x03\x04', '\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1', '\x7fELF', 'Rar!\x1a\x07', '<html>'],
      ...['\x1a\x45\xdf\xa3\x42\x82\x84webm', '\x1a\x45\xdf\xa3\x42\x82\x88matroska', 'GIF89a', 'fLaC'],
      ...['%PDF-1.7', `${'x'.repeat(1000)}%PDF-1.4`, `${'x'.repeat(1100)}%PDF-1.4`],
    ].map((start): [string, Buffer] => [hexOf(start), head(start)]),
    ['a transport stream', transport(188, 0)],
    ['a camcorder’s transport stream', transport(192, 4)],
  ]

  it.each(heads)('says of %s what the service says', (_name, bytes) => {
    const { kind, container } = identifyHere(bytes, true) as Identity
    expect(identify(bytes)).toEqual({ kind, container })
  })

  it('decides on a file that is shorter than all that', () => {
    expect(identify(Buffer.from('%PDF-1.7'))).toEqual({ kind: 'pdf', container: 'pdf' })
    expect(identify(Buffer.from(''))).toEqual({ kind: 'other', container: 'unknown' })
  })
})

describe('an MP4', () => {
  const SCALE = 1000
  const movieHead = full('mvhd', 0, 0, u32(0, 0, SCALE, 0), Buffer.alloc(80))
  const mediaHead = (seconds: number) => full('mdhd', 0, 0, u32(0, 0, 500, seconds * 500, 0))
  const longMediaHead = (seconds: number) =>
    full('mdhd', 1, 0, u64(0), u64(0), u32(500), u64(seconds * 500), u32(0))
  const handler = (type: string) => full('hdlr', 0, 0, u32(0), Buffer.from(type), Buffer.alloc(13))
  const edits = (...pieces: [units: number, start: number][]) =>
    box('edts', full('elst', 0, 0, u32(pieces.length, ...pieces.flatMap(([a, b]) => [a, b, 0x10000]))))
  const track = (type: string, mdhd: Buffer, ...more: Buffer[]) =>
    box('trak', ...more, box('mdia', mdhd, handler(type)))
  const mdat = box('mdat', Buffer.alloc(5000))
  const film = (...tracks: Buffer[]) => box('moov', movieHead, ...tracks)
  const read = (...parts: Buffer[]) => readMp4(new Blob(parts.map((part) => new Uint8Array(part))))

  it('tells its length, and that it has picture and sound', async () => {
    const index = film(track('vide', mediaHead(3600)), track('soun', mediaHead(3601)))
    const facts = { durationSeconds: 3601, picture: true, sound: true, complete: true }
    expect(await read(FTYP, index, mdat)).toEqual(facts)
    expect(await read(FTYP, mdat, index)).toEqual(facts)
    expect(await read(FTYP, largeBox('mdat', Buffer.alloc(100)), index)).toEqual(facts)
  })

  it('tells that it has no sound, or no picture', async () => {
    expect(await read(FTYP, film(track('vide', mediaHead(10))), mdat)).toMatchObject({ sound: false })
    expect(await read(FTYP, film(track('soun', longMediaHead(10))), mdat)).toEqual({
      ...{ durationSeconds: 10, picture: false, sound: true, complete: true },
    })
  })

  it('takes off what an honest trim hides, and nothing else', async () => {
    const trimmed = film(track('vide', mediaHead(3605), edits([3599 * SCALE, 2500])))
    expect((await read(FTYP, trimmed, mdat))?.durationSeconds).toBe(3599)
    const forged = film(track('vide', mediaHead(3605), edits([600 * SCALE, 0])))
    expect((await read(FTYP, forged, mdat))?.durationSeconds).toBe(3605)
    const delayed = film(track('vide', mediaHead(100), edits([5 * SCALE, 0xffffffff], [100 * SCALE, 0])))
    expect((await read(FTYP, delayed, mdat))?.durationSeconds).toBe(100)
  })

  it.each([
    [
      'cut off in its content, index first',
      [FTYP, film(track('vide', mediaHead(10))), mdat.subarray(0, 900)],
    ],
    ['cut off before its index', [FTYP, mdat]],
    ['cut off in its index', [FTYP, mdat, film(track('vide', mediaHead(10))).subarray(0, 60)]],
    ['made of nothing but a name', [FTYP]],
  ])('is not whole when %s', async (_name, parts) => {
    expect(await read(...parts)).toMatchObject({ complete: false })
  })

  it('says no length where the index has none, and nothing where it cannot be read', async () => {
    const fragments = film(track('vide', mediaHead(0)), track('soun', mediaHead(0)))
    expect(await read(FTYP, fragments, mdat)).toMatchObject({ durationSeconds: null, sound: true })
    expect(await read(FTYP, box('moov', box('cmov', Buffer.alloc(50))), mdat)).toBeUndefined()
  })

  it('survives boxes that lie about themselves', async () => {
    const tiny = Buffer.concat([u32(4), Buffer.from('moov')])
    expect(await read(FTYP, tiny)).toMatchObject({ complete: false })
    const inner = box('moov', movieHead, Buffer.concat([u32(0xfffffff0), Buffer.from('trak')]))
    expect(await read(FTYP, inner, mdat)).toBeUndefined()
    const cut = film(box('trak', box('mdia', full('mdhd', 1, 0, u32(1)), full('hdlr', 0, 0))))
    expect(await read(FTYP, cut, mdat)).toMatchObject({ durationSeconds: null, picture: false })
    const greedy = film(track('vide', mediaHead(10), box('edts', full('elst', 0, 0, u32(0xffffffff)))))
    expect((await read(FTYP, greedy, mdat))?.durationSeconds).toBe(10)
  })
})

describe('a fingerprint', () => {
  const hex = (bytes: Uint8Array) => createHash('sha256').update(bytes).digest('hex')

  it('is made with a SHA-256 that is right for every length of the last block', async () => {
    for (let length = 0; length <= 200; length++) {
      const bytes = Uint8Array.from({ length }, (_, i) => (i * 31 + length) & 0xff)
      expect(Buffer.from(digestHere(bytes)).toString('hex')).toBe(hex(bytes))
    }
    const mebibyte = new Uint8Array(1024 * 1024 + 7).fill(0xa5)
    expect(Buffer.from(digestHere(mebibyte)).toString('hex')).toBe(hex(mebibyte))
    expect(await sha256(mebibyte)).toBe(hex(mebibyte))
  })

  it.each([1, 700_000, 1024 * 1024, 1_500_000, 3_000_000])(
    'is that of other clients, for %i bytes',
    async (size) => {
      const bytes = Buffer.from(Uint8Array.from({ length: size }, (_, i) => (i * 7919) >> 3))
      const dir = await mkdtemp(join(tmpdir(), 'fingerprint-'))
      try {
        const path = join(dir, 'file')
        await writeFile(path, bytes)
        expect(await fingerprintOf(new Blob([bytes]))).toBe(
          await fingerprintElsewhere(await fileSource(path)),
        )
      } finally {
        await rm(dir, { recursive: true })
      }
    },
  )
})
