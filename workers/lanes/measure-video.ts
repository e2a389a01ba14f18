// A video's measurements. MP4 and QuickTime: the sample tables against the file's size, and what a probe adds. Others, and
// files whose tables cannot be trusted: a pass over all packets, since their headers only claim.

import type { Container } from '../../src/core/identify.ts'
import type { Measured } from '../../src/records/upload-record.ts'
import { judgedDurationSeconds } from '../../src/submissions/rules/duration.ts'
import { type DemuxResult, demux } from '../media/demux.ts'
import { type Mp4Index, readMp4Index } from '../media/mp4/index.ts'
import { type ProbeResult, probe, type ToolContext } from '../media/probe.ts'
import { isRiffCutOff } from '../media/riff.ts'
import type { LocalSource, MediaSource } from '../media/source.ts'
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
  if (index !== undefined && isMissing(index))
    return { measured: { ...identity, ...fromIndex, complete: false } }
  let seen: ProbeResult
  try {
    seen = await probeFile(context, identity.container as Container, index, files)
  } catch (error) {
    if (!isInputError(error)) throw error
    return { measured: { ...identity, ...fromIndex }, unreadable: true }
  }
  const measured = { ...identity, ...fromIndex, ...probeMeasures(seen, index, identity.container) }
  // The tables describe a picture that the probe cannot make out.
  const unreadable = index?.measurable === true && index.video !== null && seen.video === null
  if (unreadable || index?.measurable === true) return { measured, ...(unreadable ? { unreadable } : {}) }
  // An index that cannot be read and no stream either: a film that lies somewhere else, or the rest of one.
  if (index !== undefined && seen.video === null && seen.audio === null)
    return { measured: { ...measured, complete: false } }
  return await demuxMeasures(context, await files.whole(), measured, seen)
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
  return !index.complete || index.external || index.problem === 'NO_SAMPLES'
}

function indexMeasures(index: Mp4Index): Partial<Measured> {
  const { durations, video, audio } = index
  const longestAudio = Math.max(0, ...audio.map((track) => track.samplesSeconds))
  return {
    ...positive('durationSeconds', index.measurable ? durations.samplesSeconds : 0),
    ...positive('editedDurationSeconds', index.measurable ? durations.editedSeconds : 0),
    ...positive('headerDurationSeconds', durations.headerSeconds),
    ...positive('videoDurationSeconds', video?.samplesSeconds),
    ...positive('audioDurationSeconds', longestAudio),
    ...(video === null ? {} : { rotation: video.rotation }),
    ...(video?.codec == null ? {} : { videoCodec: video.codec }),
    ...positive('width', video?.width),
    ...positive('height', video?.height),
    indexFirst: index.streamable,
    fragmented: index.fragmented,
    encrypted: index.encrypted,
    complete: index.complete,
  }
}

/** What a probe knows better than tables: names of codecs, rates, channels. */
function probeMeasures(seen: ProbeResult, index: Mp4Index | undefined, container: string): Partial<Measured> {
  const { video, audio } = seen
  const hasSamples = index?.measurable !== true || index.audio.some((track) => track.sampleCount > 0)
  return {
    ...(video === null
      ? {}
      : {
          videoCodec: video.codec,
          width: video.width,
          height: video.height,
          rotation: video.rotation,
          ...positive('framesPerSecond', video.framesPerSecond),
        }),
    ...(audio === null || !hasSamples
      ? {}
      : { audioCodec: audio.codec, audioChannels: audio.channels, audioTracks: seen.audios.length }),
    // Of streams without a header the tools guess from the first and last times: no claim of the file.
    ...(TELLS_LENGTH.has(container) ? positive('headerDurationSeconds', seen.durationSeconds) : {}),
  }
}

async function demuxMeasures(
  context: ToolContext,
  source: LocalSource,
  measured: Measured,
  { video, audio }: ProbeResult,
): Promise<Measurement> {
  const streams = [
    ...(video === null ? [] : [{ index: video.index, kind: 'video' as const }]),
    ...(audio === null ? [] : [{ index: audio.index, kind: 'audio' as const }]),
  ]
  // Nothing to read: the rules say what is missing.
  if (streams.length === 0) return { measured }
  try {
    const result = await demux(context, source, measured.container as Container, { streams })
    const seconds = (kind: 'video' | 'audio') => result.streams.find((s) => s.kind === kind)?.seconds
    return {
      measured: {
        ...measured,
        ...positive('durationSeconds', result.seconds),
        ...positive('videoDurationSeconds', seconds('video')),
        ...positive('audioDurationSeconds', seconds('audio')),
        complete: !(
          result.complaints.includes('truncated') ||
          (measured.container === 'avi' && (await isRiffCutOff(source))) ||
          isHalfRead(measured, result, source.bytes)
        ),
      },
    }
  } catch (error) {
    if (!isInputError(error)) throw error
    return { measured, unreadable: true }
  }
}

/**
 * Where the tools give up in the middle of a file they say nothing of it: then the header tells a longer film than there
 * was, and much of the file was not read. Each by itself has harmless reasons.
 */
function isHalfRead(measured: Measured, { seconds, streams }: DemuxResult, fileBytes: number): boolean {
  const { container, headerDurationSeconds: claimed = 0 } = measured
  const readBytes = streams.reduce((sum, { bytes }) => sum + bytes, 0)
  const isShort = claimed - seconds > Math.max(2, seconds * 0.01)
  return TELLS_LENGTH.has(container) && isShort && readBytes < fileBytes * 0.9
}

type NumberField = {
  [Field in keyof Measured]-?: NonNullable<Measured[Field]> extends number ? Field : never
}[keyof Measured]

/** The field, where there is something to say. */
function positive(field: NumberField, value: number | null | undefined): Partial<Measured> {
  return value != null && Number.isFinite(value) && value > 0 ? { [field]: value } : {}
}
