// Of an object in a bucket only those pieces that tell what it is, as a local file of the whole length that is empty
// elsewhere: a probe of hours of video then takes some megabytes instead of all of them. A file that is refused for
// what it holds has to be looked at whole: an excerpt may be at fault itself.

import { open } from 'node:fs/promises'
import type { Mp4Index } from '../../src/media/mp4/index.ts'
import { fileSource, type LocalSource, type MediaSource } from './source.ts'

export type Window = { position: number; length: number }

export type Excerpt = {
  /** The object. Whatever is read of it is kept. */
  source: MediaSource
  /** What was read, and these pieces. */
  local(windows: readonly Window[]): Promise<LocalSource>
  close(): Promise<void>
}

/** Some dozens of pictures of the largest films that cameras write, and some seconds of all others. */
const FIRST_SAMPLES_BYTES = 8 * 1024 * 1024
/** More is never taken: movie box, fragments, and the first samples of as many tracks as tools look at. */
export const EXCERPT_BYTES = 256 * 1024 * 1024

/**
 * Begins an excerpt.
 *
 * @param path must not exist yet; its folder must
 */
export async function openExcerpt(whole: MediaSource, path: string): Promise<Excerpt> {
  const file = await open(path, 'wx', 0o600)
  await file.truncate(whole.bytes)
  let takenBytes = 0
  const keep = async (position: number, length: number): Promise<Buffer> => {
    const bytes = await whole.readAt(position, length)
    takenBytes += bytes.length
    if (takenBytes <= EXCERPT_BYTES) await file.write(bytes, 0, bytes.length, position)
    return bytes
  }
  return {
    source: { ...whole, readAt: keep },
    async local(windows) {
      for (const { position, length } of windows) await keep(position, length)
      return await fileSource(path)
    },
    close: () => file.close(),
  }
}

/** The beginning of the file and of each track's samples, which need not lie beside each other. */
export function firstSamples({ tracks }: Mp4Index): Window[] {
  const starts = tracks.flatMap(({ startOffset }) => (startOffset === null ? [] : [startOffset]))
  const windows: Window[] = []
  let keptTo = 0
  for (const start of [0, ...starts].sort((a, b) => a - b)) {
    const position = Math.max(start, keptTo)
    const end = start + FIRST_SAMPLES_BYTES
    if (end <= position) continue
    windows.push({ position, length: end - position })
    keptTo = end
  }
  return windows
}
