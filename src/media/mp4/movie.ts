// The movie box: its header's claim about the duration, and its tracks.

import { children, findBox, fullBox, Mp4FormatError, readDuration } from './boxes.ts'
import { type Mp4Track, readTrack } from './track.ts'

export type Movie = {
  /** What `mvhd` claims; null when it says "unknown" or 0, as files made of fragments do. */
  headerSeconds: number | null
  tracks: Mp4Track[]
}

const MAX_TRACKS = 64

/**
 * Reads the payload of `moov`.
 *
 * @param fileBytes length of the whole file, for telling which samples are in it
 * @throws {Mp4FormatError} when it is compressed (`cmov`, QuickTime of the 1990s), overfull or malformed
 */
export function readMovie(moov: Buffer, fileBytes: number): Movie {
  const boxes = children(moov)
  if (boxes.some((box) => box.type === 'cmov')) throw new Mp4FormatError('a compressed index')
  const mvhd = findBox(moov, 'mvhd')
  if (!mvhd) throw new Mp4FormatError('a movie without header')
  const { version, body } = fullBox(mvhd)
  const at = version === 1 ? 16 : 8
  if (body.length < at + (version === 1 ? 12 : 8)) throw new Mp4FormatError('mvhd too short')
  const timescale = body.readUInt32BE(at)
  const duration = readDuration(body, at + 4, version)
  const traks = boxes.filter((box) => box.type === 'trak')
  if (traks.length > MAX_TRACKS) throw new Mp4FormatError(`${traks.length} tracks`)
  return {
    headerSeconds: duration === null || duration === 0 || timescale === 0 ? null : duration / timescale,
    tracks: traks.map((trak) => readTrack(trak.payload, timescale, fileBytes)),
  }
}
