// One read of the complete file. With a bucket a film is copied to the scratch folder, so that each byte is downloaded
// once; on a local disk the second read comes from the page cache.

import { createHash } from 'node:crypto'
import type { Container } from '../../src/core/identify.ts'
import type { Logger } from '../../src/core/logger.ts'
import type { Measured } from '../../src/records/upload-record.ts'
import { judgedDurationSeconds } from '../../src/submissions/rules/duration.ts'
import { FROZEN_SHARE, MOSTLY_BLACK_SHARE } from '../../src/submissions/rules/inspect.ts'
import { hashSource } from '../media/copy.ts'
import { isDecodable } from '../media/input.ts'
import { type AudioStream, probe, type ToolContext } from '../media/probe.ts'
import { withScratch } from '../media/scratch.ts'
import {
  measureSignals,
  type PictureSignals,
  type Signals,
  type SignalsOptions,
  type SoundSignals,
} from '../media/signals.ts'
import type { LocalSource, MediaSource } from '../media/source.ts'
import { type Spot, spotDecode } from '../media/spot-decode.ts'
import { withMeasuredStreams } from '../media/streams.ts'
import { isLimit } from '../media/tool-error.ts'
import type { VideoStream } from '../media/video-stream.ts'
import type { WorkerContext } from '../worker-context.ts'
import { scan } from './clamd.ts'
import { isInputError } from './failure.ts'
import { findGaps } from './find-gaps.ts'
import { judgeSpots } from './judge-spots.ts'
import type { LaneRun } from './run-lane.ts'
import { copyBytes, localFile, storedFile } from './stored-file.ts'

export type Readings = {
  sha256: string
  /** Measurements of the pass over picture and sound. */
  signals: Partial<Measured>
  /** False: start, middle or end of the picture gave no frame. */
  decodable?: boolean
  /** Malware found by the scanner; null: none. Absent: there is no scanner. */
  malware?: string | null
}

/** Digital silence has no level; this is the lowest level of 16 bits. */
const DIGITAL_SILENCE_DB = -91
/** Progress: one half is reading, the other is decoding. */
const READ_SHARE = 50

export async function readWhole(deps: WorkerContext, run: LaneRun): Promise<Readings> {
  const { record, signal } = run
  // An empty upload may have no object.
  if (record.receivedBytes === 0) return { sha256: createHash('sha256').digest('hex'), signals: {} }
  const stored = await storedFile(deps.store, record)
  const isVideo = record.measured?.kind === 'video'
  const onBytes = showRead(run, stored.bytes)
  // No tool opens the others.
  if (!isVideo || record.measured === null) {
    const sha256 = record.sha256 ?? (await hashSource(stored, { signal, onBytes }))
    return { sha256, ...(await scanned(deps, run, stored)), signals: {} }
  }
  const { measured } = record
  return await withScratch(deps.room, run.jobId, copyBytes(stored), async (scratch) => {
    const local = await localFile(stored, scratch, { signal, onBytes })
    const sha256 = record.sha256 ?? local.sha256 ?? (await hashSource(stored, { signal, onBytes }))
    const malware = await scanned(deps, run, local.source)
    const context = { runner: deps.runner, cwd: scratch.dir, signal, logger: run.logger }
    return { sha256, ...malware, ...(await look(context, local.source, measured)) }
  })
}

/** Without a scanner, or for files above its limit, there is no result. */
async function scanned(
  { config }: WorkerContext,
  { signal, logger }: LaneRun,
  source: MediaSource,
): Promise<Pick<Readings, 'malware'>> {
  if (config.clamdUrl === undefined || source.bytes === 0) return {}
  const result = await scan(config.clamdUrl, source, signal)
  if (!('tooLarge' in result)) return { malware: result.found }
  logger.info({ bytes: source.bytes }, 'file exceeds the limit of the malware scanner; not scanned')
  return {}
}

async function look(
  context: ToolContext & { logger: Logger },
  source: LocalSource,
  measured: Measured,
): Promise<Omit<Readings, 'sha256'>> {
  const container = measured.container as Container
  try {
    const { video, audio, audios } = withMeasuredStreams(await probe(context, source, container), measured)
    const picture = video !== null && isDecodable(video.codec) ? video : null
    // The stream that the verdict chose, and possible replacements.
    const sounds = [audio, ...audios.filter((other) => other.index !== audio?.index)].filter(isKnownSound)
    const { limited, sound, complained, ...signals } = await listen(context, source, container, picture, sounds)
    const shown = { video, audio: sound ?? audio }
    // Decoders report losses.
    const decoded = {
      seenSeconds: complained ? (signals.picture?.seenSeconds ?? null) : null,
      heardSeconds: complained ? (signals.heard?.heardSeconds ?? null) : null,
    }
    const gaps = await findGaps(context, source, measured, shown, decoded)
    const spots = picture === null ? [] : await spotsOf(context, source, measured, picture)
    const { decodable, signals: found } = judgeSpots(spots, gaps, judgedDurationSeconds(measured) ?? 0)
    return {
      ...(decodable === undefined ? {} : { decodable }),
      signals: {
        ...signalMeasures(measured, { picture: signals.picture, sound: signals.heard }),
        ...(sounds.length > 0 && !limited ? soundMeasures(measured, sound) : {}),
        ...(limited || gaps.limited ? { unchecked: true } : {}),
        ...found,
      },
    }
  } catch (error) {
    if (!isInputError(error)) throw error
    return isLimit(error) ? { signals: { unchecked: true } } : { signals: {}, decodable: false }
  }
}

function isKnownSound(audio: AudioStream | null): audio is AudioStream {
  return audio !== null && isDecodable(audio.codec)
}

/** The audio stream to use: another than the verdict's if that one does not decode. */
function soundMeasures(measured: Measured, sound: AudioStream | null): Partial<Measured> {
  if (sound === null) return { audioDamaged: true }
  if (sound.index === measured.audioStream) return {}
  return { audioStream: sound.index, audioCodec: sound.codec, audioChannels: sound.channels }
}

type Heard = {
  picture: PictureSignals | null
  heard: SoundSignals | null
  /** The first audio stream that decodes. */
  sound: AudioStream | null
  /** One of our limits was reached. */
  limited: boolean
  complained: boolean
}

/** Picture and sound in one pass; if that fails, each separately, so that an error of one does not affect the other. */
async function listen(
  context: ToolContext,
  source: LocalSource,
  container: Container,
  video: VideoStream | null,
  sounds: readonly AudioStream[],
): Promise<Heard> {
  let limited = false
  let complained = false
  const pass = async (options: SignalsOptions): Promise<Signals | null> => {
    try {
      const signals = await measureSignals(context, source, container, options)
      complained ||= signals.complained
      return signals
    } catch (error) {
      if (!isInputError(error)) throw error
      complained = true
      limited ||= isLimit(error)
      return null
    }
  }
  const onlyPicture = { videoStream: video?.index ?? null, audioStream: null }
  const [first = null, ...others] = sounds
  const both = await pass({ ...onlyPicture, audioStream: first?.index ?? null })
  let picture = (both ?? (await pass(onlyPicture)))?.picture ?? null
  if (isDoubtful(picture)) picture = (await pass({ ...onlyPicture, everyPicture: true }))?.picture ?? null
  const listenTo = async (stream: AudioStream): Promise<SoundSignals | null> =>
    (await pass({ videoStream: null, audioStream: stream.index }))?.sound ?? null
  let sound = first
  let heard = both?.sound ?? (first === null ? null : await listenTo(first))
  for (const other of others) {
    if (limited || (heard?.seconds ?? 0) > 0) break
    sound = other
    heard = await listenTo(other)
  }
  return { picture, heard, sound: (heard?.seconds ?? 0) > 0 ? sound : null, limited, complained }
}

/** Fewer keyframes than this are too small a sample for a problem. */
const CONVINCING_SAMPLES = 30

/**
 * Some recorders write a keyframe at the start and none later: then one black keyframe of a starting camera would make an
 * hour black, and two equal keyframes would make it frozen.
 */
function isDoubtful(picture: PictureSignals | null): boolean {
  if (picture === null || picture.samples >= CONVINCING_SAMPLES) return false
  return picture.blackShare >= MOSTLY_BLACK_SHARE || picture.frozenShare >= FROZEN_SHARE
}

async function spotsOf(
  context: ToolContext,
  source: LocalSource,
  measured: Measured,
  video: VideoStream,
): Promise<Spot[]> {
  const played = judgedDurationSeconds(measured) ?? 0
  // An edit list also hides samples after its end from the decoder.
  const durationSeconds = Math.min(
    played,
    measured.videoDurationSeconds ?? played,
    measured.editedDurationSeconds ?? played,
  )
  return await spotDecode(context, source, measured.container as Container, {
    stream: video.index,
    startSeconds: video.startSeconds,
    durationSeconds,
  })
}

/** Shares of the time as seconds of it. @internal */
export function signalMeasures(
  measured: Measured,
  { picture, sound }: Pick<Signals, 'picture' | 'sound'>,
): Partial<Measured> {
  const seconds = judgedDurationSeconds(measured) ?? 0
  const part = (share: number): number => Math.round(share * seconds * 10) / 10
  return {
    ...(picture === null || picture.samples === 0
      ? {}
      : { blackSeconds: part(picture.blackShare), frozenSeconds: part(picture.frozenShare) }),
    ...(sound === null || sound.seconds === 0
      ? {}
      : { silentSeconds: part(sound.silentShare), meanVolumeDb: sound.meanDb ?? DIGITAL_SILENCE_DB }),
  }
}

/** Shown only if no rendition is being made, because people wait for that. */
function showRead({ record, progress }: LaneRun, totalBytes: number): (bytes: number) => void {
  if (record.renditions.length > 0 || totalBytes === 0) return () => undefined
  return (bytes) => progress.report(Math.round((bytes / totalBytes) * READ_SHARE * 10) / 10, null)
}
