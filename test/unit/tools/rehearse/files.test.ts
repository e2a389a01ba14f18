// Files without a disk: the bytes that are sent are those that were hashed, whole ones are whole, damaged ones are not.

import { createHash } from 'node:crypto'
import { describe, expect, it } from 'vitest'
import { expectedVerdict, fileFactory } from '../../../../tools/rehearse/files/make.ts'
import type { PlannedUpload } from '../../../../tools/rehearse/plan/plan.ts'
import { box, u32 } from '../../../support/media/mp4-build.ts'
import { places } from '../../../support/media/mp4-bytes.ts'

const KIB = 1024
/** As much of a clip as matters here: an index with one chunk, in front of its media. */
const stco = box('stco', u32(0, 1, 99))
const moov = ['stbl', 'minf', 'mdia', 'trak', 'moov'].reduce((inner, type) => box(type, inner), stco)
const clip = Buffer.concat([box('ftyp', Buffer.from('isom')), moov, box('mdat', Buffer.alloc(900, 1))])
const fileOf = fileFactory([clip], 'run')
const base: PlannedUpload = {
  number: 4,
  arrivesMs: 0,
  kind: 'video',
  damage: 'none',
  fileBytes: 2500 * KIB + 1,
  real: false,
  line: { name: '4G', bytesPerSecond: 1, breaks: [] },
}
const KINDS = [
  ['a whole video', {}],
  ['a video without its index', { damage: 'noIndex' }],
  ['a video cut short', { damage: 'cutShort' }],
  ['a whole PDF', { kind: 'pdf' }],
  ['a PDF cut short', { kind: 'pdf', damage: 'cutShort' }],
] as const

async function bytesOf(plan: PlannedUpload): Promise<Buffer> {
  const file = fileOf(plan)
  const chunks: Buffer[] = []
  for await (const chunk of file.chunks(0, file.bytes)) chunks.push(chunk)
  return Buffer.concat(chunks)
}

describe.each(KINDS)('%s', (_name, change) => {
  const plan: PlannedUpload = { ...base, ...change }

  it('has the length that was planned, and the hash that is told', async () => {
    const bytes = await bytesOf(plan)
    expect(bytes.length).toBe(plan.fileBytes)
    expect(createHash('sha256').update(bytes).digest('hex')).toBe(fileOf(plan).sha256)
  })
  it('can be read from anywhere, in any pieces', async () => {
    const bytes = await bytesOf(plan)
    const file = fileOf(plan)
    for (const from of [0, 7, clip.length + 3, KIB * KIB - 1, bytes.length - 40, bytes.length - 1]) {
      const piece = file.at(from, 100)
      expect(piece.length).toBeGreaterThan(0)
      expect(piece.equals(bytes.subarray(from, from + piece.length))).toBe(true)
    }
  })
  it('is unlike that of another client', () => {
    expect(fileOf({ ...plan, number: 5 }).sha256).not.toBe(fileOf(plan).sha256)
  })
})

it('a whole video ends with a box that ends with it', async () => {
  const bytes = await bytesOf(base)
  expect(places(bytes, 'free').at(-1)?.end).toBe(bytes.length)
  expect(expectedVerdict(base)).toBe('accepted')
})
it('a video cut short has its samples behind its end', async () => {
  const plan: PlannedUpload = { ...base, damage: 'cutShort' }
  const bytes = await bytesOf(plan)
  const [table] = places(bytes, 'stco')
  expect(bytes.readUInt32BE((table?.body ?? 0) + 8)).toBeGreaterThan(bytes.length)
  expect(expectedVerdict(plan)).toBe('rejected')
})
it('a broken recording has no index', async () => {
  expect(places(await bytesOf({ ...base, damage: 'noIndex' }), 'moov')).toEqual([])
})
it('a whole PDF has its table where it says', async () => {
  const text = (await bytesOf({ ...base, kind: 'pdf' })).toString('latin1')
  const at = Number(/startxref\n(\d+)\n%%EOF\n$/.exec(text)?.[1])
  expect(text.slice(at, at + 4)).toBe('xref')
  const offsets = [...text.slice(at).matchAll(/^(\d{10}) 00000 n /gm)].map(([, offset]) => Number(offset))
  expect(offsets.length).toBe(5)
  for (const [i, offset] of offsets.entries()) expect(text.slice(offset).startsWith(`${i + 1} 0 obj`)).toBe(true)
  const [, length = ''] = /\/Length (\d{10}) /.exec(text) ?? []
  const start = text.indexOf('stream\n') + 7
  expect(text.slice(start + Number(length), start + Number(length) + 10)).toBe('\nendstream')
})
