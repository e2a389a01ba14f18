// Whether there is picture and sound: detects a black or frozen picture, and a microphone that was off.
// One pass: keyframes only for the picture (an hour costs seconds, not minutes), one value per second for the sound.
// ffmpeg prints numbers and this file judges them, so that the rules are pure and can be tested without a video.

import type { Container } from '../../src/core/identify.ts'
import { inputArgs } from './input.ts'
import type { ToolContext } from './probe.ts'
import { lineReader, type ProgressBlock } from './progress.ts'
import { commonArgs } from './run.ts'
import type { LocalSource } from './source.ts'

export type Signals = {
  picture: PictureSignals | null
  sound: SoundSignals | null
  /** The decoders reported errors: something may be missing. */
  complained: boolean
}

export type PictureSignals = {
  /** Number of checked keyframes, at most about one per second. */
  samples: number
  /** Share of the time with a black picture, 0 to 1. */
  blackShare: number
  /** Share of the time without any change, for example a slide with a voice. */
  frozenShare: number
  /** Presentation time of each sample. */
  seenSeconds: number[]
  /** Times at which the complete picture changed: hints for a reviewer, no proof of a cut. Seconds, at most 50. */
  jumpSeconds: number[]
}

export type SoundSignals = {
  seconds: number
  /** Share of the seconds below {@link SILENCE_DB}. */
  silentShare: number
  /** Start of each second of decoded sound: more than a second after the previous one if sound in between was not decoded. */
  heardSeconds: number[]
  /** Loudest sample and mean level, in dB below full scale; null for digital silence. */
  peakDb: number | null
  meanDb: number | null
}

export type SignalsOptions = {
  /** Indexes as in the probe; null if there is none. */
  videoStream: number | null
  audioStream: number | null
  /** Check all frames instead of keyframes: for files with very few keyframes. */
  everyPicture?: boolean
  wallMs?: number
  idleMs?: number
  onProgress?: (block: ProgressBlock) => void
}

/** Pixels up to this brightness count as black (16 is black, 235 white). */
const BLACK_LUMA = 34
/**
 * A picture is black up to this share of brighter pixels, which are dead pixels or noise. One line of white text on a
 * black slide is ten times as much.
 */
const VISIBLE_SHARE = 0.0003
/** Mean change of a pixel from one keyframe to the next: noise of a still picture stays below. */
const FROZEN_DIFFERENCE = 0.35
const JUMP_DIFFERENCE = 32
const MAX_JUMPS = 50
/** A quiet classroom is at -45 dB; a microphone that is off or unplugged is far below this. */
const SILENCE_DB = -60

/** The mean luma of a picture after all visible pixels were set to white, and the mean change of a pixel. */
const PICTURE_KEYS = ['YAVG', 'YDIF'].map((key) => `lavfi.signalstats.${key}`)
const SOUND_KEYS = ['RMS_level', 'Peak_level'].map((key) => `lavfi.astats.Overall.${key}`)

/** @returns ffmpeg's arguments; the picture's numbers go to descriptor 1, the sound's to descriptor 4 */
function signalsArgs(source: LocalSource, container: Container, options: SignalsOptions): string[] {
  const { videoStream, audioStream } = options
  const print = (descriptor: number, key?: string): string =>
    `print:file=pipe\\\\:${descriptor}:direct=1${key === undefined ? '' : `:key=${key}`}`
  const [brightness, change] = PICTURE_KEYS
  const picture = [
    // At most one per second: otherwise files in which every frame is a keyframe would cost a hundred times as much.
    "select='isnan(prev_selected_t)+gte(t-prev_selected_t\\,0.9)'",
    // Each pixel is the mean of its source pixels, so that thin letters are not lost.
    'scale=160:-2:flags=area:out_range=tv',
    'format=yuv420p',
    'signalstats',
    `metadata=${print(1, change)}`,
    `lutyuv=y='255*gt(val\\,${BLACK_LUMA})'`,
    'signalstats',
    `metadata=${print(1, brightness)}`,
  ]
  const sound = [
    'aresample=16000',
    'asetnsamples=n=16000:p=0',
    'astats=metadata=1:reset=1:measure_perchannel=none:measure_overall=RMS_level+Peak_level',
    `ametadata=${print(4)}`,
  ]
  const threads = ['-threads', '1']
  return [
    commonArgs('error'),
    // Decoded frames are checked, even if there are few.
    ['-max_error_rate', '1'],
    inputArgs(source, { container, extra: options.everyPicture ? threads : [...threads, '-skip_frame:v', 'nokey'] }),
    videoStream === null
      ? []
      : ['-map', `0:${videoStream}`, '-vf', picture.join(','), '-fps_mode', 'passthrough', '-f', 'null', '-'],
    audioStream === null ? [] : ['-map', `0:${audioStream}`, '-af', sound.join(','), '-f', 'null', '-'],
  ].flat()
}

/**
 * Measures picture and sound.
 *
 * @throws {ToolError} when the file cannot be decoded at all, or the run itself fails
 */
export async function measureSignals(
  context: ToolContext,
  source: LocalSource,
  container: Container,
  options: SignalsOptions,
): Promise<Signals> {
  if (options.videoStream === null && options.audioStream === null)
    return { picture: null, sound: null, complained: false }
  const picture = metadataReader(PICTURE_KEYS)
  const sound = metadataReader(SOUND_KEYS)
  let complained = false
  await context.runner.run({
    tool: 'ffmpeg',
    args: signalsArgs(source, container, options),
    limits: {
      wallMs: options.wallMs ?? 30 * 60_000,
      cpuSeconds: 1200,
      memoryBytes: 3 * 1024 ** 3,
      outputBytes: 64 * 1024 * 1024,
      fileBytes: 1024 * 1024,
    },
    cwd: context.cwd,
    signal: context.signal,
    idleMs: options.idleMs ?? 120_000,
    onStdout: picture.push,
    onSide: sound.push,
    onStderrLine() {
      complained = true
    },
    onProgress: options.onProgress ?? (() => {}),
    reads: [source.path],
  })
  return {
    picture: options.videoStream === null ? null : judgePicture(picture.frames()),
    sound: options.audioStream === null ? null : judgeSound(sound.frames()),
    complained,
  }
}

/** One frame as printed by ffmpeg's `metadata` filter: its time, and the values of the keys asked for, in that order. */
export type MetadataFrame = { seconds: number; values: number[] }

/** Consumes `frame:0 pts:0 pts_time:0` and the `key=value` lines behind it; a frame may be printed in two pieces. @internal */
export function metadataReader(keys: readonly string[]): {
  push(chunk: Buffer): void
  frames(): MetadataFrame[]
} {
  const frames: MetadataFrame[] = []
  const onLine = (line: string): void => {
    const head = /^frame:\d+\s+pts:\S+\s+pts_time:(\S+)/.exec(line)
    if (head) {
      if (frames.at(-1)?.seconds === Number(head[1])) return
      frames.push({ seconds: Number(head[1]), values: keys.map(() => Number.NaN) })
      return
    }
    const at = line.indexOf('=')
    const key = keys.indexOf(line.slice(0, at))
    const frame = frames.at(-1)
    if (at > 0 && key >= 0 && frame) frame.values[key] = toNumber(line.slice(at + 1).trim())
  }
  return {
    push: lineReader(onLine),
    frames: () => frames,
  }
}

function toNumber(text: string): number {
  return text === '-inf' ? Number.NEGATIVE_INFINITY : Number.parseFloat(text)
}

/** @param frames values: brightness (0 to 255) with visible pixels set to white; mean difference to the previous frame @internal */
export function judgePicture(frames: readonly MetadataFrame[]): PictureSignals {
  let black = 0
  let frozen = 0
  let total = 0
  const jumpSeconds: number[] = []
  frames.forEach((frame, i) => {
    const [brightness = 0, difference = 0] = frame.values
    // A keyframe stands for the time up to the next one; the last one for as long as the previous one.
    const next =
      frames[i + 1]?.seconds ?? frame.seconds + (frame.seconds - (frames[i - 1]?.seconds ?? frame.seconds - 1))
    const seconds = Math.max(0, next - frame.seconds)
    total += seconds
    if (brightness < VISIBLE_SHARE * 255) black += seconds
    if (i > 0 && difference <= FROZEN_DIFFERENCE) frozen += seconds
    if (i > 0 && difference >= JUMP_DIFFERENCE && jumpSeconds.length < MAX_JUMPS) jumpSeconds.push(frame.seconds)
  })
  // The first keyframe cannot be called frozen, so it does not count for that share.
  const first = frames[1] && frames[0] ? frames[1].seconds - frames[0].seconds : 0
  const share = (part: number, whole: number): number => (whole > 0 ? Math.min(1, part / whole) : 0)
  return {
    samples: frames.length,
    blackShare: share(black, total),
    frozenShare: share(frozen, total - first),
    jumpSeconds,
    seenSeconds: frames.map(({ seconds }) => seconds),
  }
}

/** @param all values per second: RMS level and peak level in dB, minus infinity for digital silence @internal */
export function judgeSound(all: readonly MetadataFrame[]): SoundSignals {
  // The last value is a rest of less than a second, padded or faded out, so it does not count.
  const frames = all.length > 1 ? all.slice(0, -1) : all
  const levels = frames.map((frame) => frame.values[0] ?? Number.NaN).filter((level) => !Number.isNaN(level))
  const peaks = frames.map((frame) => frame.values[1] ?? Number.NEGATIVE_INFINITY)
  const power = levels.reduce((sum, level) => sum + 10 ** (level / 10), 0) / Math.max(1, levels.length)
  const finite = (value: number): number | null => (Number.isFinite(value) ? Math.round(value * 10) / 10 : null)
  return {
    seconds: levels.length,
    silentShare: levels.length === 0 ? 1 : levels.filter((level) => level < SILENCE_DB).length / levels.length,
    heardSeconds: all.map(({ seconds }) => seconds),
    peakDb: finite(peaks.reduce((a, b) => Math.max(a, Number.isNaN(b) ? a : b), Number.NEGATIVE_INFINITY)),
    meanDb: finite(10 * Math.log10(power)),
  }
}
