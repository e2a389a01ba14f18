// Movie fragments (ISO/IEC 14496-12, 8.8): browsers and screen recorders write the index in pieces between the media.
// Their movie header says 0 or nothing about the duration, so the pieces are added up.

import { type Box, children, findBox, fullBox, Mp4FormatError, readU64 } from './boxes.ts'

/** What the fragments of one track add up to, in its time scale; gaps between them are time, as in a player. */
export type FragmentSum = {
  samples: number
  duration: number
  bytes: number
  endOffset: number
  /** Where the next sample is decoded that says nothing of its own. */
  clock: number
  shownFrom: number
  shownUntil: number
}

export type Fragments = {
  /** Adds one `moof`; `offset` is where the box begins in the file. */
  add(moof: Buffer, offset: number): void
  sums: ReadonlyMap<number, FragmentSum>
  count: number
}

type Defaults = { duration: number; size: number }

/** @param moov payload of the movie box, whose `mvex` holds the defaults of each track */
export function fragmentSums(moov: Buffer): Fragments {
  const defaults = readDefaults(moov)
  const sums = new Map<number, FragmentSum>()
  const fragments = {
    sums,
    count: 0,
    add(moof: Buffer, offset: number): void {
      fragments.count++
      for (const traf of children(moof)) if (traf.type === 'traf') addTrack(traf.payload, offset, defaults, sums)
    },
  }
  return fragments
}

function readDefaults(moov: Buffer): Map<number, Defaults> {
  const defaults = new Map<number, Defaults>()
  const mvex = findBox(moov, 'mvex')
  if (!mvex) return defaults
  for (const box of children(mvex)) {
    if (box.type !== 'trex' || box.payload.length < 24) continue
    const { body } = fullBox(box.payload)
    defaults.set(body.readUInt32BE(0), { duration: body.readUInt32BE(8), size: body.readUInt32BE(12) })
  }
  return defaults
}

function addTrack(
  traf: Buffer,
  moofOffset: number,
  trex: ReadonlyMap<number, Defaults>,
  sums: Map<number, FragmentSum>,
): void {
  const boxes = children(traf)
  const tfhd = boxes.find((box) => box.type === 'tfhd')
  if (!tfhd) throw new Mp4FormatError('a fragment without header')
  const header = readTfhd(tfhd.payload, moofOffset, trex)
  const sum = sums.get(header.trackId) ?? emptySum()
  sum.clock = readTfdt(boxes) ?? sum.clock
  let dataAt = header.base
  for (const box of boxes) {
    if (box.type !== 'trun') continue
    const run = readTrun(box.payload, header.defaults)
    const start = run.dataOffset === null ? dataAt : header.base + run.dataOffset
    dataAt = start + run.bytes
    if (run.samples > 0) {
      sum.shownFrom = Math.min(sum.shownFrom, sum.clock + run.shownFrom)
      sum.shownUntil = Math.max(sum.shownUntil, sum.clock + run.shownUntil)
    }
    sum.clock += run.duration
    sum.samples += run.samples
    sum.duration += run.duration
    sum.bytes += run.bytes
    sum.endOffset = Math.max(sum.endOffset, dataAt)
  }
  sums.set(header.trackId, sum)
}

function emptySum(): FragmentSum {
  return {
    samples: 0,
    duration: 0,
    bytes: 0,
    endOffset: 0,
    clock: 0,
    shownFrom: Number.POSITIVE_INFINITY,
    shownUntil: 0,
  }
}

/** When the fragment's first sample is decoded (8.8.12); null where it only follows the one before. */
function readTfdt(boxes: readonly Box[]): number | null {
  const tfdt = boxes.find((box) => box.type === 'tfdt')
  if (!tfdt) return null
  const { version, body } = fullBox(tfdt.payload)
  if (body.length < (version === 1 ? 8 : 4)) throw new Mp4FormatError('a fragment’s time is cut off')
  return version === 1 ? readU64(body, 0) : body.readUInt32BE(0)
}

type Tfhd = { trackId: number; base: number; defaults: Defaults }

/** Optional fields come in the order of their flags: base offset, description, duration, size. */
function readTfhd(payload: Buffer, moofOffset: number, trex: ReadonlyMap<number, Defaults>): Tfhd {
  const { flags, body } = fullBox(payload)
  const take = fieldReader(body)
  const trackId = take(4)
  const base = flags & 0x1 ? take(8) : moofOffset
  if (flags & 0x2) take(4)
  const known = trex.get(trackId) ?? { duration: 0, size: 0 }
  const duration = flags & 0x8 ? take(4) : known.duration
  const size = flags & 0x10 ? take(4) : known.size
  return { trackId, base, defaults: { duration, size } }
}

/** `shownFrom` and `shownUntil`: from the run's own start. */
type Run = {
  samples: number
  duration: number
  bytes: number
  dataOffset: number | null
  shownFrom: number
  shownUntil: number
}

function readTrun(payload: Buffer, defaults: Defaults): Run {
  const { flags, body } = fullBox(payload)
  const take = fieldReader(body)
  const samples = take(4)
  const dataOffset = flags & 0x1 ? take(4) | 0 : null
  if (flags & 0x4) take(4)
  const perSample = [0x100, 0x200, 0x400, 0x800].filter((flag) => flags & flag).length * 4
  // Without a single field per sample a run may claim billions of samples in eight bytes: multiply, don't loop.
  if (perSample === 0) {
    const duration = samples * defaults.duration
    return {
      samples,
      duration,
      bytes: samples * defaults.size,
      dataOffset,
      shownFrom: 0,
      shownUntil: duration,
    }
  }
  const run: Run = { samples, duration: 0, bytes: 0, dataOffset, shownFrom: Infinity, shownUntil: 0 }
  if (samples * perSample > body.length) throw new Mp4FormatError('a fragment run shorter than its count')
  for (let i = 0; i < samples; i++) {
    const duration = flags & 0x100 ? take(4) : defaults.duration
    run.bytes += flags & 0x200 ? take(4) : defaults.size
    if (flags & 0x400) take(4)
    const offset = flags & 0x800 ? take(4) | 0 : 0
    run.shownFrom = Math.min(run.shownFrom, run.duration + offset)
    run.duration += duration
    run.shownUntil = Math.max(run.shownUntil, run.duration + offset)
  }
  return run
}

/** Takes big-endian fields one after the other. */
function fieldReader(body: Buffer): (bytes: 4 | 8) => number {
  let at = 0
  return (bytes) => {
    if (at + bytes > body.length) throw new Mp4FormatError('a fragment header shorter than its flags')
    const value = bytes === 4 ? body.readUInt32BE(at) : Number(body.readBigUInt64BE(at))
    at += bytes
    return value
  }
}
