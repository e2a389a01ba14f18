// One video stream of ffprobe's output, with its displayed properties: size after rotation and with square pixels, frame
// rate, and whether it is high dynamic range.

import type { Rotation } from '../../src/media/mp4/track.ts'
import { isRecord, numberOf, ratioOf, stringOf } from './json.ts'

export type VideoStream = {
  index: number
  /** The container's own number of the track (MP4). */
  id: number | null
  codec: string
  profile: string | null
  level: number | null
  pixelFormat: string | null
  bitDepth: number
  /** As stored. */
  width: number
  height: number
  /** As displayed: rotated, and with square pixels. */
  displayWidth: number
  displayHeight: number
  /** Clockwise rotation to apply when shown. */
  rotation: Rotation
  /** False: the display matrix is no rotation by quarter turns (it mirrors, scales, or shows nothing). */
  plainMatrix: boolean
  /** Luma from 0 to 255 instead of 16 to 235, which televisions and some players show with wrong contrast. */
  fullRange: boolean
  squarePixels: boolean
  /** Average frame rate; null if ffprobe does not know it. */
  framesPerSecond: number | null
  /** Rate of the shortest frame interval; differs from the average if the rate varies. */
  nominalFramesPerSecond: number | null
  interlaced: boolean
  colorTransfer: string | null
  colorPrimaries: string | null
  colorSpace: string | null
  hdr: boolean
  bitsPerSecond: number | null
  /** Presentation time of the first frame, by the file's own clock. */
  startSeconds: number
  /** From the header; can be wrong. */
  durationSeconds: number | null
  frames: number | null
  default: boolean
}

/** Perceptual quantizer and hybrid log-gamma: without conversion both look washed out on an ordinary screen. */
const HDR_TRANSFERS = new Set(['smpte2084', 'arib-std-b67'])

/** @param stream one element of ffprobe's `streams` */
export function videoStream(stream: Record<string, unknown>, isDefault: boolean): VideoStream {
  const width = numberOf(stream['width']) ?? 0
  const height = numberOf(stream['height']) ?? 0
  const rotation = rotationOf(stream)
  const aspect = ratioOf(stream['sample_aspect_ratio']) ?? { num: 1, den: 1 }
  // Wide pixels enlarge the width, narrow ones the height, so that no line of the picture is lost.
  const seenWidth = aspect.num > aspect.den ? Math.round((width * aspect.num) / aspect.den) : width
  const seenHeight = aspect.num < aspect.den ? Math.round((height * aspect.den) / aspect.num) : height
  const turned = rotation === 90 || rotation === 270
  const transfer = stringOf(stream['color_transfer'])
  const fieldOrder = stringOf(stream['field_order'])
  return {
    index: numberOf(stream['index']) ?? 0,
    id: idOf(stream),
    codec: codecOf(stream),
    profile: stringOf(stream['profile']),
    level: numberOf(stream['level']),
    pixelFormat: stringOf(stream['pix_fmt']),
    bitDepth: bitDepthOf(stream),
    width,
    height,
    displayWidth: turned ? seenHeight : seenWidth,
    displayHeight: turned ? seenWidth : seenHeight,
    rotation,
    plainMatrix: isPlainMatrix(stream),
    fullRange: stringOf(stream['color_range']) === 'pc' || /^yuvj/.test(stringOf(stream['pix_fmt']) ?? ''),
    squarePixels: aspect.num === aspect.den,
    framesPerSecond: quotient(ratioOf(stream['avg_frame_rate'])),
    nominalFramesPerSecond: quotient(ratioOf(stream['r_frame_rate'])),
    interlaced: fieldOrder !== null && fieldOrder !== 'progressive' && fieldOrder !== 'unknown',
    colorTransfer: transfer,
    colorPrimaries: stringOf(stream['color_primaries']),
    colorSpace: stringOf(stream['color_space']),
    hdr: transfer !== null && HDR_TRANSFERS.has(transfer),
    bitsPerSecond: numberOf(stream['bit_rate']),
    startSeconds: numberOf(stream['start_time']) ?? 0,
    durationSeconds: numberOf(stream['duration']),
    frames: numberOf(stream['nb_frames']),
    default: isDefault,
  }
}

/** ffprobe does not understand a stream without a size. */
export function isPicture({ width }: VideoStream): boolean {
  return width > 0
}

/** ffprobe's codec name; if it has none, the container's four-letter code. */
export function codecOf(stream: Record<string, unknown>): string {
  const named = stringOf(stream['codec_name'])
  if (named !== null && named !== 'none' && named !== 'unknown') return named
  const tag =
    stringOf(stream['codec_tag_string'])
      ?.replace(/\[\d+\]/g, '')
      .trim() ?? ''
  return /^[\w.-]{2,}$/.test(tag) ? tag : 'unknown'
}

/** ffprobe prints it as `0x1`. */
export function idOf(stream: Record<string, unknown>): number | null {
  const id = Number(stringOf(stream['id']) ?? Number.NaN)
  return Number.isFinite(id) ? id : null
}

/**
 * ffprobe counts counter-clockwise in the display matrix (−90 for a phone held upright), clockwise in the old tag. Anything
 * but a quarter turn counts as no rotation: for a matrix without an angle ffprobe prints the lowest 64-bit integer.
 */
function rotationOf(stream: Record<string, unknown>): Rotation {
  const matrix = sideData(stream)
    .map((data) => numberOf(data['rotation']))
    .find((value) => value !== null)
  const tags = isRecord(stream['tags']) ? stream['tags'] : {}
  const clockwise = matrix !== undefined && matrix !== null ? -matrix : (numberOf(tags['rotate']) ?? 0)
  const quarters = Math.round(clockwise / 90)
  if (Math.abs(clockwise) > 360 || Math.abs(clockwise - quarters * 90) > 1) return 0
  const quarter = ((quarters % 4) + 4) % 4
  return quarter === 1 ? 90 : quarter === 2 ? 180 : quarter === 3 ? 270 : 0
}

function sideData(stream: Record<string, unknown>): Record<string, unknown>[] {
  return Array.isArray(stream['side_data_list']) ? stream['side_data_list'].filter(isRecord) : []
}

/** No matrix, or one of the four quarter turns without scaling; an offset of the picture does not matter. */
function isPlainMatrix(stream: Record<string, unknown>): boolean {
  const printed = sideData(stream).map((data) => stringOf(data['displaymatrix']))
  return printed.every((text) => text === null || isQuarterTurn(text))
}

const ONE = 0x10000

/** @param printed ffprobe's three numbered lines of three numbers in 16.16 */
function isQuarterTurn(printed: string): boolean {
  const lines = printed.trim().split('\n')
  const [[a, b] = [], [c, d] = []] = lines.map((line) => line.replace(/^\w+:/, '').trim().split(/\s+/).map(Number))
  const isTurn = (p?: number, q?: number): boolean => p === 0 && Math.abs(q ?? 0) === ONE
  const determinant = (a ?? 0) * (d ?? 0) - (b ?? 0) * (c ?? 0)
  // A mirror image has the determinant -1.
  return ((isTurn(b, a) && isTurn(c, d)) || (isTurn(a, b) && isTurn(d, c))) && determinant > 0
}

function bitDepthOf(stream: Record<string, unknown>): number {
  const raw = numberOf(stream['bits_per_raw_sample'])
  if (raw !== null && raw > 0) return raw
  // yuv420p10le, p010le, gbrp12…
  const match = /(?:p|gray|p0)(9|10|12|14|16)(?:le|be)?$/.exec(stringOf(stream['pix_fmt']) ?? '')
  return match ? Number(match[1]) : 8
}

function quotient(ratio: { num: number; den: number } | null): number | null {
  return ratio === null ? null : ratio.num / ratio.den
}
