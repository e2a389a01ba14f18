// Test films: a few seconds of real media, padded to the length that a test needs, each with different bytes.

import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { noise } from '../../../test/support/bytes.ts'
import { ffmpeg } from '../../../test/support/media/corpus.ts'

const BOX_HEADER_BYTES = 8

export type Films = {
  /** An MP4 of this length that is accepted; the padding depends on `seed`. */
  film(bytes: number, seed: string): Buffer
  /** One that is longer than the slot allows. */
  tooLong(seed: string): Buffer
  /** One that must be encoded, which takes a second or two. */
  toEncode(seed: string): Buffer
}

export async function makeFilms(): Promise<Films> {
  const dir = await mkdtemp(join(tmpdir(), 'songngan-films-'))
  const make = async (name: string, seconds: number, size: string, ...codecs: string[]) => {
    const path = join(dir, name)
    const picture = ['-f', 'lavfi', '-i', `testsrc2=s=${size}:r=25:d=${seconds}`]
    const sound = ['-f', 'lavfi', '-i', `sine=d=${seconds}:r=48000`]
    await ffmpeg(...picture, ...sound, ...codecs, path)
    return await readFile(path)
  }
  const H264 = ['-c:v', 'libx264', '-preset', 'ultrafast', '-pix_fmt', 'yuv420p', '-g', '25', '-c:a', 'aac']
  try {
    const short = await make('short.mp4', 3, '320x180', ...H264, '-movflags', '+faststart')
    const long = await make('long.mp4', 12, '160x90', ...H264, '-movflags', '+faststart')
    const old = await make('old.mkv', 8, '640x360', '-c:v', 'mpeg4', '-q:v', '5', '-c:a', 'mp3')
    return {
      film: (bytes, seed) => padded(short, bytes, seed),
      tooLong: (seed) => padded(long, long.length + 1000, seed),
      // Players skip EBML "Void" elements at the end, so noise there changes only the bytes.
      toEncode: (seed) => Buffer.concat([old, voidElement(noise(200, seed))]),
    }
  } finally {
    await rm(dir, { recursive: true, force: true })
  }
}

/** Adds a box `free` at the end, which players skip. */
function padded(film: Buffer, bytes: number, seed: string): Buffer {
  const room = bytes - film.length - BOX_HEADER_BYTES
  if (room < 16) throw new Error(`a film of ${film.length} bytes does not fit ${bytes}`)
  const header = Buffer.alloc(BOX_HEADER_BYTES)
  header.writeUInt32BE(room + BOX_HEADER_BYTES)
  header.write('free', 4, 'latin1')
  return Buffer.concat([film, header, noise(room, seed)])
}

function voidElement(content: Buffer): Buffer {
  const header = Buffer.from([0xec, 0x40 | (content.length >> 8), content.length & 0xff])
  return Buffer.concat([header, content])
}
