// Recordings whose streams are odd in themselves: held, caught late, bare of rates, of old phones, locked.

import { readFile, writeFile } from 'node:fs/promises'
import { type Corpus, ffmpeg } from './corpus.ts'
import { holdLastPicture } from './mp4-edit.ts'
import { AAC, mp4, recorded, VP8, X264 } from './recordings.ts'

/** A screen on which nothing moves at the end: the recorder has no more pictures, and the last one stays. */
export async function heldPicture(corpus: Corpus): Promise<string> {
  const picture = 'testsrc2=s=320x180:r=25,trim=end=2'
  // Its index last, so that there is room for a longer table.
  const moving = await recorded(corpus, 'before-it-stays.mp4', { seconds: 12, picture }, [...X264, ...AAC])
  return await corpus.file('held.mp4', async (path) => writeFile(path, holdLastPicture(await readFile(moving), 10)))
}

/** A stream switched on between two keyframes, five seconds apart. */
export async function midAir(corpus: Corpus): Promise<string> {
  const whole = await recorded(corpus, 'on-air.ts', { seconds: 10 }, [...X264, '-g', '125', ...AAC])
  return await corpus.file('mid-air.ts', async (path) => {
    const bytes = await readFile(whole)
    // Whole packets, behind the tables and the first keyframe.
    await writeFile(path, bytes.subarray(Math.floor((bytes.length * 0.16) / 188) * 188))
  })
}

/**
 * A browser's WebM that does not say how long a picture lasts (no DefaultDuration), its pictures at uneven times: tools
 * then take the clock's own steps for a rate.
 */
export async function bareWebm(corpus: Corpus): Promise<string> {
  const picture = "testsrc2=s=320x180:r=30,select='not(eq(mod(n*7,5),0))'"
  const whole = await recorded(corpus, 'uneven.webm', { picture }, [
    '-fps_mode',
    'vfr',
    '-enc_time_base:v',
    '1/1000',
    ...VP8,
    '-c:a',
    'libopus',
    '-live',
    '1',
  ])
  return await corpus.file('bare.webm', async (path) => {
    const bytes = await readFile(whole)
    const element = Buffer.from([0x23, 0xe3, 0x83, 0x84])
    // Void of the same length: one byte of name, one of length, six of nothing.
    for (let at = bytes.indexOf(element); at >= 0; at = bytes.indexOf(element, at))
      bytes.set([0xec, 0x86, 0, 0, 0, 0, 0, 0], at)
    await writeFile(path, bytes)
  })
}

/** H.263 and AMR, as phones filmed before 2010. The sound is hand-made: 50 frames a second of 12.2 kbit/s. */
export async function amrPhone(corpus: Corpus): Promise<string> {
  const speech = await corpus.file('speech.amr', (path) => {
    const frame = Buffer.alloc(32, 0x5a)
    frame[0] = 0x3c
    return writeFile(path, Buffer.concat([Buffer.from('#!AMR\n'), ...Array.from({ length: 150 }, () => frame)]))
  })
  return await corpus.file('phone.3gp', (path) =>
    ffmpeg(
      ['-f', 'lavfi', '-t', '3', '-i', 'testsrc2=s=176x144:r=30000/1001', '-i', speech],
      ['-c:v', 'h263', '-c:a', 'copy', path],
    ),
  )
}

/** A comment of four mebibytes. */
export async function largeTags(corpus: Corpus): Promise<string> {
  const tags = await corpus.file('tags.txt', (path) =>
    writeFile(path, `;FFMETADATA1\ncomment=SECRET-${'x'.repeat(4 * 1024 * 1024)}\n`),
  )
  const source = await mp4(corpus, 'untagged.mp4', {})
  return await corpus.file('tagged.mkv', (path) =>
    ffmpeg('-i', source, '-i', tags, '-map', '0', '-map_metadata', '1', '-c', 'copy', path),
  )
}

/** Common encryption: only who has the key can watch it. */
export function lockedFilm(corpus: Corpus): Promise<string> {
  return mp4(corpus, 'locked.mp4', {}, [
    '-encryption_scheme',
    'cenc-aes-ctr',
    '-encryption_key',
    '00112233445566778899aabbccddeeff',
    '-encryption_kid',
    'ffeeddccbbaa99887766554433221100',
  ])
}
