// Changing an MP4 by rebuilding boxes, where the change needs room. Only for files whose index comes last: nothing that
// the index points at moves then. Written apart from the reader under test, like mp4-bytes.ts.

import { full, u32 } from './mp4-build.ts'
import { places } from './mp4-bytes.ts'

type Place = ReturnType<typeof places>[number]

/** A box exchanged for other bytes; the lengths of the boxes around it follow. */
export function replaceBox(file: Buffer, place: Place, bytes: Buffer): Buffer {
  const grown = bytes.length - (place.end - place.start)
  const changed = Buffer.concat([file.subarray(0, place.start), bytes, file.subarray(place.end)])
  for (const around of place.parents.flatMap((type) => places(file, type))) {
    if (around.start >= place.start || around.end < place.end) continue
    changed.writeUInt32BE(around.end - around.start + grown, around.start)
  }
  return changed
}

/** The edit list of every track: so many entries, each `seconds` long from the given second of the media. */
export function setEdits(file: Buffer, edits: readonly { seconds: number; from: number }[]): Buffer {
  let changed = file
  const movieScale = file.readUInt32BE(firstOf(file, 'mvhd').body + 12)
  const count = places(file, 'trak').length
  for (let track = 0; track < count; track++) {
    const mdhd = places(changed, 'mdhd')[track]
    const elst = places(changed, 'elst')[track]
    if (mdhd === undefined || elst === undefined) throw new Error(`track ${track} has no edit list`)
    const scale = changed.readUInt32BE(mdhd.body + 12)
    const entries = edits.flatMap(({ seconds, from }) => [
      Math.round(seconds * movieScale),
      Math.round(from * scale),
      0x10000,
    ])
    changed = replaceBox(changed, elst, full('elst', 0, 0, u32(edits.length, ...entries)))
  }
  return changed
}

/**
 * Says that every track's samples lie elsewhere: one `dref` entry per location. `url ` takes any address; `alis` is how
 * QuickTime names a file on the same machine.
 */
export function pointElsewhere(file: Buffer, locations: readonly string[]): Buffer {
  let changed = file
  const count = places(file, 'dref').length
  const entries = locations.map((location) => full('url ', 0, 0, Buffer.from(`${location}\0`, 'utf8')))
  for (let track = 0; track < count; track++) {
    const dref = places(changed, 'dref')[track]
    if (dref === undefined) throw new Error('a data reference is gone')
    changed = replaceBox(changed, dref, full('dref', 0, 0, u32(entries.length), ...entries))
  }
  return changed
}

/**
 * Stretches every track to the same length, and all claims with it: seconds of pictures become an hour that is as long as
 * it says. Times in the tables are made as fine as 32 bits allow: of an hour less than a hundredth of a second is rounded
 * away, and headers claim what comes out.
 */
export function stretched(file: Buffer, seconds: number): Buffer {
  const changed = Buffer.from(file)
  const claims: number[] = []
  for (const [track, { body }] of places(file, 'mdhd').entries()) {
    const time = refineTimes(changed, track)
    const scale = Math.round(time / seconds)
    changed.writeUInt32BE(scale, body + 12)
    changed.writeUInt32BE(time, body + 16)
    claims.push(time / scale)
  }
  const movieHeader = firstOf(file, 'mvhd').body
  const movieTime = Math.round(Math.max(...claims) * changed.readUInt32BE(movieHeader + 12))
  changed.writeUInt32BE(movieTime, movieHeader + 16)
  for (const { body } of places(file, 'tkhd')) changed.writeUInt32BE(movieTime, body + 20)
  // One edit that plays everything: priming samples of the sound are not hidden any more.
  for (const { body } of places(file, 'elst')) {
    changed.writeUInt32BE(movieTime, body + 8)
    changed.writeInt32BE(0, body + 12)
  }
  return changed
}

/** Multiplies a track's `stts` in place until it nearly fills 32 bits. @returns what it adds up to then */
function refineTimes(file: Buffer, track: number): number {
  const stts = places(file, 'stts')[track]
  if (stts === undefined) throw new Error(`track ${track} has no times`)
  const entries = Array.from({ length: file.readUInt32BE(stts.body + 4) }, (_, i) => stts.body + 8 + i * 8)
  const sum = () => entries.reduce((total, at) => total + file.readUInt32BE(at) * file.readUInt32BE(at + 4), 0)
  const factor = Math.floor(4e9 / sum())
  for (const at of entries) file.writeUInt32BE(file.readUInt32BE(at + 4) * factor, at + 4)
  return sum()
}

/** The last picture of the first track stays for so many seconds: its duration is set to them. One delta for all others. */
export function holdLastPicture(file: Buffer, seconds: number): Buffer {
  const scale = file.readUInt32BE(firstOf(file, 'mdhd').body + 12)
  const stts = firstOf(file, 'stts')
  const count = file.readUInt32BE(stts.body + 8)
  const delta = file.readUInt32BE(stts.body + 12)
  const table = u32(2, count - 1, delta, 1, Math.round(seconds * scale))
  const changed = replaceBox(file, stts, full('stts', 0, 0, table))
  const movieScale = file.readUInt32BE(firstOf(file, 'mvhd').body + 12)
  const length = Math.round((((count - 1) * delta) / scale + seconds) * movieScale)
  const elst = places(changed, 'elst')[0]
  if (elst !== undefined) changed.writeUInt32BE(length, elst.body + 8)
  return changed
}

/** A `free` box of so many bytes, as its header alone: the rest of it may be a hole in the file. */
export function freeHeader(bytes: number): Buffer {
  const header = Buffer.alloc(16)
  header.writeUInt32BE(1)
  header.write('free', 4, 'latin1')
  header.writeBigUInt64BE(BigInt(bytes), 8)
  return header
}

/** Bytes of all media data set to zero between two shares of it: a disk that lost its blocks. */
export function wipeMedia(file: Buffer, fromShare: number, toShare: number): Buffer {
  const wiped = Buffer.from(file)
  for (const { body, end } of places(file, 'mdat')) {
    const at = (share: number): number => body + Math.floor((end - body) * share)
    wiped.fill(0, at(fromShare), at(toShare))
  }
  return wiped
}

export function firstOf(file: Buffer, type: string): Place {
  const [found] = places(file, type)
  if (found === undefined) throw new Error(`no ${type} in the file`)
  return found
}
