// Decodes two seconds at the start, the middle and the end: a stream that has packets may still hold no picture.

import type { Container } from '../../src/core/identify.ts'
import { inputArgs } from './input.ts'
import type { ToolContext } from './probe.ts'
import { PROGRESS_ARGS } from './run.ts'
import type { LocalSource } from './source.ts'
import { ToolError } from './tool-error.ts'

export type Spot = {
  at: 'first' | 'middle' | 'last'
  seconds: number
  /** Decoded pictures. */
  frames: number
  /** Complaints of the decoder; a few are common where a seek lands between keyframes. */
  errors: number
}

export type SpotOptions = {
  /** Index of the video stream. */
  stream: number
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
  const { durationSeconds } = options
  const spots: Array<Pick<Spot, 'at' | 'seconds'>> = [
    { at: 'first', seconds: 0 },
    { at: 'middle', seconds: durationSeconds / 2 },
    { at: 'last', seconds: durationSeconds - SPOT_SECONDS },
  ]
  const results: Spot[] = []
  for (const { at, seconds } of spots) {
    // A clip of a few seconds is seen whole by its first spot.
    if (at !== 'first' && durationSeconds <= SPOT_SECONDS * 2) continue
    results.push(await decodeSpot(context, source, container, options.stream, at, Math.max(0, seconds)))
  }
  return results
}

/** A stream caught in mid-air gives its first picture only at its first keyframe. */
const FIRST_PICTURE_SECONDS = 20

/**
 * A spot whose seconds hold no picture is looked at once more and wider. Screen recorders write a picture when something
 * moves, so that the one on show may be minutes old: decoding begins at the keyframe before it, and must go without a
 * complaint where the index has said what is there.
 */
async function decodeSpot(
  context: ToolContext,
  source: LocalSource,
  container: Container,
  stream: number,
  at: Spot['at'],
  seconds: number,
): Promise<Spot> {
  const look = (inputSeek: readonly string[], length: number): Promise<Spot> =>
    decode(context, source, container, { at, seconds, stream, inputSeek, length })
  const place = ['-ss', seconds.toFixed(3)]
  const narrow = await look(place, SPOT_SECONDS)
  if (narrow.frames > 0) return narrow
  const wide =
    at === 'first'
      ? await look([], FIRST_PICTURE_SECONDS)
      : await look(['-noaccurate_seek', ...place], SPOT_SECONDS)
  return wide.errors > 0 && INDEXED.has(container) ? narrow : wide
}

/** The index names every picture: where one cannot be decoded, something is wrong with it. */
const INDEXED: ReadonlySet<Container> = new Set(['mp4', 'mov', '3gp'])

type Look = Pick<Spot, 'at' | 'seconds'> & { stream: number; inputSeek: readonly string[]; length: number }

async function decode(
  context: ToolContext,
  source: LocalSource,
  container: Container,
  { at, seconds, stream, inputSeek, length }: Look,
): Promise<Spot> {
  const spot: Spot = { at, seconds, frames: 0, errors: 0 }
  try {
    await context.runner.run({
      tool: 'ffmpeg',
      args: [
        ...['-nostdin', '-hide_banner', '-loglevel', 'level+error', ...PROGRESS_ARGS],
        ...inputArgs(source, { container, extra: ['-threads', '1', ...inputSeek] }),
        ...['-t', String(length), '-map', `0:${stream}`, '-an', '-sn', '-dn'],
        // A picture from before the place has a negative time, which a rate would drop.
        ...['-fps_mode', 'passthrough', '-f', 'null', '-'],
      ],
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
  }
  return spot
}
