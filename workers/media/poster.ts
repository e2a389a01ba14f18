// The poster of a video. Not the first frame (black, or a hand on the lens): at five positions between 10 and 50 % ffmpeg's
// `thumbnail` filter picks the most typical of some keyframes. Of these the one with the most detail is used; the size of
// its JPEG is a good and cheap measure for that.

import { rename, rm, stat } from 'node:fs/promises'
import { join } from 'node:path'
import type { Container } from '../../src/core/identify.ts'
import { inputArgs } from './input.ts'
import { fitSize, toneMapFilters, toneMapOf } from './picture.ts'
import type { ToolContext } from './probe.ts'
import type { LocalSource } from './source.ts'
import { ToolError } from './tool-error.ts'
import type { VideoStream } from './video-stream.ts'

export type PosterJob = {
  video: VideoStream
  container: Container
  /** Measured start of the picture, which may be long after the sound. */
  startSeconds: number
  durationSeconds: number
  /** Absolute, in the scratch folder, ending in `.jpg`. */
  outputPath: string
  /** Default 720; smaller sources are not enlarged. */
  maxShortSidePx?: number
}

export type Poster = { path: string; bytes: number; width: number; height: number; atSeconds: number }

const PLACES = [0.1, 0.2, 0.3, 0.4, 0.5]
/** Used only if no position gave a picture: a stream without an index cannot seek to the keyframe before a position. */
const BEGINNING = 0
const KEYFRAMES_PER_PLACE = 3
const SECONDS_PER_PLACE = 15

/** Decoding only keyframes fails for streams whose index is in the packets themselves. */
const SKIPPABLE = new Set<Container>(['mp4', 'mov', '3gp', 'matroska', 'webm', 'avi', 'flv'])

/**
 * Makes the poster.
 *
 * @throws {ToolError} `INPUT_UNREADABLE` if no position gives a picture
 */
export async function makePoster(context: ToolContext, source: LocalSource, job: PosterJob): Promise<Poster> {
  const size = fitSize(job.video, job.maxShortSidePx ?? 720)
  let best: { path: string; bytes: number; atSeconds: number } | null = null
  let failure: ToolError | null = null
  for (const [i, place] of [...PLACES, BEGINNING].entries()) {
    if (place === BEGINNING && best !== null) break
    const atSeconds = job.startSeconds + job.durationSeconds * place
    const path = join(context.cwd, `poster-${i}.jpg`)
    try {
      await grab(context, source, job, { atSeconds, path, ...size })
    } catch (error) {
      // One bad position in a long file must not prevent a poster.
      if (!(error instanceof ToolError) || error.source === 'system') throw error
      failure = error
    }
    const made = await stat(path).catch(() => null)
    if (made === null) continue
    if (made.size > (best?.bytes ?? 0)) {
      if (best) await rm(best.path)
      best = { path, bytes: made.size, atSeconds }
    } else {
      await rm(path)
    }
  }
  if (best === null) throw failure ?? new ToolError('INPUT_UNREADABLE', 'input', 'no picture in the video')
  await rename(best.path, job.outputPath)
  return { path: job.outputPath, bytes: best.bytes, ...size, atSeconds: best.atSeconds }
}

export type Grab = { atSeconds: number; path: string; width: number; height: number }

/** @returns ffmpeg's arguments for one position */
function posterArgs(source: LocalSource, job: PosterJob, grab: Grab): string[] {
  const filters = [
    `scale=${grab.width}:${grab.height}`,
    'setsar=1',
    ...toneMapFilters(toneMapOf(job.video)),
    `thumbnail=${KEYFRAMES_PER_PLACE}`,
    'format=yuvj420p',
  ]
  return [
    ['-nostdin', '-hide_banner'],
    ['-loglevel', 'level+error'],
    ['-threads', '1'],
    SKIPPABLE.has(job.container) ? ['-skip_frame', 'nokey'] : [],
    // Seeks to the keyframe before the position instead of decoding up to it.
    ['-noaccurate_seek'],
    ['-ss', grab.atSeconds.toFixed(3)],
    ['-t', String(SECONDS_PER_PLACE)],
    inputArgs(source, { container: job.container }),
    ['-map', `0:${job.video.index}`],
    ['-an', '-sn', '-dn'],
    ['-map_metadata', '-1'],
    ['-vf', filters.join(',')],
    // The keyframe is before the position, at a negative time: a constant frame rate would drop it.
    ['-fps_mode', 'passthrough'],
    ['-frames:v', '1'],
    ['-c:v', 'mjpeg'],
    ['-q:v', '4'],
    ['-f', 'image2'],
    ['-update', '1'],
    ['-y', `file:${grab.path}`],
  ].flat()
}

async function grab(context: ToolContext, source: LocalSource, job: PosterJob, place: Grab): Promise<void> {
  await context.runner.run({
    tool: 'ffmpeg',
    args: posterArgs(source, job, place),
    limits: {
      wallMs: 120_000,
      cpuSeconds: 30,
      memoryBytes: 3 * 1024 ** 3,
      outputBytes: 64 * 1024,
      fileBytes: 16 * 1024 * 1024,
    },
    cwd: context.cwd,
    signal: context.signal,
    reads: [source.path],
    writes: [place.path],
  })
}
