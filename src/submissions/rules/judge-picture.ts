// The rules of video format and encoding, without decoding.

import type { Measured } from '../../records/upload-record.ts'
import type { MediaRules } from '../profiles/media.ts'
import type { Findings } from './findings.ts'

/** 59.94 and 60.0002 count as 60. */
const FRAME_RATE_SLACK = 0.5

export function judgePicture(media: MediaRules, measured: Measured, findings: Findings): void {
  const { videoCodec, audioCodec, videoUnknown, audioUnknown } = measured
  // An unknown codec is as severe as damage, but has another text.
  if (videoUnknown) unknown(media.videoCodecs ?? ['h264'], videoCodec, 'picture', findings)
  else uncommon(media.videoCodecs, videoCodec, findings)
  if (audioUnknown) unknown(media.audioCodecs ?? ['aac'], audioCodec, 'sound', findings)
  else uncommon(media.audioCodecs, audioCodec, findings)
  const { width, height, framesPerSecond, audioTracks } = measured
  if (width !== undefined && height !== undefined) {
    const shortSide = Math.min(width, height)
    if (media.minShortSidePixels !== undefined && shortSide < media.minShortSidePixels) {
      findings.add('LOW_RESOLUTION', { limit: media.minShortSidePixels, actual: shortSide })
    }
    // A phone held upright stores a landscape picture with a rotation of 90 degrees.
    const turned = measured.rotation === 90 || measured.rotation === 270
    const [shownWidth, shownHeight] = turned ? [height, width] : [width, height]
    if (shownHeight > shownWidth) findings.add('PORTRAIT', { actual: `${shownWidth}x${shownHeight}` })
  }
  const { maxFramesPerSecond } = media
  if (
    maxFramesPerSecond !== undefined &&
    framesPerSecond !== undefined &&
    framesPerSecond > maxFramesPerSecond + FRAME_RATE_SLACK
  ) {
    findings.add('FRAME_RATE_HIGH', { limit: maxFramesPerSecond, actual: framesPerSecond })
  }
  // Not for containers that are converted anyway.
  if (measured.indexFirst === false && media.containers.includes(measured.container)) {
    findings.add('NOT_STREAMABLE', {})
  }
  if (audioTracks !== undefined && audioTracks > 1) {
    findings.add('MULTI_AUDIO', { limit: 1, actual: audioTracks })
  }
}

/** Codec names of MP4 sample entries. */
const CODEC_OF_SAMPLE_ENTRY: ReadonlyMap<string, string> = new Map([
  ['avc1', 'h264'],
  ['avc3', 'h264'],
  ['hvc1', 'hevc'],
  ['hev1', 'hevc'],
  ['av01', 'av1'],
  ['vp09', 'vp9'],
  ['mp4v', 'mpeg4'],
  ['mp4a', 'aac'],
])

function uncommon(advised: readonly string[] | undefined, named: string | undefined, findings: Findings): void {
  if (advised === undefined || named === undefined) return
  const codec = CODEC_OF_SAMPLE_ENTRY.get(named.toLowerCase()) ?? named.toLowerCase()
  if (advised.includes(codec)) return
  findings.add('CODEC_UNCOMMON', { limit: [...advised], actual: codec })
}

function unknown(
  advised: readonly string[],
  codec: string | undefined,
  stream: 'picture' | 'sound',
  findings: Findings,
): void {
  const facts = { limit: [...advised], actual: codec ?? 'unknown', unknown: stream }
  if (stream === 'picture') findings.add('CODEC_UNCOMMON', facts, 'VIDEO_UNDECODABLE')
  else findings.add('CODEC_UNCOMMON', facts)
}
