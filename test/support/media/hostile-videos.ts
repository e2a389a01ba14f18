// Videos that want connections, other people's files, time or memory.

import { readFile, writeFile } from 'node:fs/promises'
import { type Corpus, ffmpeg } from './corpus.ts'
import { box, FTYP, full, moov, track, u32 } from './mp4-build.ts'
import { firstOf, pointElsewhere } from './mp4-edit.ts'
import { recorded } from './recordings.ts'
import { lesson } from './videos.ts'

/** What a hostile file asks for: an address somebody listens at, and a file that nobody may read. */
export type Bait = { url: string; secretPath: string }

/** An MP4 whose samples are said to lie in a file of this machine, and at an address. */
export async function elsewhere(corpus: Corpus, { url, secretPath }: Bait): Promise<string> {
  const source = await lesson(corpus, { faststart: false })
  return await corpus.file('elsewhere.mp4', async (path) =>
    writeFile(path, pointElsewhere(await readFile(source), [`file://${secretPath}`, secretPath, url])),
  )
}

/** QuickTime's way to say "the film is over there": a reference movie. */
export function referenceMovie(corpus: Corpus, { url, secretPath }: Bait): Promise<string> {
  const reference = (address: string) =>
    box('rmda', full('rdrf', 0, 0, Buffer.from('url '), u32(address.length + 1), Buffer.from(`${address}\0`)))
  const file = Buffer.concat([
    box('ftyp', Buffer.from('qt  '), u32(0), Buffer.from('qt  ')),
    box('moov', box('rmra', reference(url), reference(`file://${secretPath}`))),
    box('mdat', Buffer.alloc(64)),
  ])
  return corpus.file('reference.mov', (path) => writeFile(path, file))
}

/** A playlist as the subtitles of an AVI: ffmpeg opens such subtitles (GAB2) as a file of its own. */
export async function playlistInSubtitles(corpus: Corpus, { url, secretPath }: Bait): Promise<string> {
  const source = await recorded(corpus, 'two-streams.avi', { seconds: 1 }, ['-c:v', 'mpeg4', '-c:a', 'pcm_u8'])
  return await corpus.file('subtitles.avi', async (path) => {
    const bytes = await readFile(source)
    const list = `#EXTM3U\n#EXT-X-TARGETDURATION:5\n#EXTINF:5,\n${url}\n#EXTINF:5,\nfile://${secretPath}\n#EXT-X-ENDLIST\n`
    const words = Buffer.concat([
      Buffer.from('GAB2\0\x02\0', 'latin1'),
      u32le(10),
      Buffer.from('w\0o\0r\0d\0s\0', 'latin1'),
      Buffer.from([4, 0]),
      u32le(list.length),
      Buffer.from(list),
    ])
    // The second stream's header and its first packet become text.
    const header = bytes.indexOf('auds')
    bytes.write('txts', header, 'latin1')
    const packet = bytes.indexOf('01wb', bytes.indexOf('movi'))
    if (header < 0 || packet < 0 || bytes.readUInt32LE(packet + 4) < words.length)
      throw new Error('the AVI is not laid out as expected')
    words.copy(bytes, packet + 8)
    await writeFile(path, bytes)
  })
}

function u32le(value: number): Buffer {
  const buffer = Buffer.alloc(4)
  buffer.writeUInt32LE(value)
  return buffer
}

/** A hundred small files' worth of tracks in one index. */
export function tracks(corpus: Corpus, count: number): Promise<string> {
  const one = (id: number) =>
    track({ id: id + 1, times: [[1, 1000]], sizes: { count: 1, each: 1 }, offsets: [FTYP.length + 8] })
  const file = Buffer.concat([
    FTYP,
    box('mdat', Buffer.alloc(64)),
    moov(1000, ...Array.from({ length: count }, (_, i) => one(i))),
  ])
  return corpus.file(`tracks-${count}.mp4`, (path) => writeFile(path, file))
}

/** Twelve bytes that claim four billion samples. */
export function billionsOfSamples(corpus: Corpus): Promise<string> {
  const file = Buffer.concat([
    FTYP,
    box('mdat', Buffer.alloc(64)),
    moov(
      1000,
      track({
        times: [[0xffff_ffff, 1]],
        sizes: { count: 0xffff_ffff, each: 1 },
        chunks: [[1, 0xffff_ffff]],
        offsets: [FTYP.length + 8],
      }),
    ),
  ])
  return corpus.file('billions.mp4', (path) => writeFile(path, file))
}

/** A lesson with so many empty boxes, behind it or before its index: each of them a step of whoever walks over the file. */
export async function manyBoxes(corpus: Corpus, count: number, before?: 'moov'): Promise<string> {
  const source = await lesson(corpus, { faststart: false })
  return await corpus.file(`boxes-${count}-${before}.mp4`, async (path) => {
    const empty = Buffer.alloc(count * 8)
    for (let i = 0; i < count; i++) {
      empty.writeUInt32BE(8, i * 8)
      empty.write('free', i * 8 + 4, 'latin1')
    }
    const bytes = await readFile(source)
    const at = before === undefined ? bytes.length : firstOf(bytes, before).start
    await writeFile(path, Buffer.concat([bytes.subarray(0, at), empty, bytes.subarray(at)]))
  })
}

/** A Matroska file whose last element claims to be larger than any disk. */
export async function endlessElement(corpus: Corpus): Promise<string> {
  const source = await lesson(corpus)
  return await corpus.file('endless.mkv', async (path) => {
    await ffmpeg('-i', source, '-c', 'copy', path)
    const void8 = Buffer.from([0xec, 0x01, 0x7f, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff])
    await writeFile(path, Buffer.concat([await readFile(path), void8]))
  })
}

/** Two seconds of sound and picture that say they are in the ninth century of their clock. */
export function absurdTimes(corpus: Corpus): Promise<string> {
  return recorded(corpus, 'absurd.mkv', { seconds: 2 }, [
    '-c:v',
    'libx264',
    '-preset',
    'ultrafast',
    '-c:a',
    'aac',
    '-bsf:v',
    "setts=ts='if(gt(N,40),TS+8000000000,TS)'",
  ])
}
