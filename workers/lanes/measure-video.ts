// A video's measurements. MP4 and QuickTime: the sample tables against the file's size, and what a probe adds. Others, and
// files whose tables cannot be trusted: a pass over all packets, since their headers only claim.

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
import { isPacketCutOff } from '../media/transport-stream.ts'
import { isPicture } from '../media/video-stream.ts'
import { isInputError } from './failure.ts'
import type { Measurement } from './measurement.ts'
import type { ToolFiles } from './tool-files.ts'

type Identity = Pick<Measured, 'kind' | 'container'>

const INDEXED: ReadonlySet<string> = new Set(['mp4', 'mov', '3gp', 'm4a'])
/** Whose headers tell the length that the writer knew; others' are guesses of the tools. */
const TELLS_LENGTH: ReadonlySet<string> = new Set(['matroska', 'webm', 'avi', 'asf', 'flv'])
/**
 * Nothing that people hand in is longer. Some kilobytes can claim months by their clock, and to show them would take the
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
    // The tables describe a picture that the probe cannot make out.
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
  // An index that cannot be read and no stream either: a film that lies somewhere else, or the rest of one.
  if (index !== undefined && seen.video === null && seen.audio === null)
    return { measured: { ...measured, ...probeMeasures(seen, identity.container), complete: false } }
  return await demuxMeasures(context, await files.whole(), measured, seen, index?.torn ?? false)
}

/** What came to a limit of ours was not looked at, which says nothing about the file. */
function unreadBecause(error: unknown, measured: Measured): Measurement {
  if (!isInputError(error)) throw error
  return isLimit(error) ? { measured: { ...measured, unchecked: true } } : { measured, unreadable: true }
}

/** Of a bucket's object an excerpt will do where it shows what the index tells. What it lacks is no fault of the file. */
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

/** The index itself says that there are bytes which are not here. */
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

/** How long each stream of the probe lasts by the tables. */
function secondsByIndex(seen: ProbeResult, index: Mp4Index): StreamSeconds {
  return new Map(
    [...seen.videos, ...seen.audios].map((stream) => [stream.index, trackOf(stream, index)?.samplesSeconds ?? 0]),
  )
}

/** By the track's number, else by its place: the tools make a stream of each track. */
function trackOf(stream: { id: number | null; index: number } | null, index: Mp4Index): Mp4Track | undefined {
  return index.tracks.find(({ id }) => id === stream?.id) ?? index.tracks[stream?.index ?? -1]
}

/** The account of the picture and the sound that were chosen; what else is in the file takes no time. */
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

/** What a probe knows better than tables: names of codecs, rates, channels. */
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
    // Of streams without a header the tools guess from the first and last times: no claim of the file.
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
  // Nothing to read: the rules say what is missing.
  if (streams.length === 0) return { measured: { ...measured, ...probeMeasures(seen, container) } }
  try {
    const result = await demux(context, source, container, { streams })
    const chosen = withBestStreams(seen, new Map(result.streams.map((s) => [s.index, s.seconds])))
    const found = { ...measured, ...probeMeasures(chosen, container), ...streamMeasures(chosen, result) }
    const incomplete = (container === 'avi' && (await isRiffCutOff(source))) || isHalfRead(found, result, source.bytes)
    const isTorn =
      isTornIndex ||
      result.complaints.includes('truncated') ||
      (container === 'mpegts' && (await isPacketCutOff(source)))
    return { measured: { ...found, complete: !incomplete, ...(isTorn && !incomplete ? { tornEnd: true } : {}) } }
  } catch (error) {
    return unreadBecause(error, { ...measured, ...probeMeasures(seen, container) })
  }
}

/** The same account as {@link trackMeasures}, of packets. */
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
 * A header that tells of a longer film than there is. Where the tools say that they came to an end too early, that is
 * enough; where they say nothing, much of the file must not have been read: each by itself has harmless reasons.
 */
function isHalfRead(measured: Measured, { streams, complaints }: DemuxResult, fileBytes: number): boolean {
  const { container, headerDurationSeconds: claimed = 0, durationSeconds: seconds = 0 } = measured
  if (!TELLS_LENGTH.has(container)) return false
  if (complaints.includes('truncated') && claimed - seconds > TORN_SECONDS) return true
  const readBytes = streams.reduce((sum, { bytes }) => sum + bytes, 0)
  return claimed - seconds > Math.max(2, seconds * 0.01) && readBytes < fileBytes * 0.9
}

/** What a recording may lose at its end without being called incomplete. */
const TORN_SECONDS = 1

type NumberField = {
  [Field in keyof Measured]-?: NonNullable<Measured[Field]> extends number ? Field : never
}[keyof Measured]

/** The field, where there is something to say. */
function positive(field: NumberField, value: number | null | undefined): Partial<Measured> {
  return value != null && Number.isFinite(value) && value > 0 ? { [field]: value } : {}
}
