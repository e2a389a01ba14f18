// The page's check of a file before it is sent, with the readers of the service.

import { createHash } from 'node:crypto'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { readMp4Index } from '../../../src/media/mp4/index.ts'
import { fileSource } from '../../../tools/lib/source.ts'
import { fingerprintOf as fingerprintElsewhere } from '../../../tools/try/files.ts'
import type { MediaSource } from '../../../workers/media/source.ts'
import { box, FTYP, full, largeBox, moov, type TrackSpec, track, u32 } from '../../support/media/mp4-build.ts'
import { memorySource } from '../../support/media/sources.ts'
import { elementPart } from '../portal/assets.ts'
import { catalogue } from '../submissions/support.ts'

type Finding = { verdict: string; problems: { name: string; actual?: number; limit?: number }[] }

const { blobSource } = await elementPart<{ blobSource: (file: Blob) => MediaSource }>('checking/bytes.js')
const { checkFile } = await elementPart<{ checkFile: (file: Blob, slot: object) => Promise<Finding> }>(
  'checking/check.js',
)
const { sha256, digestHere, sha256OfFile } = await elementPart<{
  sha256: (bytes: Uint8Array) => Promise<string>
  sha256OfFile: (file: Blob, onBytes: (bytes: number) => void) => Promise<string>
  digestHere: (bytes: Uint8Array) => Uint8Array
}>('checking/sha256.js')
const { fingerprintOf } = await elementPart<{ fingerprintOf: (file: Blob) => Promise<string> }>(
  'checking/fingerprint.js',
)

const MEDIA_BYTES = 3000
const blob = (bytes: Buffer) => new Blob([new Uint8Array(bytes)])
const samples = (seconds: number, more: Partial<TrackSpec> = {}): TrackSpec => ({
  times: [[3, (seconds / 3) * 1000]],
  sizes: [1000, 1000, 1000],
  chunks: [[1, 3]],
  offsets: [0],
  ...more,
})
/** An MP4 with its index first; the offsets of its tracks are put where the media is. */
function film(...tracks: TrackSpec[]): Buffer {
  const build = (at: number) =>
    Buffer.concat([
      FTYP,
      moov(3000, ...tracks.map((spec, i) => track({ ...spec, id: i + 1, offsets: [at] }))),
      box('mdat', Buffer.alloc(MEDIA_BYTES)),
    ])
  return build(build(0).length - MEDIA_BYTES)
}
const lesson = (seconds: number) => film(samples(seconds), samples(seconds, { handler: 'soun' }))

describe('an MP4 in a browser', () => {
  const files: [string, Buffer][] = [
    ['with picture and sound', lesson(60)],
    ['with 64-bit offsets', film(samples(3, { wideOffsets: true }))],
    ['with an edit list', film(samples(3, { edits: [[2000, 500]] }))],
    ['with a 64-bit length', Buffer.concat([FTYP, largeBox('mdat', Buffer.alloc(100))])],
    ['cut off', lesson(60).subarray(0, -700)],
    ['without an index', Buffer.concat([FTYP, box('mdat', Buffer.alloc(100))])],
    ['with an index that lies', Buffer.concat([FTYP, box('moov', u32(0xfffffff0), Buffer.from('trak'))])],
    ['with a track that lies', Buffer.concat([FTYP, moov(0, box('trak', full('tkhd', 1, 0, u32(1))))])],
  ]

  it.each(files)('%s is read like in the service', async (_name, bytes) => {
    expect(await readMp4Index(blobSource(blob(bytes)))).toEqual(await readMp4Index(memorySource(bytes)))
  })
})

describe('the check of a chosen file', () => {
  const rules = catalogue.get('teacher.K2@1')?.slots ?? []
  const lookFor = (slot: string, bytes: Buffer) => checkFile(blob(bytes), rules.find(({ id }) => id === slot) ?? {})

  it('accepts a lesson, and reports the problems of others', async () => {
    expect(await lookFor('teaching_video', lesson(3000))).toMatchObject({ verdict: 'go', problems: [] })
    expect(await lookFor('teaching_video', lesson(3660))).toMatchObject({
      verdict: 'ask',
      problems: [{ name: 'tooLong', actual: 3660, limit: 3600 }],
    })
    // An edit list that hides twenty minutes is no trim: the service judges by the samples.
    const hiding: Partial<TrackSpec> = { edits: [[3_000_000, 0]] }
    const hidden = film(samples(4200, hiding), samples(4200, { ...hiding, handler: 'soun' }))
    expect(await lookFor('teaching_video', hidden)).toMatchObject({
      verdict: 'ask',
      problems: [{ name: 'tooLong', actual: 4200, limit: 3600 }],
    })
    expect(await lookFor('teaching_video', film(samples(60)))).toMatchObject({
      verdict: 'ask',
      problems: [{ name: 'noSound' }],
    })
    expect(await lookFor('teaching_video', film(samples(60, { handler: 'soun' })))).toMatchObject({
      verdict: 'ask',
      problems: [{ name: 'noPicture' }],
    })
    expect(await lookFor('teaching_video', lesson(60).subarray(0, -700))).toMatchObject({
      verdict: 'ask',
      problems: [{ name: 'incomplete' }],
    })
    expect(await lookFor('teaching_video', Buffer.from('%PDF-1.7'))).toMatchObject({
      verdict: 'stop',
      problems: [{ name: 'kind', found: 'pdf' }],
    })
    expect(await lookFor('teaching_video', Buffer.from('what is this'))).toMatchObject({
      verdict: 'stop',
      problems: [{ name: 'unknownKind' }],
    })
  })
})

describe('a fingerprint', () => {
  const hex = (bytes: Uint8Array) => createHash('sha256').update(bytes).digest('hex')

  it('uses a SHA-256 that is correct for every length of the last block', async () => {
    for (let length = 0; length <= 200; length++) {
      const bytes = Uint8Array.from({ length }, (_, i) => (i * 31 + length) & 0xff)
      expect(Buffer.from(digestHere(bytes)).toString('hex')).toBe(hex(bytes))
    }
    const mebibyte = new Uint8Array(1024 * 1024 + 7).fill(0xa5)
    expect(Buffer.from(digestHere(mebibyte)).toString('hex')).toBe(hex(mebibyte))
    expect(await sha256(mebibyte)).toBe(hex(mebibyte))
  })

  it('hashes a whole file in the pieces in which it comes', async () => {
    const bytes = Uint8Array.from({ length: 100_003 }, (_, i) => (i * 7919) & 0xff)
    for (const step of [1, 63, 64, 65, 1000, 100_003]) {
      const pieces = new ReadableStream<Uint8Array>({
        start(controller) {
          for (let at = 0; at < bytes.length; at += step) controller.enqueue(bytes.subarray(at, at + step))
          controller.close()
        },
      })
      const read: number[] = []
      const file = { stream: () => pieces } as unknown as Blob
      expect(await sha256OfFile(file, (count) => void read.push(count)), `${step}`).toBe(hex(bytes))
      expect(read.at(-1)).toBe(bytes.length)
    }
  })

  it.each([1, 700_000, 1024 * 1024, 1_500_000, 3_000_000])(
    'equals that of other clients, for %i bytes',
    async (size) => {
      const bytes = Buffer.from(Uint8Array.from({ length: size }, (_, i) => (i * 7919) >> 3))
      const dir = await mkdtemp(join(tmpdir(), 'fingerprint-'))
      try {
        const path = join(dir, 'file')
        await writeFile(path, bytes)
        expect(await fingerprintOf(new Blob([bytes]))).toBe(await fingerprintElsewhere(await fileSource(path)))
      } finally {
        await rm(dir, { recursive: true })
      }
    },
  )
})
