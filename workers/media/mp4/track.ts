// One track of a movie box: what it is (handler, codec), how it is shown (matrix, size), and how long it lasts by three
// accounts: header, edit list, samples.

import { type Box, children, findBox, fullBox, Mp4FormatError, readDuration, readU64 } from './boxes.ts'
import { type SampleSummary, summarizeSamples } from './samples.ts'

export type Rotation = 0 | 90 | 180 | 270

export type Mp4Track = {
  id: number
  /** `vide`, `soun`, or another four-letter code; only these two are measured. */
  handler: string
  /** `avc1`, `hvc1`, `mp4a`…; null without a sample description. */
  codec: string | null
  enabled: boolean
  timescale: number
  /** What `mdhd` claims. */
  headerSeconds: number | null
  /** What the edit list lets play: its non-empty edits, each cut to the media there is. Null without an edit list. */
  editedSeconds: number | null
  /** Sum of the samples' durations (fragments included). */
  samplesSeconds: number
  sampleCount: number
  missingSamples: number
  /** Of the samples whose bytes are missing. */
  missingSeconds: number
  /** Where the first samples of the movie box lie; null where there are none. */
  startOffset: number | null
  endOffset: number
  mediaBytes: number
  /** Longest distance between two keyframes; 0 when every sample is one or none is marked. */
  gopSeconds: number
  /** As stored; for other handlers null. */
  width: number | null
  height: number | null
  /** Clockwise, to be applied when shown. */
  rotation: Rotation
  /** Common encryption (`encv`, `enca`): cannot be decoded. */
  encrypted: boolean
  /** Samples lie in another file (`dref` names a place). */
  external: boolean
  inconsistent: boolean
}

const EMPTY_SAMPLES: SampleSummary = {
  sampleCount: 0,
  duration: 0,
  missingSamples: 0,
  missingDuration: 0,
  startOffset: null,
  endOffset: 0,
  bytes: 0,
  longestGop: 0,
  inconsistent: false,
}

/**
 * Reads one `trak`.
 *
 * @param movieTimescale units per second of the edit list
 * @param fileBytes length of the whole file
 * @throws {Mp4FormatError} when a needed box is missing or malformed
 */
export function readTrack(trak: Buffer, movieTimescale: number, fileBytes: number): Mp4Track {
  const tkhd = readTkhd(trak)
  const mdia = findBox(trak, 'mdia')
  if (!mdia) throw new Mp4FormatError('a track without media')
  const { timescale, duration } = readMdhd(mdia)
  const handler = readHandler(mdia)
  const stbl = findBox(mdia, 'minf', 'stbl')
  const entry = stbl ? sampleEntry(stbl) : null
  // Chapters, time codes and the like may be odd without harm: their samples are not looked at.
  const measured = handler === 'vide' || handler === 'soun'
  const samples = stbl && measured ? summarizeSamples(stbl, fileBytes) : EMPTY_SAMPLES
  const seconds = (units: number): number => units / timescale
  return {
    ...tkhd,
    handler,
    codec: entry?.type ?? null,
    timescale,
    headerSeconds: duration === null ? null : seconds(duration),
    editedSeconds: readEdits(trak, movieTimescale, timescale, samples.duration),
    samplesSeconds: seconds(samples.duration),
    sampleCount: samples.sampleCount,
    missingSamples: samples.missingSamples,
    missingSeconds: seconds(samples.missingDuration),
    startOffset: samples.startOffset,
    endOffset: samples.endOffset,
    mediaBytes: samples.bytes,
    gopSeconds: handler === 'vide' ? seconds(samples.longestGop) : 0,
    ...(handler === 'vide' && entry ? visualSize(entry) : { width: null, height: null }),
    encrypted: entry?.type === 'encv' || entry?.type === 'enca',
    external: measured && isExternal(mdia),
    inconsistent: samples.inconsistent,
  }
}

function readTkhd(trak: Buffer): Pick<Mp4Track, 'id' | 'enabled' | 'rotation'> {
  const tkhd = findBox(trak, 'tkhd')
  if (!tkhd) throw new Mp4FormatError('a track without header')
  const { version, flags, body } = fullBox(tkhd)
  const idAt = version === 1 ? 16 : 8
  const matrixAt = idAt + (version === 1 ? 32 : 28)
  if (body.length < matrixAt + 36) throw new Mp4FormatError('tkhd too short')
  return { id: body.readUInt32BE(idAt), enabled: (flags & 1) === 1, rotation: rotationOf(body, matrixAt) }
}

/** The matrix (a b u c d v x y w) in 16.16: phones write pure quarter turns; anything else is shown as stored. */
function rotationOf(body: Buffer, at: number): Rotation {
  const [a, b, c, d] = [0, 4, 12, 16].map((offset) => Math.sign(body.readInt32BE(at + offset)))
  if (a === 0 && d === 0 && b === 1 && c === -1) return 90
  if (a === -1 && d === -1 && b === 0 && c === 0) return 180
  if (a === 0 && d === 0 && b === -1 && c === 1) return 270
  return 0
}

function readMdhd(mdia: Buffer): { timescale: number; duration: number | null } {
  const mdhd = findBox(mdia, 'mdhd')
  if (!mdhd) throw new Mp4FormatError('a track without media header')
  const { version, body } = fullBox(mdhd)
  const at = version === 1 ? 16 : 8
  if (body.length < at + (version === 1 ? 12 : 8)) throw new Mp4FormatError('mdhd too short')
  const timescale = body.readUInt32BE(at)
  if (timescale === 0) throw new Mp4FormatError('a time scale of zero')
  return { timescale, duration: readDuration(body, at + 4, version) }
}

function readHandler(mdia: Buffer): string {
  const hdlr = findBox(mdia, 'hdlr')
  if (!hdlr || hdlr.length < 12) throw new Mp4FormatError('a track without handler')
  return hdlr.toString('latin1', 8, 12)
}

function sampleEntry(stbl: Buffer): Box | null {
  const stsd = findBox(stbl, 'stsd')
  if (!stsd || stsd.length < 8) return null
  return children(stsd.subarray(8))[0] ?? null
}

/** VisualSampleEntry (12.1.3): 6 reserved, 2 index, 16 predefined, then width and height. */
function visualSize(entry: Box): { width: number | null; height: number | null } {
  if (entry.payload.length < 28) return { width: null, height: null }
  return { width: entry.payload.readUInt16BE(24), height: entry.payload.readUInt16BE(26) }
}

/**
 * The edit list (8.6.6). Empty edits delay the start and play nothing; an edit cannot play more than the media has behind
 * its start, whatever it claims. Every ordinary AAC file has an edit list, so its presence means nothing.
 */
function readEdits(
  trak: Buffer,
  movieTimescale: number,
  timescale: number,
  mediaDuration: number,
): number | null {
  const elst = findBox(trak, 'edts', 'elst')
  if (!elst || movieTimescale === 0) return null
  const { version, body } = fullBox(elst)
  if (body.length < 4) return null
  const entryBytes = version === 1 ? 20 : 12
  const count = Math.min(body.readUInt32BE(0), Math.floor((body.length - 4) / entryBytes))
  const mediaSeconds = mediaDuration / timescale
  let played = 0
  for (let i = 0; i < count; i++) {
    const at = 4 + i * entryBytes
    const length = version === 1 ? readU64(body, at) : body.readUInt32BE(at)
    const start = version === 1 ? Number(body.readBigInt64BE(at + 8)) : body.readInt32BE(at + 4)
    if (start < 0) continue
    const left = Math.max(0, mediaSeconds - start / timescale)
    // A length of 0 means "to the end" in files whose samples come in fragments.
    played += length === 0 ? left : Math.min(length / movieTimescale, left)
  }
  return count === 0 ? null : played
}

/**
 * `dref` entries carry flag 1 when the data is in the same file. Some writers leave it out and name no place either:
 * then there is nowhere else that the data could be.
 */
function isExternal(mdia: Buffer): boolean {
  const dref = findBox(mdia, 'minf', 'dinf', 'dref')
  if (!dref || dref.length < 8) return false
  return children(dref.subarray(8)).some(
    ({ payload }) =>
      payload.length >= 4 &&
      (payload.readUInt8(3) & 1) === 0 &&
      payload.subarray(4).some((byte) => byte !== 0),
  )
}
