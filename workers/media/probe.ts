// Runs ffprobe with JSON output and reads it defensively. Never its default text format: that does not escape line breaks
// in tags, so a file's title can forge streams and durations. Durations here come from headers and can be wrong; judge by
// the index (mp4/) or by a demux pass.

import type { Container } from '../../src/core/identify.ts'
import { inputArgs, isDecodable } from './input.ts'
import { isRecord, numberOf, stringOf } from './json.ts'
import type { Runner, ToolLimits } from './run.ts'
import type { LocalSource } from './source.ts'
import { ToolError } from './tool-error.ts'
import { codecOf, idOf, isPicture, type VideoStream, videoStream } from './video-stream.ts'

export type { VideoStream } from './video-stream.ts'

export type AudioStream = {
  index: number
  /** The container's own number of the track (MP4). */
  id: number | null
  codec: string
  profile: string | null
  channels: number
  layout: string | null
  sampleRate: number
  bitsPerSecond: number | null
  durationSeconds: number | null
  default: boolean
}

export type ProbeResult = {
  /** ffmpeg's name of the demuxer, e.g. `mov,mp4,m4a,3gp,3g2,mj2`. */
  format: string
  /** From the header; can be wrong. */
  durationSeconds: number | null
  bitsPerSecond: number | null
  /** The stream to show; a probe alone can only guess: the default one, otherwise the first that can be decoded. */
  video: VideoStream | null
  audio: AudioStream | null
  /** All real video and audio streams. */
  videos: VideoStream[]
  audios: AudioStream[]
  /** Cover pictures, subtitles, time codes, positions… */
  otherStreams: number
}

export type ToolContext = {
  runner: Runner
  /** The job's scratch folder. */
  cwd: string
  signal?: AbortSignal | undefined
}

const PROBE_LIMITS: ToolLimits = {
  wallMs: 60_000,
  cpuSeconds: 20,
  memoryBytes: 3 * 1024 ** 3,
  outputBytes: 2 * 1024 * 1024,
  fileBytes: 1024 * 1024,
}

/** The fields that ffprobe prints; others are left out, because a file may have megabytes of metadata. */
const ENTRIES = [
  'format=format_name,duration,bit_rate',
  [
    'stream=index,id,codec_name,codec_tag_string,codec_type,profile,level,width,height,sample_aspect_ratio,pix_fmt,field_order',
    'color_range,color_transfer,color_primaries,color_space,bits_per_raw_sample,avg_frame_rate,r_frame_rate,bit_rate',
    'start_time,duration,nb_frames,channels,channel_layout,sample_rate',
  ].join(','),
  'stream_disposition=default,attached_pic,still_image,timed_thumbnails',
  'stream_tags=rotate',
  'stream_side_data=rotation,displaymatrix',
].join(':')

/** @returns the arguments for ffprobe */
function probeArgs(source: LocalSource, container: Container): string[] {
  return [
    ['-hide_banner'],
    ['-loglevel', 'level+error'],
    ['-of', 'json'],
    ['-show_entries', ENTRIES],
    // ffprobe opens the decoder of every stream, and fails completely if one is experimental.
    ['-strict', '-2'],
    inputArgs(source, { container, anyDecoder: true }),
  ].flat()
}

/**
 * Runs ffprobe on the file.
 *
 * @param container from the first bytes; decides the demuxer
 * @throws {ToolError} `INPUT_UNREADABLE` or `INPUT_REFUSED` (source `input`) if there is nothing to show, otherwise `system`
 */
export async function probe(context: ToolContext, source: LocalSource, container: Container): Promise<ProbeResult> {
  const { stdout, stderrTail } = await context.runner.run({
    tool: 'ffprobe',
    args: probeArgs(source, container),
    limits: PROBE_LIMITS,
    cwd: context.cwd,
    signal: context.signal,
    reads: [source.path],
  })
  try {
    return parseProbe(JSON.parse(stdout.toString('utf8')))
  } catch (error) {
    throw new ToolError('INPUT_UNREADABLE', 'input', 'ffprobe found nothing readable', stderrTail, {
      cause: error,
    })
  }
}

/**
 * Reads ffprobe's JSON.
 *
 * @throws {TypeError} if it is not a description of streams
 *
 * @internal
 */
export function parseProbe(json: unknown): ProbeResult {
  if (!isRecord(json) || !Array.isArray(json['streams'])) throw new TypeError('no streams in the probe')
  const format = isRecord(json['format']) ? json['format'] : {}
  const streams = json['streams'].filter(isRecord)
  const isCover = (s: Record<string, unknown>): boolean =>
    ['attached_pic', 'still_image', 'timed_thumbnails'].some((name) => disposition(s, name))
  const videos = streams
    .filter((s) => s['codec_type'] === 'video' && !isCover(s))
    .map((s) => videoStream(s, disposition(s, 'default')))
  const audios = streams.filter((s) => s['codec_type'] === 'audio').map(audioStream)
  return {
    format: stringOf(format['format_name']) ?? 'unknown',
    durationSeconds: numberOf(format['duration']),
    bitsPerSecond: numberOf(format['bit_rate']),
    video: guess(videos.filter(isPicture)),
    audio: guess(audios.filter(({ channels }) => channels > 0)),
    videos,
    audios,
    otherStreams: streams.length - videos.length - audios.length,
  }
}

function guess<Stream extends VideoStream | AudioStream>(streams: readonly Stream[]): Stream | null {
  const decodable = streams.filter(({ codec }) => isDecodable(codec))
  const [first = null] = (decodable.length > 0 ? decodable : streams).toSorted(
    (a, b) => Number(b.default) - Number(a.default),
  )
  return first
}

function disposition(stream: Record<string, unknown>, name: string): boolean {
  const flags = stream['disposition']
  return isRecord(flags) && flags[name] === 1
}

function audioStream(stream: Record<string, unknown>): AudioStream {
  return {
    index: numberOf(stream['index']) ?? 0,
    id: idOf(stream),
    codec: codecOf(stream),
    profile: stringOf(stream['profile']),
    channels: numberOf(stream['channels']) ?? 0,
    layout: stringOf(stream['channel_layout']),
    sampleRate: numberOf(stream['sample_rate']) ?? 0,
    bitsPerSecond: numberOf(stream['bit_rate']),
    durationSeconds: numberOf(stream['duration']),
    default: disposition(stream, 'default'),
  }
}
