// The tables of one track (ISO/IEC 14496-12, 8.6 and 8.7), each as a small reader over the bytes of its box.
// Readers that are asked for ascending positions keep a cursor, so that a whole walk stays linear in the table's length.

import { findBox, fullBox, Mp4FormatError, readU64, table } from './boxes.ts'

export type Sizes = {
  count: number
  /** One size for all samples; such a track may claim billions of samples in twelve bytes, so never loop over them. */
  constant: number | null
  at(sample: number): number
}

/** `stsz`: one size for all, or a table; `stz2`: a table of 4, 8 or 16 bits. */
export function readSizes(stbl: Buffer): Sizes {
  const stsz = findBox(stbl, 'stsz')
  if (stsz) {
    const { body } = fullBox(stsz)
    if (body.length < 8) throw new Mp4FormatError('stsz too short')
    const size = body.readUInt32BE(0)
    if (size !== 0) return { count: body.readUInt32BE(4), constant: size, at: () => size }
    const { count, entries } = table(body.subarray(4), 4)
    return { count, constant: null, at: (sample) => entries.readUInt32BE(sample * 4) }
  }
  const stz2 = findBox(stbl, 'stz2')
  if (!stz2) throw new Mp4FormatError('no sample sizes')
  const { body } = fullBox(stz2)
  if (body.length < 8) throw new Mp4FormatError('stz2 too short')
  const bits = body.readUInt8(3)
  if (bits !== 4 && bits !== 8 && bits !== 16) throw new Mp4FormatError('stz2 with an odd field size')
  const { count, entries } = table(body.subarray(4), bits / 8)
  const at = (sample: number): number => {
    if (bits === 16) return entries.readUInt16BE(sample * 2)
    if (bits === 8) return entries.readUInt8(sample)
    return (entries.readUInt8(sample >> 1) >> (sample % 2 === 0 ? 4 : 0)) & 15
  }
  return { count, constant: null, at }
}

export type Times = {
  /** How many samples `stts` speaks of; `stsz` may say otherwise. */
  claimedSamples: number
  /** Time from the first sample to the start of `sample`; to be asked in ascending order. */
  startOf(sample: number): number
}

/** `stts`, run-length coded. Samples beyond it last as long as its last entry, as players have it. */
export function readTimes(stbl: Buffer): () => Times {
  const stts = findBox(stbl, 'stts')
  if (!stts) throw new Mp4FormatError('no sample times')
  const { count, entries } = table(fullBox(stts).body, 8)
  let claimedSamples = 0
  for (let i = 0; i < count; i++) claimedSamples += entries.readUInt32BE(i * 8)
  return () => {
    let run = 0
    let firstOfRun = 0
    let time = 0
    const startOf = (sample: number): number => {
      while (run < count - 1 && sample - firstOfRun > entries.readUInt32BE(run * 8)) {
        const length = entries.readUInt32BE(run * 8)
        time += length * entries.readUInt32BE(run * 8 + 4)
        firstOfRun += length
        run++
      }
      const delta = count === 0 ? 0 : entries.readUInt32BE(run * 8 + 4)
      return time + (sample - firstOfRun) * delta
    }
    return { claimedSamples, startOf }
  }
}

/**
 * `ctts`: runs of samples that are shown so much later (B-frames) than they are decoded; negative in files of some
 * writers, whatever the version says. Null when absent: all are shown when they are decoded.
 */
export function readCompositionOffsets(
  stbl: Buffer,
): { count: number; at(run: number): { samples: number; offset: number } } | null {
  const ctts = findBox(stbl, 'ctts')
  if (!ctts) return null
  const { count, entries } = table(fullBox(ctts).body, 8)
  return {
    count,
    at: (run) => ({ samples: entries.readUInt32BE(run * 8), offset: entries.readInt32BE(run * 8 + 4) }),
  }
}

/** Where chunks begin: `stco` (32 bits) or `co64`. */
export function readChunkOffsets(stbl: Buffer): { count: number; at(chunk: number): number } {
  const stco = findBox(stbl, 'stco')
  if (stco) {
    const { count, entries } = table(fullBox(stco).body, 4)
    return { count, at: (chunk) => entries.readUInt32BE(chunk * 4) }
  }
  const co64 = findBox(stbl, 'co64')
  if (!co64) throw new Mp4FormatError('no chunk offsets')
  const { count, entries } = table(fullBox(co64).body, 8)
  return { count, at: (chunk) => readU64(entries, chunk * 8) }
}

/** `stsc`: how many samples chunk n (from 0) holds; to be asked in ascending order. */
export function readSamplesPerChunk(stbl: Buffer): (chunk: number) => number {
  const stsc = findBox(stbl, 'stsc')
  if (!stsc) throw new Mp4FormatError('no samples per chunk')
  const { count, entries } = table(fullBox(stsc).body, 12)
  let row = 0
  return (chunk) => {
    while (row + 1 < count && entries.readUInt32BE((row + 1) * 12) <= chunk + 1) row++
    return count === 0 ? 0 : entries.readUInt32BE(row * 12 + 4)
  }
}
