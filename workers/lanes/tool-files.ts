// An upload's bytes as files for the tools, which have no network: the stored file on a local disk; from a bucket only the
// requested parts, in scratch folders that are deleted afterwards.

import type { Mp4Index } from '../../src/media/mp4/index.ts'
import { EXCERPT_BYTES, type Excerpt, firstSamples, openExcerpt } from '../media/excerpt.ts'
import type { Scratch, ScratchRoom } from '../media/scratch.ts'
import { isLocal, type LocalSource, type MediaSource } from '../media/source.ts'
import { localFile } from './stored-file.ts'

/** Below this size a complete copy is faster than several range requests. */
const SMALL_BYTES = 32 * 1024 * 1024

export type ToolFiles = {
  /** The ranges of a film that contain its codec parameters; null if that saves nothing. */
  excerpt(index: Mp4Index): Promise<LocalSource | null>
  /** @throws {ToolError} `OUT_OF_SPACE` (system) if there is no space for a copy */
  whole(): Promise<LocalSource>
}

/** For a file on this machine. @internal */
export function filesHere(source: LocalSource): ToolFiles {
  return { excerpt: () => Promise.resolve(null), whole: () => Promise.resolve(source) }
}

export type Fetched = {
  /** The file, to be read by position. */
  source: MediaSource
  files: ToolFiles
  /** SHA-256 of the complete file, if it was copied. */
  sha256(): string | undefined
}

/** Runs `job` with the file, and deletes the copies afterwards. */
export async function withToolFiles<T>(
  { room, signal }: { room: ScratchRoom; signal: AbortSignal },
  jobId: string,
  stored: MediaSource,
  job: (fetched: Fetched) => Promise<T>,
): Promise<T> {
  if (isLocal(stored)) return await job({ source: stored, files: filesHere(stored), sha256: () => undefined })
  const opened: Scratch[] = []
  const folder = async (needBytes: number): Promise<Scratch> => {
    const scratch = await room.open(jobId, needBytes)
    opened.push(scratch)
    return scratch
  }
  let copying: ReturnType<typeof localFile> | undefined
  let sha256: string | undefined
  const whole = async (): Promise<LocalSource> => {
    copying ??= folder(stored.bytes).then((scratch) => localFile(stored, scratch, { signal }))
    const copied = await copying
    sha256 = copied.sha256
    return copied.source
  }
  let excerpt: Excerpt | undefined
  try {
    if (stored.bytes > SMALL_BYTES) excerpt = await openExcerpt(stored, (await folder(EXCERPT_BYTES)).path('excerpt'))
    return await job({
      source: excerpt?.source ?? (await whole()),
      files: { excerpt: async (index) => (await excerpt?.local(firstSamples(index))) ?? null, whole },
      sha256: () => sha256,
    })
  } finally {
    await excerpt?.close()
    for (const scratch of opened) await scratch.remove()
  }
}
