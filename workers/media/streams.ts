// Chooses the video and the audio stream of a file to measure and show. A file may contain a thumbnail before the film,
// a track with hardly any samples, or audio that no decoder here supports: each stream is judged separately.

import type { Measured } from '../../src/records/upload-record.ts'
import { isDecodable } from './input.ts'
import type { AudioStream, ProbeResult } from './probe.ts'
import { isPicture, type VideoStream } from './video-stream.ts'

/** Index as in the probe → duration in seconds; 0: it has no packets. */
export type StreamSeconds = ReadonlyMap<number, number>

/** A stream of at least this share of the longest duration counts as equally long. */
const AS_LONG = 0.9

/**
 * The probe with the best video and audio stream: decodable before not decodable, then the longest, then the file's
 * default, then the larger picture, then the first. A stream without packets is never chosen.
 */
export function withBestStreams(seen: ProbeResult, seconds: StreamSeconds): ProbeResult {
  return {
    ...seen,
    video: best(seen.videos.filter(isPicture), seconds, ({ width, height }) => width * height),
    audio: best(seen.audios, seconds, () => 0),
  }
}

/** The probe with the streams that the verdict used; older records do not name them and keep the probe's own choice. */
export function withMeasuredStreams(seen: ProbeResult, measured: Measured): ProbeResult {
  const { videoStream, audioStream, audioDamaged } = measured
  // Without a choice of its own this is an older record.
  if (videoStream === undefined && audioStream === undefined) return seen
  return {
    ...seen,
    video: seen.videos.find(({ index }) => index === videoStream) ?? null,
    audio: audioDamaged ? null : (seen.audios.find(({ index }) => index === audioStream) ?? null),
  }
}

function best<Stream extends VideoStream | AudioStream>(
  streams: readonly Stream[],
  seconds: StreamSeconds,
  size: (stream: Stream) => number,
): Stream | null {
  const lasts = (stream: Stream): number => seconds.get(stream.index) ?? 0
  const there = streams.filter((stream) => lasts(stream) > 0)
  const decodable = there.filter(({ codec }) => isDecodable(codec))
  const candidates = decodable.length > 0 ? decodable : there
  const longest = Math.max(0, ...candidates.map(lasts))
  const [first = null] = candidates
    .filter((stream) => lasts(stream) >= longest * AS_LONG)
    .toSorted((a, b) => Number(b.default) - Number(a.default) || size(b) - size(a))
  return first
}
