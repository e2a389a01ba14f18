// Makes films of a given duration and size quickly: a few real seconds, repeated without encoding, so that the sample
// tables have the size of an hour.

import { execFile } from 'node:child_process'
import { stat } from 'node:fs/promises'
import { join } from 'node:path'
import { promisify } from 'node:util'

const run = promisify(execFile)
const ffmpeg = (args: string[]) => run('ffmpeg', ['-hide_banner', '-loglevel', 'error', '-y', ...args])

const CLIP_SECONDS = 5

export type Film = { path: string; bytes: number; seconds: number }

/**
 * An MP4 that needs no encoding: H.264 and AAC, as a camera writes it, with the index at the end or, by `faststart`, in
 * front.
 */
export async function longFilm(
  dir: string,
  name: string,
  { minutes, bytes, faststart }: { minutes: number; bytes: number; faststart: boolean },
): Promise<Film> {
  const seconds = minutes * 60
  const clip = join(dir, `${name}-clip.mp4`)
  // Noise fills any bit rate; a tenth more, because the encoder stays below its target.
  const bitsPerSecond = Math.ceil(((bytes * 8) / seconds) * 1.1)
  await ffmpeg([
    '-f',
    'lavfi',
    '-i',
    `testsrc2=s=854x480:r=25:d=${CLIP_SECONDS},noise=alls=40:allf=t`,
    '-f',
    'lavfi',
    '-i',
    `sine=f=300:d=${CLIP_SECONDS}`,
    '-c:v',
    'libx264',
    '-preset',
    'ultrafast',
    '-pix_fmt',
    'yuv420p',
    '-g',
    '50',
    '-bf',
    '0',
    '-b:v',
    `${bitsPerSecond}`,
    '-minrate',
    `${bitsPerSecond}`,
    '-maxrate',
    `${bitsPerSecond}`,
    '-bufsize',
    `${bitsPerSecond}`,
    '-x264-params',
    'nal-hrd=cbr',
    '-c:a',
    'aac',
    '-b:a',
    '128k',
    clip,
  ])
  const path = join(dir, `${name}.mp4`)
  await ffmpeg([
    '-stream_loop',
    '-1',
    '-i',
    clip,
    '-t',
    String(seconds - 1),
    '-c',
    'copy',
    ...(faststart ? ['-movflags', '+faststart'] : []),
    path,
  ])
  return { path, bytes: (await stat(path)).size, seconds: seconds - 1 }
}

/** A film that must be encoded, because it is larger than the rendition. */
export async function largeFilm(dir: string, name: string, minutes: number): Promise<Film> {
  const seconds = minutes * 60
  const clip = join(dir, `${name}-clip.mp4`)
  await ffmpeg([
    '-f',
    'lavfi',
    '-i',
    `testsrc2=s=1920x1080:r=25:d=${CLIP_SECONDS}`,
    '-f',
    'lavfi',
    '-i',
    `sine=f=300:d=${CLIP_SECONDS}`,
    // Few bytes, because dozens of them are stored at the same time.
    '-c:v',
    'libx264',
    '-preset',
    'ultrafast',
    '-crf',
    '38',
    '-pix_fmt',
    'yuv420p',
    '-c:a',
    'aac',
    clip,
  ])
  const path = join(dir, `${name}.mp4`)
  await ffmpeg(['-stream_loop', '-1', '-i', clip, '-t', String(seconds), '-c', 'copy', path])
  return { path, bytes: (await stat(path)).size, seconds }
}
