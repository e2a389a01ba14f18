// Decodes two seconds at the start, the middle and the end of a picture: a stream that has packets may still hold no picture.

import type { Container } from '../../src/core/identify.ts'
import { inputArgs } from './input.ts'
import type { ToolContext } from './probe.ts'
import { commonArgs } from './run.ts'
import type { LocalSource } from './source.ts'
import { isLimit, ToolError } from './tool-error.ts'

export type Spot = {
  at: 'first' | 'middle' | 'last'
  seconds: number
  /** Decoded pictures. */
  frames: number
  /** Complaints of the decoder; a few are common where a seek lands between keyframes. */
  errors: number
  /** It came to a limit of ours: without a frame nothing is known of the spot. */
  limited: boolean
}

export type SpotOptions = {
  /** Index of the video stream. */
  stream: number
  /** When it begins, by the file's own clock: it may be long after the sound. */
  startSeconds: number
  /** Measured duration of the video stream. */
  durationSeconds: number
}

const SPOT_SECONDS = 2

/**
 * Decodes the three spots, one after the other.
 *
 * @returns how many frames each gave; `frames: 0` is undecodable there
 * @throws {ToolError} only with fault `ours`: a decoder that fails on the file is a result
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
    // A clip of a few seconds is seen whole by its first spot.
    if (at !== 'first' && durationSeconds <= SPOT_SECONDS * 2) continue
    results.push(await decodeSpot(context, source, container, options.stream, at, seconds))
  }
  return results
}

/**
 * Whether anything is shown from a keyframe on, with or without complaints, or our limits kept us from seeing it.
 *
 * @param seconds of the keyframe, from where the tools let the file begin
 */
export async function isShownAt(
  context: ToolContext,
  source: LocalSource,
  container: Container,
  stream: number,
  seconds: number,
): Promise<boolean> {
  // Some containers hold no keyframe by their own account that is at 0 or before.
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

/** Whether the first seconds of a finished MP4 decode without a complaint; there may be sound alone in them. */
export async function beginsClean(context: ToolContext, source: LocalSource, stream: number): Promise<boolean> {
  const end = ['-t', String(SPOT_SECONDS)]
  const first = { at: 'first' as const, seconds: 0, stream, inputSeek: [], end }
  const { errors } = await decode(context, source, 'mp4', first)
  return errors === 0
}

/** A first picture that is shown some frames after its time. */
const START_SECONDS = 0.5
/** Of a time with three digits: the keyframe itself must not lie behind the place. */
const ROUNDING_SECONDS = 0.002

/**
 * A spot whose seconds hold no picture is looked at once more and wider. Screen recorders write a picture when something
 * moves, so that the one on show may be minutes old: decoding begins at the keyframe before it, and must go without a
 * complaint where the index has said what is there. A stream caught in mid-air, or one that begins long after the sound,
 * gives its first picture at its first keyframe, wherever that is: nothing is decoded before that.
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
  // By the file's own clock, not from where the tools let it begin: streams that are not looked at may begin earlier.
  const place = ['-seek_timestamp', '1', '-ss', seconds.toFixed(3)]
  const narrow = await look(INDEXED.has(container) ? place : [], short)
  if (narrow.frames > 0) return narrow
  // Two seconds of it take too long: one picture will do.
  if (narrow.limited)
    return await look(INDEXED.has(container) ? ['-noaccurate_seek', ...place] : [], ['-frames:v', '1'])
  const wide = at === 'first' ? await look([], ['-frames:v', '1']) : await look(['-noaccurate_seek', ...place], short)
  return wide.errors > 0 && INDEXED.has(container) ? narrow : wide
}

/** The index names every picture: where one cannot be decoded, something is wrong with it. */
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
        // A picture from before the place has a negative time, which a rate would drop.
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
