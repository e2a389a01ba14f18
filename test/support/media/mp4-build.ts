// Building MP4 boxes by hand, for indexes that no tool would write.

export function u32(...values: number[]): Buffer {
  const buffer = Buffer.alloc(values.length * 4)
  for (const [i, value] of values.entries()) buffer.writeUInt32BE(value >>> 0, i * 4)
  return buffer
}

export function u64(value: number): Buffer {
  const buffer = Buffer.alloc(8)
  buffer.writeBigUInt64BE(BigInt(value))
  return buffer
}

export function box(type: string, ...parts: Buffer[]): Buffer {
  const payload = Buffer.concat(parts)
  return Buffer.concat([u32(payload.length + 8), Buffer.from(type, 'latin1'), payload])
}

/** A box with a 64-bit length. */
export function largeBox(type: string, ...parts: Buffer[]): Buffer {
  const payload = Buffer.concat(parts)
  return Buffer.concat([u32(1), Buffer.from(type, 'latin1'), u64(payload.length + 16), payload])
}

export function full(type: string, version: number, flags: number, ...parts: Buffer[]): Buffer {
  return box(type, u32((version << 24) | flags), ...parts)
}

export const FTYP = box('ftyp', Buffer.from('isom'), u32(512), Buffer.from('isomiso2avc1mp41'))

export type TrackSpec = {
  id?: number
  handler?: 'vide' | 'soun' | 'text'
  timescale?: number
  /** [count, delta] of stts. */
  times: Array<[number, number]>
  /** Sizes of the samples, or [count, size] for one size for all. */
  sizes: number[] | { count: number; each: number }
  /** [first chunk, samples per chunk] of stsc. */
  chunks?: Array<[number, number]>
  offsets: number[]
  wideOffsets?: boolean
  /** Sync samples, from 1. */
  sync?: number[]
  /** [count, offset] of ctts. */
  shown?: Array<[number, number]>
  /** [length in movie time, start in media time] of elst. */
  edits?: Array<[number, number]>
  headerDuration?: number
}

export const MOVIE_TIMESCALE = 1000

export function track(spec: TrackSpec): Buffer {
  const { id = 1, handler = 'vide', timescale = 1000, chunks = [[1, 1]], headerDuration = 0 } = spec
  const stsz = Array.isArray(spec.sizes)
    ? full('stsz', 0, 0, u32(0, spec.sizes.length, ...spec.sizes))
    : full('stsz', 0, 0, u32(spec.sizes.each, spec.sizes.count))
  const offsets = spec.wideOffsets
    ? full('co64', 0, 0, u32(spec.offsets.length), ...spec.offsets.map(u64))
    : full('stco', 0, 0, u32(spec.offsets.length, ...spec.offsets))
  const stbl = box(
    'stbl',
    full('stsd', 0, 0, u32(1), box(handler === 'vide' ? 'avc1' : 'mp4a', Buffer.alloc(78))),
    full('stts', 0, 0, u32(spec.times.length, ...spec.times.flat())),
    ...(spec.shown ? [full('ctts', 0, 0, u32(spec.shown.length, ...spec.shown.flat()))] : []),
    stsz,
    full('stsc', 0, 0, u32(chunks.length, ...chunks.flatMap(([first, count]) => [first, count, 1]))),
    offsets,
    ...(spec.sync ? [full('stss', 0, 0, u32(spec.sync.length, ...spec.sync))] : []),
  )
  return box(
    'trak',
    full('tkhd', 0, 3, u32(0, 0, id, 0, headerDuration), Buffer.alloc(60)),
    ...(spec.edits
      ? [
          box(
            'edts',
            full(
              'elst',
              0,
              0,
              u32(spec.edits.length, ...spec.edits.flatMap(([length, start]) => [length, start, 0x10000])),
            ),
          ),
        ]
      : []),
    box(
      'mdia',
      full('mdhd', 0, 0, u32(0, 0, timescale, headerDuration, 0)),
      full('hdlr', 0, 0, u32(0), Buffer.from(handler), Buffer.alloc(13)),
      box('minf', stbl),
    ),
  )
}

export function moov(headerDuration: number, ...parts: Buffer[]): Buffer {
  return box('moov', full('mvhd', 0, 0, u32(0, 0, MOVIE_TIMESCALE, headerDuration), Buffer.alloc(80)), ...parts)
}
