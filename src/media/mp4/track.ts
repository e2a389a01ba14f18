// One track of a movie box: what it is (handler, codec), how it is shown (matrix, size), and how long it lasts by three
// accounts: header, edit list, samples.

import { type Box, children, findBox, fullBox, Mp4FormatError, readDuration } from './boxes.ts'
import { type Edit, type Played, playEdits, readEdits } from './edits.ts'
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
  edits: readonly Edit[] | null
  /** From when to when the samples are shown, in seconds of the track's own clock (fragments included). */
  shown: { from: number; until: number }
  /** When it is on by the file's clock, with the edit list honoured. */
  played: Played
  /** How long the samples last, edit list or not: the longer of the sum of their durations and the time they are shown. */
  samplesSeconds: number
  sampleCount: number
  missingSamples: number
  /** Of the samples whose bytes are missing. */
  missingSeconds: number
  /** Where the first samples of the movie box lie; null where there are none. */
  startOffset: number | null
  endOffset: number
  mediaBytes: number
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
  shownFrom: 0,
  shownUntil: 0,
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
  const edits = readEdits(trak, movieTimescale, timescale)
  const shown = { from: seconds(samples.shownFrom), until: seconds(samples.shownUntil) }
  return {
    ...tkhd,
    handler,
    codec: entry?.type ?? null,
    timescale,
    headerSeconds: duration === null ? null : seconds(duration),
    edits,
    shown,
    played: playEdits(edits, shown, false),
    samplesSeconds: Math.max(seconds(samples.duration), shown.until - shown.from),
    sampleCount: samples.sampleCount,
    missingSamples: samples.missingSamples,
    missingSeconds: seconds(samples.missingDuration),
    startOffset: samples.startOffset,
    endOffset: samples.endOffset,
    mediaBytes: samples.bytes,
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
 * `dref` entries carry flag 1 when the data is in the same file. Some writers leave it out and name no place either:
 * then there is nowhere else that the data could be.
 */
function isExternal(mdia: Buffer): boolean {
  const dref = findBox(mdia, 'minf', 'dinf', 'dref')
  if (!dref || dref.length < 8) return false
  return children(dref.subarray(8)).some(
    ({ payload }) =>
      payload.length >= 4 && (payload.readUInt8(3) & 1) === 0 && payload.subarray(4).some((byte) => byte !== 0),
  )
}
