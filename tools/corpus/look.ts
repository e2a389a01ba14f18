// Checks a published rendition with standard tools, without the worker's own code.

import { execFile } from 'node:child_process'
import { readFile } from 'node:fs/promises'
import { promisify } from 'node:util'
import { places } from '../../test/support/media/mp4-bytes.ts'
import type { Look } from './model.ts'

const execute = promisify(execFile)
const OPTIONS = { maxBuffer: 16 * 1024 * 1024, timeout: 120_000 }

/** Tags that every muxer writes; no personal data. */
const PLAIN_TAGS = new Set([
  'major_brand',
  'minor_version',
  'compatible_brands',
  'encoder',
  'language',
  'handler_name',
  'vendor_id',
])
/** Their default values. */
const PLAIN_VALUES: Record<string, RegExp> = {
  handler_name: /^(VideoHandler|SoundHandler)$/,
  language: /^und$/,
  encoder: /^(Lavf|Lavc)/,
}

type Stream = {
  codec_type?: string
  codec_name?: string
  pix_fmt?: string
  width?: number
  height?: number
  channels?: number
  avg_frame_rate?: string
  tags?: Record<string, string>
  side_data_list?: { rotation?: number }[]
}
type Probe = { streams: Stream[]; format: { duration?: string; tags?: Record<string, string> } }

/** @param secrets texts that must not be in it */
export async function lookAt(path: string, secrets: readonly string[]): Promise<Look> {
  // The picture may begin long after the sound, so ffprobe reads far into the file.
  const readFar = ['-analyzeduration', '300M', '-probesize', '50M']
  const args = ['-v', 'error', ...readFar, '-of', 'json', '-show_streams', '-show_format', path]
  const probe = JSON.parse((await execute('ffprobe', args, OPTIONS)).stdout) as Probe
  const video = probe.streams.find(({ codec_type: type }) => type === 'video')
  const audio = probe.streams.find(({ codec_type: type }) => type === 'audio')
  const bytes = await readFile(path)
  const tags = [probe.format.tags ?? {}, ...probe.streams.map((stream) => stream.tags ?? {})]
  const at = (type: string): number => places(bytes, type)[0]?.start ?? Number.POSITIVE_INFINITY
  return {
    videoCodec: video?.codec_name ?? null,
    pixelFormat: video?.pix_fmt ?? null,
    width: video?.width ?? 0,
    height: video?.height ?? 0,
    rotation: video?.side_data_list?.find(({ rotation }) => rotation !== undefined)?.rotation ?? 0,
    framesPerSecond: rate(video?.avg_frame_rate),
    audioCodec: audio?.codec_name ?? null,
    channels: audio?.channels ?? null,
    seconds: probe.format.duration === undefined ? null : Number(probe.format.duration),
    otherStreams: probe.streams.length - (video ? 1 : 0) - (audio ? 1 : 0),
    indexFirst: at('moov') < at('mdat'),
    decodeErrors: await decodeErrors(path),
    strayTags: tags.flatMap((all) =>
      Object.entries(all)
        .filter(isStray)
        .map(([name]) => name),
    ),
    secrets: secrets.filter((secret) => bytes.includes(secret) || bytes.includes(Buffer.from(secret, 'utf16le'))),
  }
}

function isStray([name, value]: [string, string]): boolean {
  if (!PLAIN_TAGS.has(name)) return true
  return PLAIN_VALUES[name]?.test(value) === false
}

function rate(text: string | undefined): number | null {
  const [num = 0, den = 0] = (text ?? '').split('/').map(Number)
  return den > 0 ? num / den : null
}

async function decodeErrors(path: string): Promise<number> {
  const args = ['-nostdin', '-v', 'error', '-i', path, '-f', 'null', '-']
  const { stderr } = await execute('ffmpeg', args, OPTIONS).catch((error: Error) => ({
    stderr: error.message,
  }))
  return stderr.split('\n').filter(Boolean).length
}
