// Files that lie, are damaged, or want something from whoever opens them.

import { copyFile, readFile, writeFile } from 'node:fs/promises'
import { type Corpus, ffmpeg } from './corpus.ts'
import { clearSelfContained, scaleClaims, setMovieSeconds } from './mp4-bytes.ts'
import { pointElsewhere } from './mp4-edit.ts'
import { lesson } from './videos.ts'

/** The first `share` of a file: a transfer that broke off. */
export async function truncated(corpus: Corpus, source: string, share: number, name: string): Promise<string> {
  return await corpus.file(name, async (path) => {
    const bytes = await readFile(source)
    await writeFile(path, bytes.subarray(0, Math.floor(bytes.length * share)))
  })
}

/** Headers and edit lists divided by 6: an hour that claims ten minutes. */
export async function forgedShort(corpus: Corpus): Promise<string> {
  const source = await lesson(corpus, { seconds: 18 })
  return await corpus.file('forged-short.mp4', async (path) =>
    writeFile(path, scaleClaims(await readFile(source), 1 / 6)),
  )
}

/** Headers and edit lists times 100: seconds that claim minutes. */
export async function forgedLong(corpus: Corpus): Promise<string> {
  const source = await lesson(corpus)
  return await corpus.file('forged-long.mp4', async (path) => writeFile(path, scaleClaims(await readFile(source), 100)))
}

/** Only the movie header lies. */
export async function forgedHeader(corpus: Corpus, seconds: number): Promise<string> {
  const source = await lesson(corpus)
  return await corpus.file(`forged-header-${seconds}.mp4`, async (path) =>
    writeFile(path, setMovieSeconds(await readFile(source), seconds)),
  )
}

/** A Matroska file whose Duration element says ten hours. */
export async function forgedMatroska(corpus: Corpus): Promise<string> {
  const source = await lesson(corpus)
  return await corpus.file('forged.mkv', async (path) => {
    await ffmpeg('-i', source, '-c', 'copy', path)
    const bytes = await readFile(path)
    const at = bytes.indexOf(Buffer.from([0x44, 0x89, 0x88]))
    if (at < 0) throw new Error('no Duration element')
    // in units of the time scale, a millisecond
    bytes.writeDoubleBE(36_000_000, at + 3)
    await writeFile(path, bytes)
  })
}

/** Tags with line breaks that look like more output of ffprobe's text writer. */
export function forgedTags(corpus: Corpus): Promise<string> {
  return corpus.file('forged-tags.mkv', (path) =>
    ffmpeg(
      ['-f', 'lavfi', '-i', 'testsrc2=s=320x180:r=25:d=1', '-c:v', 'libx264', '-preset', 'ultrafast'],
      ['-metadata', 'title=x\nduration=7200'],
      ['-metadata', 'comment=y\n[/FORMAT]\n[STREAM]\nindex=1\ncodec_type=audio\ncodec_name=aac\n[/STREAM]\n[FORMAT]'],
      path,
    ),
  )
}

/** One small packet that decodes to 67 million pixels. */
export function pixelBomb(corpus: Corpus): Promise<string> {
  return corpus.file('bomb.mp4', (path) =>
    ffmpeg(
      ['-f', 'lavfi', '-i', 'color=gray:s=8192x8192:r=1:d=1', '-frames:v', '1'],
      ['-c:v', 'libx264', '-preset', 'ultrafast', '-threads', '1', path],
    ),
  )
}

/** More streams than any camera writes. */
export function manyStreams(corpus: Corpus): Promise<string> {
  return corpus.file('many.mp4', (path) =>
    ffmpeg(
      ['-f', 'lavfi', '-i', 'testsrc2=s=64x64:r=5:d=1', '-f', 'lavfi', '-i', 'sine=d=1:r=8000', '-map', '0'],
      ...Array.from({ length: 24 }, () => ['-map', '1']).flat(),
      ['-c:v', 'libx264', '-preset', 'ultrafast', '-c:a', 'aac', path],
    ),
  )
}

/** An HLS playlist called .mp4 that asks its reader to fetch a URL and a local file. */
export function playlist(corpus: Corpus, url: string, secretPath: string): Promise<string> {
  const lines = ['#EXTM3U', '#EXT-X-MEDIA-SEQUENCE:0', '#EXT-X-TARGETDURATION:5']
  const entries = [url, `file://${secretPath}`]
  const text = [...lines, ...entries.flatMap((entry) => ['#EXTINF:5.0,', entry]), '#EXT-X-ENDLIST', ''].join('\n')
  return corpus.file('playlist.mp4', (path) => writeFile(path, text))
}

/** A script of ffmpeg's concat demuxer called .mp4. */
export function concatScript(corpus: Corpus, url: string, secretPath: string): Promise<string> {
  const text = `ffconcat version 1.0\nfile '${secretPath}'\nfile '${url}'\n`
  return corpus.file('concat.mp4', (path) => writeFile(path, text))
}

/** An MP4 whose index names another file for the samples. */
export async function externalMedia(corpus: Corpus): Promise<string> {
  const source = await lesson(corpus, { faststart: false })
  return await corpus.file('external.mp4', async (path) =>
    writeFile(path, pointElsewhere(await readFile(source), ['file:///media/film.mp4'])),
  )
}

/** An MP4 whose writer forgot the flag that says "in this file", and names no other. */
export async function unflaggedReference(corpus: Corpus): Promise<string> {
  const source = await lesson(corpus)
  return await corpus.file('unflagged.mp4', async (path) => writeFile(path, clearSelfContained(await readFile(source))))
}

export async function renamed(corpus: Corpus, source: string, name: string): Promise<string> {
  return await corpus.file(name, (path) => copyFile(source, path))
}

export function zeroBytes(corpus: Corpus): Promise<string> {
  return corpus.file('empty.mp4', (path) => writeFile(path, ''))
}

/** Bytes without any meaning; always the same ones, so that a failing test fails again. */
export function noise(corpus: Corpus, bytes = 64 * 1024): Promise<string> {
  return corpus.file(`noise-${bytes}.bin`, async (path) => {
    const buffer = Buffer.alloc(bytes)
    let state = 0x2545f491
    for (let i = 0; i < bytes; i++) {
      state ^= state << 13
      state ^= state >>> 17
      state ^= state << 5
      buffer[i] = state & 0xff
    }
    await writeFile(path, buffer)
  })
}
