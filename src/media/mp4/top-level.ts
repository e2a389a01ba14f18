// The walk over a file's top-level boxes by small ranged reads: where index and media are, and whether they are all here.
// A file cut off by a broken transfer shows here first: its last box claims more bytes than the file has.

import { readBoxHeader } from './boxes.ts'

/** A file, an object in a bucket, a file that a browser holds: as much of it as reading an index needs. */
export type ByteSource = {
  /** Length of the whole file. */
  bytes: number
  /** Up to `length` bytes from `position`; shorter only at the end of the file. */
  readAt(position: number, length: number): Promise<Buffer>
  /** Absolute, where the file is on this machine. Made by us, never of a client's name: `-x` would be an option. */
  path?: string
}

export type TopLevelBox = { type: string; offset: number; headerBytes: number; bytes: number }

export type TopLevel = {
  boxes: TopLevelBox[]
  /** The last box reaches past the end of the file, or the file ends within a header. */
  cutOff: boolean
  /** Bytes behind the last sound box that are no box: cameras append such trailers. */
  trailingBytes: number
  /** The walk was given up at {@link WalkLimits.maxBoxes}: nothing is known of the rest. */
  unfinished: boolean
  /** Zeros stand where a box should begin, and more than zeros behind them: bytes of the disk were lost. */
  zeros: boolean
}

export type WalkLimits = { maxBoxes: number }

/** What opens a file and lies in front of its boxes; one read of this size usually shows the whole walk of a short file. */
const WINDOW_BYTES = 64 * 1024

/**
 * A reader that keeps the last window, so that neighbouring headers cost one read.
 * Reads longer than a window go straight through.
 */
export function windowed(source: ByteSource): (position: number, length: number) => Promise<Buffer> {
  let start = 0
  let window: Buffer | undefined
  return async (position, length) => {
    if (length > WINDOW_BYTES) return await source.readAt(position, length)
    if (window === undefined || position < start || position + length > start + window.length) {
      start = position
      window = await source.readAt(position, Math.max(length, Math.min(WINDOW_BYTES, source.bytes - position)))
    }
    return window.subarray(position - start, position - start + length)
  }
}

/** Box types that we trust to be the start of a box and not of a trailer, when they claim too much. */
const KNOWN = new Set('ftyp styp moov moof mdat free skip wide uuid meta sidx ssix mfra prft emsg pdin'.split(' '))

/**
 * Walks the top level. Costs one read per {@link WINDOW_BYTES} or box, whichever is fewer.
 *
 * @param visit called for each box that is wholly in the file, in order, before the walk goes on
 */
export async function walkTopLevel(
  read: (position: number, length: number) => Promise<Buffer>,
  fileBytes: number,
  limits: WalkLimits,
  visit: (box: TopLevelBox) => Promise<void>,
): Promise<TopLevel> {
  const boxes: TopLevelBox[] = []
  const whole = { cutOff: false, trailingBytes: 0, unfinished: false, zeros: false }
  /** Space that was taken in advance and never written to is all zeros. */
  const hasMore = async (): Promise<boolean> => {
    const bytes = Math.min(WINDOW_BYTES, fileBytes)
    return (await read(fileBytes - bytes, bytes)).some((byte) => byte !== 0)
  }
  let at = 0
  let hasIndex = false
  let hasMedia = false
  while (at < fileBytes) {
    if (boxes.length >= limits.maxBoxes) return { boxes, ...whole, unfinished: true }
    const head = await read(at, Math.min(16, fileBytes - at))
    const header = readBoxHeader(head)
    const end = header === null ? null : header.bytes === null ? fileBytes : at + header.bytes
    const complete = hasIndex && hasMedia
    if (header === null || end === null || (end > fileBytes && complete && !KNOWN.has(header.type))) {
      // Noise behind a complete file is a trailer; noise in front of index or media is a broken file.
      return { boxes, ...whole, cutOff: !complete, trailingBytes: fileBytes - at }
    }
    const box = { type: header.type, offset: at, headerBytes: header.headerBytes, bytes: end - at }
    boxes.push(box)
    hasIndex ||= box.type === 'moov'
    hasMedia ||= box.type === 'mdat'
    if (end > fileBytes) return { boxes, ...whole, cutOff: true }
    if (header.bytes === null && head.every((byte) => byte === 0)) return { boxes, ...whole, zeros: await hasMore() }
    await visit(box)
    at = end
  }
  return { boxes, ...whole }
}
