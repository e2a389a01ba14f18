// Any recording that ffmpeg can write: a picture and sounds from nothing, and the arguments that say how they are kept.
// Short, small and quickly encoded unless a caller asks for more.

import type { Corpus } from './corpus.ts'
import { ffmpeg } from './corpus.ts'

export const X264: readonly string[] = ['-c:v', 'libx264', '-preset', 'ultrafast', '-pix_fmt', 'yuv420p']
/** As browsers record it, as quickly as it can be encoded. */
export const VP8: readonly string[] = ['-c:v', 'libvpx', '-deadline', 'realtime', '-cpu-used', '8']
export const AAC: readonly string[] = ['-c:a', 'aac', '-b:a', '64k']

/** Where it was filmed, as phones write it, and words that must not come back in what is shown to others. */
export const PLACE = '+18.5745+099.0087/'

export type Recording = {
  seconds?: number
  /** A lavfi source without its duration; null: no picture. */
  picture?: string | null
  /** Lavfi sources without their duration. */
  sounds?: readonly string[]
}

export const TONE = 'sine=r=48000'
const MOVING = 'testsrc2=s=320x180:r=25'

/**
 * A file made of lavfi sources. Every stream is mapped, pictures first.
 *
 * @param name with the extension that tells ffmpeg the container, unless `args` say `-f`
 * @param args between inputs and output
 */
export function recorded(
  corpus: Corpus,
  name: string,
  { seconds = 3, picture = MOVING, sounds = [TONE] }: Recording,
  args: readonly string[],
): Promise<string> {
  const sources = [...(picture === null ? [] : [picture]), ...sounds]
  return corpus.file(name, (path) =>
    ffmpeg(
      ...sources.flatMap((source) => ['-f', 'lavfi', '-t', String(seconds), '-i', source]),
      ...sources.flatMap((_, i) => ['-map', String(i)]),
      ...args,
      path,
    ),
  )
}

/** An MP4 as most cameras and editors write it, its index in front. */
export function mp4(corpus: Corpus, name: string, recording: Recording, more: readonly string[] = []) {
  return recorded(corpus, name, recording, [...X264, '-g', '25', ...AAC, '-movflags', '+faststart', ...more])
}

/** An existing file in another wrapping, without encoding. */
export function rewrapped(corpus: Corpus, source: string, name: string, args: readonly string[] = []) {
  return corpus.file(name, (path) => ffmpeg('-i', source, '-map', '0', '-c', 'copy', ...args, path))
}
