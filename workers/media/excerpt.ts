// Downloads only those ranges of an object in a bucket that describe it, into a sparse local file of the complete length.
// So a probe of hours of video needs some megabytes instead of the complete file. Before a file is rejected because of its
// contents, the complete file must be checked: the excerpt itself may be the cause.

import { open } from 'node:fs/promises'
import type { Mp4Index } from '../../src/media/mp4/index.ts'
import { fileSource, type LocalSource, type MediaSource } from './source.ts'

export type Window = { position: number; length: number }

export type Excerpt = {
  /** The object. Ranges that were read are kept. */
  source: MediaSource
  /** The ranges read so far, and these. */
  local(windows: readonly Window[]): Promise<LocalSource>
  close(): Promise<void>
}

/** Enough for some dozens of frames at the highest camera bit rates, and some seconds of other films. */
const FIRST_SAMPLES_BYTES = 8 * 1024 * 1024
/** Limit of the excerpt: movie box, fragments, and the first samples of as many tracks as the tools read. */
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

/** The start of the file and of each track's samples, which may be in different places. */
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
