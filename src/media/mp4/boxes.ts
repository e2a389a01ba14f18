// Boxes of ISO base media files and QuickTime (ISO/IEC 14496-12, 4.2): a length, a four-letter type, a payload.
// Every number in them is a claim of a hostile file: lengths are checked against what is really there before use, and
// counts and depths are bounded, so that a small file cannot make us loop or allocate for long.

/** The index lies or is beyond what we read; the file may still be measured by a demux pass. */
export class Mp4FormatError extends Error {
  override readonly name = 'Mp4FormatError'
}

export type BoxHeader = {
  type: string
  /** 8, or 16 with a 64-bit length. */
  headerBytes: number
  /** Whole length with header; null: up to the end of the file (length 0). */
  bytes: number | null
}

/** A box inside a buffer. */
export type Box = { type: string; payload: Buffer }

const MAX_CHILDREN = 4096

/** Reads a header; null when fewer bytes than a header are there or the length cannot be one. */
export function readBoxHeader(buffer: Buffer, at = 0): BoxHeader | null {
  if (buffer.length < at + 8) return null
  const size = buffer.readUInt32BE(at)
  const type = buffer.toString('latin1', at + 4, at + 8)
  if (size === 0) return { type, headerBytes: 8, bytes: null }
  if (size !== 1) return size < 8 ? null : { type, headerBytes: 8, bytes: size }
  if (buffer.length < at + 16) return null
  const large = buffer.readBigUInt64BE(at + 8)
  if (large < 16n || large > BigInt(Number.MAX_SAFE_INTEGER)) return null
  return { type, headerBytes: 16, bytes: Number(large) }
}

/**
 * The boxes inside a payload. A child that claims more than its parent holds ends the list: what follows it is noise.
 *
 * @throws {Mp4FormatError} beyond {@link MAX_CHILDREN} children
 */
export function children(payload: Buffer): Box[] {
  const found: Box[] = []
  for (let at = 0; at + 8 <= payload.length; ) {
    const header = readBoxHeader(payload, at)
    if (!header) break
    const end = header.bytes === null ? payload.length : at + header.bytes
    if (end > payload.length) break
    if (found.length >= MAX_CHILDREN) throw new Mp4FormatError(`more than ${MAX_CHILDREN} boxes in one`)
    found.push({ type: header.type, payload: payload.subarray(at + header.headerBytes, end) })
    at = end
  }
  return found
}

/** The first box along a path of types, or null. */
export function findBox(payload: Buffer, ...path: string[]): Buffer | null {
  let current: Buffer | null = payload
  for (const type of path) {
    if (!current) return null
    current = children(current).find((box) => box.type === type)?.payload ?? null
  }
  return current
}

/** A full box's version and flags (4.2): one byte and three. */
export function fullBox(payload: Buffer): { version: number; flags: number; body: Buffer } {
  if (payload.length < 4) throw new Mp4FormatError('a full box without version')
  return { version: payload.readUInt8(0), flags: payload.readUIntBE(1, 3), body: payload.subarray(4) }
}

/** An unsigned 64-bit number as a double: durations and offsets beyond 2^53 are lies and stay absurdly large. */
export function readU64(buffer: Buffer, at: number): number {
  return Number(buffer.readBigUInt64BE(at))
}

/** All ones means "unknown" in durations of either width. */
export function readDuration(buffer: Buffer, at: number, version: number): number | null {
  if (version === 1) {
    const value = buffer.readBigUInt64BE(at)
    return value === 0xffff_ffff_ffff_ffffn ? null : Number(value)
  }
  const value = buffer.readUInt32BE(at)
  return value === 0xffff_ffff ? null : value
}

/**
 * A table's entry count and body, after checking that so many entries are really there.
 *
 * @param entryBytes length of one entry
 * @throws {Mp4FormatError} when the count claims more than the box holds
 */
export function table(body: Buffer, entryBytes: number): { count: number; entries: Buffer } {
  if (body.length < 4) throw new Mp4FormatError('a table without a count')
  const count = body.readUInt32BE(0)
  const entries = body.subarray(4)
  if (count * entryBytes > entries.length) throw new Mp4FormatError('a table shorter than its count')
  return { count, entries }
}
