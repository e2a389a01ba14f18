// A video's measurements. MP4 and QuickTime: from the sample tables, checked against the file's size, and a probe. Other
// files, and those with unreliable tables: from a pass over all packets, because headers can be wrong.

import type { Container } from '../../src/core/identify.ts'
import { type Durations, spanOf, weighDurations } from '../../src/media/mp4/durations.ts'
import { type Mp4Index, type Mp4Track, readMp4Index } from '../../src/media/mp4/index.ts'
import type { Measured } from '../../src/records/upload-record.ts'
import { judgedDurationSeconds } from '../../src/submissions/rules/duration.ts'
import { type DemuxResult, demux } from '../media/demux.ts'
import { isDecodable, MAX_STREAMS } from '../media/input.ts'
import { type ProbeResult, probe, type ToolContext } from '../media/probe.ts'
import { isRiffCutOff } from '../media/riff.ts'
import type { LocalSource, MediaSource } from '../media/source.ts'
import { type StreamSeconds, withBestStreams } from '../media/streams.ts'
import { isLimit } from '../media/tool-error.ts'
import { isLastPictureTorn } from '../media/torn-end.ts'
import { isPacketCutOff } from '../media/transport-stream.ts'
import { isPicture } from '../media/video-stream.ts'
import { isInputError } from './failure.ts'
import type { Measurement } from './measurement.ts'
import type { ToolFiles } from './tool-files.ts'

type Identity = Pick<Measured, 'kind' | 'container'>

const INDEXED: ReadonlySet<string> = new Set(['mp4', 'mov', '3gp', 'm4a'])
/** Containers whose header has the duration from the writer; for others the tools only estimate it. */
const TELLS_LENGTH: ReadonlySet<string> = new Set(['matroska', 'webm', 'avi', 'asf', 'flv'])
/**
 * Longest accepted duration. A file of some kilobytes can have timestamps over months, and its rendition would take the
 * workers weeks.
 */
const LONGEST_SECONDS = 86_400

export async function measureVideo(
  context: ToolContext,
  source: MediaSource,
  identity: Identity,
  files: ToolFiles,
): Promise<Measurement> {
  const measurement = await measureStreams(context, source, identity, files)
  const { measured } = measurement
  const isAbsurd = measured.complete !== false && (judgedDurationSeconds(measured) ?? 0) > LONGEST_SECONDS
  return isAbsurd ? { ...measurement, unreadable: true } : measurement
}

async function measureStreams(
  context: ToolContext,
  source: MediaSource,
  identity: Identity,
  files: ToolFiles,
): Promise<Measurement> {
  const index = INDEXED.has(identity.container) ? await readMp4Index(source) : undefined
  const fromIndex = index === undefined ? {} : indexMeasures(index)
  if (index !== undefined && isMissing(index)) return { measured: { ...identity, ...fromIndex, complete: false } }
  let seen: ProbeResult
  try {
    seen = await probeFile(context, identity.container as Container, index, files)
  } catch (error) {
    return unreadBecause(error, { ...identity, ...fromIndex })
  }
  if (seen.videos.length + seen.audios.length > MAX_STREAMS)
    return { measured: { ...identity, ...fromIndex }, unreadable: true }
  const measured = { ...identity, ...fromIndex }
  if (index?.measurable === true) {
    const chosen = withBestStreams(seen, secondsByIndex(seen, index))
    // The tables describe a video track that the probe does not recognize.
    const unreadable = index.video !== null && chosen.video === null
    return {
      measured: {
        ...measured,
        ...trackMeasures(chosen, index),
        ...probeMeasures(chosen, identity.container),
      },
      ...(unreadable ? { unreadable } : {}),
    }
  }
  // Neither a readable index nor a stream: a reference movie without media, or a fragment of a file.
  if (index !== undefined && seen.video === null && seen.audio === null)
    return { measured: { ...measured, ...probeMeasures(seen, identity.container), complete: false } }
  return await demuxMeasures(context, await files.whole(), measured, seen, index?.torn ?? false)
}

/** If our own limit was reached, nothing was measured; this says nothing about the file. */
function unreadBecause(error: unknown, measured: Measured): Measurement {
  if (!isInputError(error)) throw error
  return isLimit(error) ? { measured: { ...measured, unchecked: true } } : { measured, unreadable: true }
}

/** For an object in a bucket an excerpt is enough if it shows the streams of the index. What it lacks is no error of the file. */
async function probeFile(
  context: ToolContext,
  container: Container,
  index: Mp4Index | undefined,
  files: ToolFiles,
): Promise<ProbeResult> {
  const excerpt = index?.measurable === true ? await files.excerpt(index) : null
  if (excerpt !== null && index !== undefined) {
    try {
      const seen = await probe(context, excerpt, container)
      if (showsAll(seen, index)) return seen
    } catch (error) {
      if (!isInputError(error)) throw error
    }
  }
  return await probe(context, await files.whole(), container)
}

function showsAll({ video, audio }: ProbeResult, index: Mp4Index): boolean {
  const hasSound = index.audio.some((track) => track.sampleCount > 0)
  return (index.video === null || video !== null) && (!hasSound || audio !== null)
}

/** The index refers to bytes that are missing. */
function isMissing(index: Mp4Index): boolean {
  return (!index.complete && !index.torn) || index.external || index.problem === 'NO_SAMPLES'
}

function indexMeasures(index: Mp4Index): Partial<Measured> {
  const { video } = index
  return {
    ...(index.measurable ? durationMeasures(index.durations) : {}),
    ...positive('headerDurationSeconds', index.durations.headerSeconds),
    ...(video === null ? {} : { rotation: video.rotation }),
    ...(video?.codec == null ? {} : { videoCodec: video.codec }),
    ...positive('width', video?.width),
    ...positive('height', video?.height),
    indexFirst: index.streamable,
    fragmented: index.fragmented,
    encrypted: index.encrypted,
    complete: index.complete || index.torn,
  }
}

function durationMeasures({ samplesSeconds, editedSeconds }: Durations): Partial<Measured> {
  return {
    ...positive('durationSeconds', samplesSeconds),
    ...positive('editedDurationSeconds', editedSeconds),
  }
}

/** Duration of each stream of the probe, from the sample tables. */
function secondsByIndex(seen: ProbeResult, index: Mp4Index): StreamSeconds {
  return new Map(
    [...seen.videos, ...seen.audios].map((stream) => [stream.index, trackOf(stream, index)?.samplesSeconds ?? 0]),
  )
}

/** Found by the track's number, otherwise by its position: the tools make one stream per track. */
function trackOf(stream: { id: number | null; index: number } | null, index: Mp4Index): Mp4Track | undefined {
  return index.tracks.find(({ id }) => id === stream?.id) ?? index.tracks[stream?.index ?? -1]
}

/** Measurements of the chosen video and audio stream; other streams do not count for the duration. */
function trackMeasures({ video, audio }: ProbeResult, index: Mp4Index): Partial<Measured> {
  const picture = trackOf(video, index)
  const sound = trackOf(audio, index)
  const tracks = [picture, sound].filter((track) => track !== undefined)
  if (tracks.length === 0) return {}
  const { headerSeconds } = index.durations
  const start = Math.min(...tracks.map(({ played }) => played.startSeconds))
  return {
    ...durationMeasures(weighDurations(headerSeconds, tracks)),
    ...positive('videoDurationSeconds', picture?.played.playedSeconds),
    ...positive('audioDurationSeconds', sound?.played.playedSeconds),
    ...positive('videoStartSeconds', picture && picture.played.startSeconds - start),
    ...positive('audioStartSeconds', sound && sound.played.startSeconds - start),
  }
}

/** Values that a probe knows better than the tables: codec names, rates, channels. */
function probeMeasures(seen: ProbeResult, container: string): Partial<Measured> {
  const { video, audio } = seen
  return {
    ...(video === null
      ? {}
      : {
          videoStream: video.index,
          videoCodec: video.codec,
          width: video.width,
          height: video.height,
          rotation: video.rotation,
          ...positive('framesPerSecond', video.framesPerSecond),
          ...(isDecodable(video.codec) ? {} : { videoUnknown: true }),
        }),
    ...(audio === null
      ? {}
      : {
          audioStream: audio.index,
          audioCodec: audio.codec,
          audioChannels: audio.channels,
          audioTracks: seen.audios.length,
          ...(isDecodable(audio.codec) ? {} : { audioUnknown: true }),
        }),
    // For streams without a header the tools estimate the duration from the first and last timestamps.
    ...(TELLS_LENGTH.has(container) ? positive('headerDurationSeconds', seen.durationSeconds) : {}),
  }
}

async function demuxMeasures(
  context: ToolContext,
  source: LocalSource,
  measured: Measured,
  seen: ProbeResult,
  isTornIndex: boolean,
): Promise<Measurement> {
  const streams = [
    ...seen.videos.filter(isPicture).map(({ index }) => ({ index, kind: 'video' as const })),
    ...seen.audios.map(({ index }) => ({ index, kind: 'audio' as const })),
  ]
  const container = measured.container as Container
  // Nothing to read: the rules report what is missing.
  if (streams.length === 0) return { measured: { ...measured, ...probeMeasures(seen, container) } }
  try {
    const result = await demux(context, source, container, { streams })
    const chosen = withBestStreams(seen, new Map(result.streams.map((s) => [s.index, s.seconds])))
    const found = { ...measured, ...probeMeasures(chosen, container), ...streamMeasures(chosen, result) }
    const incomplete = (container === 'avi' && (await isRiffCutOff(source))) || isHalfRead(found, result, source.bytes)
    const isTorn =
      isTornIndex ||
      result.complaints.includes('truncated') ||
      (container === 'mpegts' && (await isStreamCutOff(context, source, chosen)))
    return { measured: { ...found, complete: !incomplete, ...(isTorn && !incomplete ? { tornEnd: true } : {}) } }
  } catch (error) {
    return unreadBecause(error, { ...measured, ...probeMeasures(seen, container) })
  }
}

async function isStreamCutOff(context: ToolContext, source: LocalSource, { video }: ProbeResult): Promise<boolean> {
  if (await isPacketCutOff(source)) return true
  return video !== null && video.id !== null && isDecodable(video.codec)
    ? await isLastPictureTorn(context, source, video.id)
    : false
}

/** The same measurements as {@link trackMeasures}, from packets. */
function streamMeasures({ video, audio }: ProbeResult, { streams }: DemuxResult): Partial<Measured> {
  const picture = streams.find(({ index }) => index === video?.index)
  const sound = streams.find(({ index }) => index === audio?.index)
  const both = [picture, sound].filter((stream) => stream !== undefined)
  const start = Math.min(...both.map(({ startSeconds }) => startSeconds))
  return {
    ...positive('durationSeconds', spanOf(both.map((stream) => [stream.startSeconds, stream.endSeconds]))),
    ...positive('videoDurationSeconds', picture?.seconds),
    ...positive('audioDurationSeconds', sound?.seconds),
    ...positive('videoStartSeconds', picture && picture.startSeconds - start),
    ...positive('audioStartSeconds', sound && sound.startSeconds - start),
  }
}

/**
 * Whether the header declares a longer film than there is. It counts if the tools also report an early end, or if a large
 * part of the file was not read; a longer header alone has harmless reasons.
 */
function isHalfRead(measured: Measured, { streams, complaints }: DemuxResult, fileBytes: number): boolean {
  const { container, headerDurationSeconds: claimed = 0, durationSeconds: seconds = 0 } = measured
  if (!TELLS_LENGTH.has(container)) return false
  if (complaints.includes('truncated') && claimed - seconds > TORN_SECONDS) return true
  const readBytes = streams.reduce((sum, { bytes }) => sum + bytes, 0)
  return claimed - seconds > Math.max(2, seconds * 0.01) && readBytes < fileBytes * 0.9
}

/** Seconds that may be missing at the end without the recording counting as incomplete. */
const TORN_SECONDS = 1

type NumberField = {
  [Field in keyof Measured]-?: NonNullable<Measured[Field]> extends number ? Field : never
}[keyof Measured]

/** The field, if it has a value. */
function positive(field: NumberField, value: number | null | undefined): Partial<Measured> {
  return value != null && Number.isFinite(value) && value > 0 ? { [field]: value } : {}
}
