import { describe, expect, it } from 'vitest'
import { IDENTIFY_BYTES, identify } from '../../../src/core/identify.ts'

const text = (value: string): Buffer => Buffer.from(value, 'latin1')
const padded = (start: Buffer, bytes = IDENTIFY_BYTES): Buffer => Buffer.concat([start, Buffer.alloc(bytes)])
const ftyp = (brand: string): Buffer => padded(text(`\0\0\0\x20ftyp${brand}\0\0\0\0`))

describe('identify', () => {
  it.each([
    ['isom', 'video', 'mp4'],
    ['mp42', 'video', 'mp4'],
    ['M4V ', 'video', 'mp4'],
    ['qt  ', 'video', 'mov'],
    ['3gp4', 'video', '3gp'],
    ['M4A ', 'audio', 'm4a'],
    ['heic', 'image', 'heif'],
    ['avif', 'image', 'heif'],
  ])('recognizes an ISO file by its brand %s', (brand, kind, container) => {
    expect(identify(ftyp(brand))).toEqual({ kind, container, brand })
  })

  it('recognizes old QuickTime files without ftyp', () => {
    expect(identify(padded(text('\0\0\0\x08wide')))).toEqual({ kind: 'video', container: 'mov' })
    expect(identify(padded(text('\0\0\0\x01mdat')))).toEqual({ kind: 'video', container: 'mov' })
    expect(identify(padded(text('\0\0\0\x05moov')))).toMatchObject({ container: 'unknown' })
  })

  it.each([
    ['\0\0\0\x10free........\0\0\x10\0moov', 'mov'],
    ['\0\0\0\x10skip........\0\0\x10\0mdat', 'mov'],
    ['\0\0\0\x08wide\0\0\0\x08free\0\0\x10\0mdat', 'mov'],
    ['\0\0\0\x10free........\0\0\0\x14ftypqt  ', 'mov'],
    ['\0\0\0\x10free........\0\0\0\x14ftypisom', 'mp4'],
    ['\0\0\0\x18uuid................\0\0\0\x14ftypmp42', 'mp4'],
    ['\0\x01\0\0free', 'mov'],
    ['\0\0\0\x01free\0\0\0\0\0\x01\0\0', 'mov'],
  ])('reads beyond filler boxes: %j', (start, container) => {
    expect(identify(padded(text(start)))).toMatchObject({ kind: 'video', container })
  })

  it('waits for the bytes after a filler box', () => {
    const filler = text('\0\0\x02\0free................')
    expect(identify(filler)).toEqual({ kind: 'undecided', wantBytes: IDENTIFY_BYTES })
    expect(identify(filler, true)).toMatchObject({ container: 'mov' })
  })

  it('does not treat text as a box', () => {
    expect(identify(padded(text('All free of charge')))).toMatchObject({ kind: 'other' })
    expect(identify(padded(text('Now skip this page')))).toMatchObject({ kind: 'other' })
  })

  it.each([
    ['webm', 'webm'],
    ['matroska', 'matroska'],
  ])('reads the DocType %s', (docType, container) => {
    const header = Buffer.concat([
      Buffer.from([0x1a, 0x45, 0xdf, 0xa3, 0x9f, 0x42, 0x86, 0x81, 1, 0x42, 0x82, 0x80 | docType.length]),
      text(docType),
    ])
    expect(identify(padded(header))).toEqual({ kind: 'video', container, brand: docType })
  })

  it.each([
    ['RIFF\0\0\0\0AVI ', 'video', 'avi'],
    ['RIFF\0\0\0\0WAVE', 'audio', 'wav'],
    ['RIFF\0\0\0\0WEBP', 'image', 'webp'],
    ['FLV\x01', 'video', 'flv'],
    ['\0\0\x01\xba', 'video', 'mpegps'],
    ['\x30\x26\xb2\x75\x8e\x66\xcf\x11\xa6\xd9\x00\xaa', 'video', 'asf'],
    ['\xff\xd8\xff\xe0', 'image', 'jpeg'],
    ['\x89PNG\r\n\x1a\n', 'image', 'png'],
    ['OggS\0\x02......................\x80theora', 'video', 'ogg'],
    ['OggS\0\x02......................OpusHead', 'audio', 'ogg'],
    ['ID3\x03', 'audio', 'mp3'],
    ['\xff\xfb\x90', 'audio', 'mp3'],
    ['\xff\xf1\x50', 'audio', 'aac'],
    ['PK\x03\x04', 'other', 'zip'],
    ['\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1', 'other', 'ole'],
    ['\x7fELF', 'other', 'executable'],
    ['#EXTM3U\n#EXTINF', 'other', 'playlist'],
    ['\xef\xbb\xbf  #EXTM3U\n', 'other', 'playlist'],
    ['ffconcat version 1.0\n', 'other', 'script'],
    ['<html>', 'other', 'unknown'],
  ])('tells %j', (start, kind, container) => {
    expect(identify(padded(text(start)))).toMatchObject({ kind, container })
  })

  it('finds a PDF behind up to 1 KiB of junk, and not further in', () => {
    expect(identify(padded(text('%PDF-1.7')))).toEqual({ kind: 'pdf', container: 'pdf' })
    expect(identify(padded(text('%PDF1.4')))).toEqual({ kind: 'pdf', container: 'pdf' })
    expect(identify(padded(text('%PDF is a format')))).toMatchObject({ kind: 'other' })
    expect(identify(padded(text(`${'j'.repeat(1024)}%PDF-1.7`)))).toEqual({ kind: 'pdf', container: 'pdf' })
    expect(identify(padded(text(`${'j'.repeat(1025)}%PDF-1.7`)))).toMatchObject({ kind: 'other' })
  })

  it('recognizes an MP4 that also contains %PDF- as an MP4', () => {
    const both = Buffer.concat([ftyp('isom').subarray(0, 64), text('%PDF-1.7')])
    expect(identify(padded(both))).toMatchObject({ container: 'mp4' })
  })

  it.each([
    [188, 0],
    [192, 4],
  ])('recognizes a transport stream by a sync byte every %i bytes', (stride, first) => {
    const stream = Buffer.alloc(IDENTIFY_BYTES, 0xaa)
    for (let at = first; at < stream.length; at += stride) stream[at] = 0x47
    expect(identify(stream)).toEqual({ kind: 'video', container: 'mpegts' })
    stream[first + 2 * stride] = 0
    expect(identify(stream)).toMatchObject({ kind: 'other' })
  })

  it.each([
    [188, 1],
    [188, 100],
    [188, 187],
    [192, 3],
    [192, 130],
    [204, 0],
    [204, 77],
  ])('recognizes one that begins in the middle of a packet of %i bytes, %i before the next', (stride, first) => {
    const stream = Buffer.alloc(IDENTIFY_BYTES, 0xff)
    for (let at = first; at < stream.length; at += stride) stream[at] = 0x47
    expect(identify(stream)).toEqual({ kind: 'video', container: 'mpegts' })
    stream[first + 7 * stride] = 0
    if (first > 0) expect(identify(stream)).not.toMatchObject({ kind: 'video' })
  })

  it('waits for more bytes before it says "other"', () => {
    expect(identify(Buffer.alloc(0))).toEqual({ kind: 'undecided', wantBytes: IDENTIFY_BYTES })
    expect(identify(text('\0\0\0\x20ft'))).toEqual({ kind: 'undecided', wantBytes: IDENTIFY_BYTES })
    expect(identify(Buffer.alloc(IDENTIFY_BYTES - 1))).toEqual({
      kind: 'undecided',
      wantBytes: IDENTIFY_BYTES,
    })
    expect(identify(Buffer.alloc(IDENTIFY_BYTES))).toMatchObject({ kind: 'other' })
  })

  it('decides early if the first bytes are certain', () => {
    expect(identify(text('\0\0\0\x20ftypisom\0\0\0\0'))).toMatchObject({ container: 'mp4' })
  })

  it('decides a short file at its end', () => {
    expect(identify(Buffer.alloc(0), true)).toEqual({ kind: 'other', container: 'unknown' })
    expect(identify(text('%PDF-'), true)).toEqual({ kind: 'pdf', container: 'pdf' })
  })

  it('reads views into larger buffers from their own start', () => {
    const pool = new Uint8Array(8192)
    const view = pool.subarray(4096)
    view.set(ftyp('isom').subarray(0, 64))
    expect(identify(view)).toMatchObject({ container: 'mp4' })
  })
})
