// What a lane's work on a file is expected to take, from its measurements: enough to tell seconds from minutes.

import type { LaneName, Measured, UploadRecord } from '../records/upload-record.ts'

/** A picture of 720 lines, 30 times a second. */
const USUAL_PIXELS_PER_SECOND = 1280 * 720 * 30
/** Of a second of it: encoded, decoded by a codec that takes long, wrapped anew, looked through. */
const ENCODE = 0.15
const DECODE_SLOW = 0.15
const WRAP = 0.005
const LOOK = 0.01
const SLOW_CODECS: ReadonlySet<string> = new Set(['av1', 'hevc', 'vp9', 'vvc', 'prores', 'dnxhd'])
const READ_BYTES_PER_SECOND = 100 * 1024 * 1024
/** Pages, pictures and what nothing is known of. */
const LITTLE_SECONDS = 1

/** Seconds on a machine with nothing else to do; by a factor of two or three, no better. */
export function costSeconds(
  { measured, receivedBytes }: Pick<UploadRecord, 'measured' | 'receivedBytes'>,
  lane: LaneName,
): number {
  // A verdict reads the index.
  if (lane === 'validate' || measured === null) return LITTLE_SECONDS
  const read = LITTLE_SECONDS + receivedBytes / READ_BYTES_PER_SECOND
  const seconds = measured.kind === 'video' ? (measured.durationSeconds ?? 0) : 0
  return read + seconds * (lane === 'inspect' ? LOOK : copyCost(measured))
}

function copyCost({ videoCodec = '', width = 0, height = 0, framesPerSecond = 30 }: Measured): number {
  const size = (width * height * framesPerSecond) / USUAL_PIXELS_PER_SECOND
  // Streams that browsers play are kept.
  if (videoCodec === 'h264' && size <= 1) return WRAP
  return ENCODE + size * (SLOW_CODECS.has(videoCodec) ? ENCODE + DECODE_SLOW : ENCODE)
}

/** Work that somebody looks at the screen for: a page, a clip of seconds. */
const SHORT_SECONDS = 20

export function isShort(seconds: number): boolean {
  return seconds <= SHORT_SECONDS
}
