// Decides how a video is converted: only a remux if browsers can play its streams, otherwise H.264 and AAC.
// A pure function of the probe, so that each case is a line in a table of tests.
//
// Even a perfect MP4 is remuxed (seconds, no loss): a phone writes the GPS position into the original, and viewers must
// not get it.

import { isDecodable } from './input.ts'
import { fitSize, type ToneMap, toneMapOf } from './picture.ts'
import type { AudioStream, ProbeResult } from './probe.ts'
import type { VideoStream } from './video-stream.ts'

export type VideoRendition = {
  name: string
  /** Height of a landscape picture, width of a portrait one; smaller sources are never enlarged. */
  maxShortSidePx: number
  maxFramesPerSecond: 30 | 60
  /** x264's constant quality; 23 is good, 28 is small. */
  crf: number
  preset: 'ultrafast' | 'superfast' | 'veryfast' | 'faster' | 'fast' | 'medium'
  /** Maximum bit rate of the video; constant quality alone has no limit for noisy pictures. */
  maxVideoBitsPerSecond: number
  audioBitsPerSecond: number
  /** Streams that browsers play may be kept as they are. */
  allowCopy: boolean
}

export type VideoEncode = {
  width: number
  height: number
  /** `25`, `30000/1001`…; null keeps each frame's own time. */
  framesPerSecond: string | null
  deinterlace: boolean
  toneMap: ToneMap | null
}

export type VideoPlan = {
  rendition: VideoRendition
  mode: 'remux' | 'encode'
  /** Indexes as in the probe. */
  video: { index: number; how: 'copy'; codec: string } | ({ index: number; how: 'encode' } & VideoEncode)
  audio: { index: number; how: 'copy' } | { index: number; how: 'encode'; channels: 1 | 2 } | null
  /** Displayed size, for the record. */
  width: number
  height: number
  /** Why streams could not be kept, in English: for logs and tests. */
  reasons: string[]
}

/** Demuxers with a presentation time for each frame; AVI and other old formats have none, so a copy would play unevenly. */
const TIMED_FORMATS = new Set(['mov', 'matroska', 'mpegts', 'flv'])
/** Phones, school computers and televisions decode up to level 4.2 in hardware, and refuse a stream of a higher level. */
const MAX_LEVEL = 42
const COPYABLE_PROFILES = new Set(['Constrained Baseline', 'Baseline', 'Main', 'High', 'Progressive High'])

/**
 * Decides how a rendition is made.
 *
 * @returns null if there is no video stream to show
 */
export function planVideo(probe: ProbeResult, rendition: VideoRendition): VideoPlan | null {
  const { video } = probe
  if (video === null) return null
  // An audio stream that no decoder here supports is left out: the picture is shown without sound.
  const audio = probe.audio !== null && isDecodable(probe.audio.codec) ? probe.audio : null
  const size = fitSize(video, rendition.maxShortSidePx)
  const videoReasons = rendition.allowCopy
    ? [...whyEncodeFormat(probe.format), ...whyEncodeVideo(video, rendition)]
    : ['copying is not allowed']
  const audioReasons = audio === null ? [] : rendition.allowCopy ? whyEncodeAudio(audio) : ['copying is not allowed']
  const copyVideo = videoReasons.length === 0
  return {
    rendition,
    mode: copyVideo && audioReasons.length === 0 ? 'remux' : 'encode',
    video: copyVideo
      ? { index: video.index, how: 'copy', codec: video.codec }
      : {
          index: video.index,
          how: 'encode',
          ...size,
          framesPerSecond: chooseRate(video, rendition.maxFramesPerSecond),
          deinterlace: video.interlaced,
          toneMap: toneMapOf(video),
        },
    audio: audio === null ? null : planAudio(audio, audioReasons),
    ...(copyVideo ? { width: video.displayWidth, height: video.displayHeight } : size),
    reasons: [...new Set([...videoReasons, ...audioReasons])],
  }
}

function whyEncodeFormat(format: string): string[] {
  return format.split(',').some((name) => TIMED_FORMATS.has(name)) ? [] : [`no times in ${format}`]
}

function whyEncodeVideo(video: VideoStream, rendition: VideoRendition): string[] {
  const reasons: string[] = []
  const rate = video.framesPerSecond ?? 0
  if (video.codec !== 'h264') reasons.push(`codec ${video.codec}`)
  if (video.pixelFormat !== 'yuv420p') reasons.push(`pixels ${video.pixelFormat}`)
  if (video.codec === 'h264' && !COPYABLE_PROFILES.has(video.profile ?? '')) reasons.push(`profile ${video.profile}`)
  if (video.codec === 'h264' && (video.level ?? 0) > MAX_LEVEL) reasons.push(`level ${video.level}`)
  if (video.fullRange) reasons.push('full range')
  if (!video.plainMatrix) reasons.push('an odd display matrix')
  if (video.interlaced) reasons.push('interlaced')
  if (video.hdr) reasons.push('high dynamic range')
  if (!video.squarePixels) reasons.push('pixels not square')
  if (rate > rendition.maxFramesPerSecond * 1.01) reasons.push(`${rate.toFixed(1)} frames/s`)
  if (Math.min(video.displayWidth, video.displayHeight) > rendition.maxShortSidePx) reasons.push('too large')
  if ((video.bitsPerSecond ?? 0) > rendition.maxVideoBitsPerSecond) reasons.push('too many bits')
  return reasons
}

/** AAC LC in mono or stereo is what every browser plays; more channels become unbalanced on some phones. */
function whyEncodeAudio(audio: AudioStream): string[] {
  const reasons: string[] = []
  if (audio.codec !== 'aac') reasons.push(`sound ${audio.codec}`)
  else if (audio.profile !== null && audio.profile !== 'LC') reasons.push(`sound profile ${audio.profile}`)
  if (audio.channels > 2) reasons.push(`${audio.channels} channels`)
  return reasons
}

function planAudio(audio: AudioStream, reasons: readonly string[]): VideoPlan['audio'] {
  if (reasons.length === 0) return { index: audio.index, how: 'copy' }
  return { index: audio.index, how: 'encode', channels: audio.channels === 1 ? 1 : 2 }
}

/** Known rates as exact fractions; others are rounded to an integer. */
const RATES: ReadonlyArray<[number, string]> = [
  [24000 / 1001, '24000/1001'],
  [30000 / 1001, '30000/1001'],
  [60000 / 1001, '60000/1001'],
]

/**
 * A constant rate of at most `max`. Higher rates are divided by the smallest integer that fits, so that motion
 * stays even; variable rates (screen recordings, phones in the dark) become constant, because players lose sync otherwise.
 */
function chooseRate(video: VideoStream, max: number): string {
  const average = video.framesPerSecond
  const nominal = video.nominalFramesPerSecond ?? average
  if (average === null || nominal === null || average <= 0) return String(Math.min(30, max))
  const steady = Math.abs(nominal - average) / average < 0.02
  if (!steady) return String(Math.min(30, max))
  // The nominal rate is the exact one; the average is a little off where a frame was lost.
  const rate = nominal / Math.max(1, Math.ceil(nominal / (max * 1.01)))
  const exact = RATES.find(([value]) => Math.abs(value - rate) < 0.005)
  return exact ? exact[1] : String(Math.max(1, Math.round(rate * 100) / 100))
}
