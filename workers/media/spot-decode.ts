// Decodes two seconds at the start, the middle and the end of a video stream: a stream with packets may still not decode.

import type { Container } from '../../src/core/identify.ts'
import { inputArgs } from './input.ts'
import type { ToolContext } from './probe.ts'
import { commonArgs } from './run.ts'
import type { LocalSource } from './source.ts'
import { isLimit, ToolError } from './tool-error.ts'

export type Spot = {
  at: 'first' | 'middle' | 'last'
  seconds: number
  /** Number of decoded frames. */
  frames: number
  /** Decoder errors; a few are normal after a seek between keyframes. */
  errors: number
  /** One of our limits was reached: without a frame nothing is known about this position. */
  limited: boolean
}

export type SpotOptions = {
  /** Index of the video stream. */
  stream: number
  /** Start by the file's own timestamps, which may be long after the sound. */
  startSeconds: number
  /** Measured duration of the video stream. */
  durationSeconds: number
}

const SPOT_SECONDS = 2

/**
 * Decodes the three positions, one after the other.
 *
 * @returns the number of frames of each; `frames: 0` is undecodable there
 * @throws {ToolError} only system errors: a decoder that fails because of the file is a result
 */
export async function spotDecode(
  context: ToolContext,
  source: LocalSource,
  container: Container,
  options: SpotOptions,
): Promise<Spot[]> {
  const { startSeconds, durationSeconds } = options
  const spots: Array<Pick<Spot, 'at' | 'seconds'>> = [
    { at: 'first', seconds: startSeconds },
    { at: 'middle', seconds: startSeconds + durationSeconds / 2 },
    { at: 'last', seconds: startSeconds + durationSeconds - SPOT_SECONDS },
  ]
  const results: Spot[] = []
  // Without an index a seek may miss: only the start is certain.
  const certain = INDEXED.has(container) ? spots : spots.filter(({ at }) => at === 'first')
  for (const { at, seconds } of certain) {
    // The first position covers a clip of a few seconds completely.
    if (at !== 'first' && durationSeconds <= SPOT_SECONDS * 2) continue
    results.push(await decodeSpot(context, source, container, options.stream, at, seconds))
  }
  return results
}

/**
 * Whether any frame is decoded from a keyframe on, with or without errors, or one of our limits was reached.
 *
 * @param seconds of the keyframe, relative to the tools' start of the file
 */
export async function isShownAt(
  context: ToolContext,
  source: LocalSource,
  container: Container,
  stream: number,
  seconds: number,
): Promise<boolean> {
  // Some containers do not mark a keyframe at or before 0.
  const place = seconds < START_SECONDS ? [] : ['-noaccurate_seek', '-ss', (seconds + ROUNDING_SECONDS).toFixed(3)]
  const { frames, limited } = await decode(context, source, container, {
    at: 'middle',
    seconds,
    stream,
    inputSeek: place,
    end: ['-t', '0.5'],
  })
  return frames > 0 || limited
}

/** Decodes the picture of a short transport stream. @param pid of the picture */
export async function decodeAll(context: ToolContext, source: LocalSource, pid: number): Promise<Spot> {
  const all = { at: 'first' as const, seconds: 0, stream: `i:${pid}`, inputSeek: [], end: [] }
  return await decode(context, source, 'mpegts', all)
}

/** Whether the first seconds of a finished MP4 decode without errors; they may contain only sound. */
export async function beginsClean(context: ToolContext, source: LocalSource, stream: number): Promise<boolean> {
  const end = ['-t', String(SPOT_SECONDS)]
  const first = { at: 'first' as const, seconds: 0, stream, inputSeek: [], end }
  const { errors } = await decode(context, source, 'mp4', first)
  return errors === 0
}

/** Tolerance for a first frame that is shown some frames later. */
const START_SECONDS = 0.5
/** Rounding of times to three digits: the keyframe itself must not be after the position. */
const ROUNDING_SECONDS = 0.002

/**
 * A position without a frame is checked again in a wider range. Screen recorders write a frame only when something
 * moves, so the visible frame may be minutes old: decoding begins at the keyframe before it, and must give no errors if
 * the index lists the samples. A stream that starts between keyframes, or long after the sound, gives its first frame at
 * its first keyframe: nothing is decoded before that.
 */
async function decodeSpot(
  context: ToolContext,
  source: LocalSource,
  container: Container,
  stream: number,
  at: Spot['at'],
  seconds: number,
): Promise<Spot> {
  const look = (inputSeek: readonly string[], end: readonly string[]): Promise<Spot> =>
    decode(context, source, container, { at, seconds, stream, inputSeek, end })
  const short = ['-t', String(SPOT_SECONDS)]
  // By the file's own timestamps, not relative to the tools' start: other streams may begin earlier.
  const place = ['-seek_timestamp', '1', '-ss', seconds.toFixed(3)]
  const narrow = await look(INDEXED.has(container) ? place : [], short)
  if (narrow.frames > 0) return narrow
  // Two seconds of it take too long: one frame is enough.
  if (narrow.limited)
    return await look(INDEXED.has(container) ? ['-noaccurate_seek', ...place] : [], ['-frames:v', '1'])
  const wide = at === 'first' ? await look([], ['-frames:v', '1']) : await look(['-noaccurate_seek', ...place], short)
  return wide.errors > 0 && INDEXED.has(container) ? narrow : wide
}

/** The index lists every frame, so an undecodable frame is an error. */
const INDEXED: ReadonlySet<Container> = new Set(['mp4', 'mov', '3gp'])

type Look = Pick<Spot, 'at' | 'seconds'> & {
  /** Index, or `i:` and the number in the container. */
  stream: number | string
  inputSeek: readonly string[]
  /** Where the output ends. */
  end: readonly string[]
}

async function decode(
  context: ToolContext,
  source: LocalSource,
  container: Container,
  { at, seconds, stream, inputSeek, end }: Look,
): Promise<Spot> {
  const spot: Spot = { at, seconds, frames: 0, errors: 0, limited: false }
  try {
    await context.runner.run({
      tool: 'ffmpeg',
      args: [
        commonArgs('error'),
        inputArgs(source, { container, extra: ['-threads', '1', ...inputSeek] }),
        end,
        ['-map', `0:${stream}`],
        ['-an', '-sn', '-dn'],
        // A frame from before the position has a negative time, which a constant frame rate would drop.
        ['-fps_mode', 'passthrough'],
        ['-f', 'null', '-'],
      ].flat(),
      limits: {
        wallMs: 120_000,
        cpuSeconds: 30,
        memoryBytes: 3 * 1024 ** 3,
        outputBytes: 64 * 1024,
        fileBytes: 1024 * 1024,
      },
      cwd: context.cwd,
      signal: context.signal,
      onStderrLine: () => {
        spot.errors++
      },
      onProgress: (block) => {
        spot.frames = Math.max(spot.frames, block.frames ?? 0)
      },
      reads: [source.path],
    })
  } catch (error) {
    if (!(error instanceof ToolError) || error.source === 'system') throw error
    spot.errors++
    spot.limited = isLimit(error)
  }
  return spot
}
