// What a track's sample tables add up to: how long its samples last, and whether their bytes are in the file.
// This decides what a player can play; the durations in the headers are only what the writer claimed.

import {
  readChunkOffsets,
  readCompositionOffsets,
  readSamplesPerChunk,
  readSizes,
  readTimes,
  type Sizes,
  type Times,
} from './tables.ts'

/** Times are in the track's time scale. */
export type SampleSummary = {
  sampleCount: number
  /** Sum of the durations of all samples. */
  duration: number
  /** Samples whose bytes reach past the end of the file, and how long they last. */
  missingSamples: number
  missingDuration: number
  /** Where the first chunk begins; null without one. */
  startOffset: number | null
  /** Where the last byte of any sample would be. */
  endOffset: number
  bytes: number
  /** From when to when samples are shown: what composition offsets make of the times of decoding. */
  shownFrom: number
  shownUntil: number
  /** `stts` and `stsz` disagree about how many samples there are. */
  inconsistent: boolean
}

/**
 * Sums up one track.
 *
 * @param stbl payload of the sample table box
 * @param fileBytes length of the whole file
 * @throws {Mp4FormatError} when a table is missing or shorter than it claims
 */
export function summarizeSamples(stbl: Buffer, fileBytes: number): SampleSummary {
  const sizes = readSizes(stbl)
  const times = readTimes(stbl)
  const layout = walkChunks(stbl, sizes, times(), fileBytes)
  const { claimedSamples, startOf } = times()
  return {
    sampleCount: sizes.count,
    duration: startOf(sizes.count),
    ...layout,
    ...shownSpan(stbl, times(), sizes.count),
    inconsistent: claimedSamples !== sizes.count,
  }
}

type Layout = Pick<SampleSummary, 'startOffset' | 'endOffset' | 'bytes' | 'missingSamples' | 'missingDuration'>

/** Follows `stsc` and `stco` through all samples; linear in the length of the tables, never in what they claim. */
function walkChunks(stbl: Buffer, sizes: Sizes, times: Times, fileBytes: number): Layout {
  const offsets = readChunkOffsets(stbl)
  const perChunk = readSamplesPerChunk(stbl)
  const startOffset = offsets.count === 0 ? null : offsets.at(0)
  const layout: Layout = { startOffset, endOffset: 0, bytes: 0, missingSamples: 0, missingDuration: 0 }
  const miss = (from: number, to: number): void => {
    layout.missingSamples += to - from
    layout.missingDuration -= times.startOf(from)
    layout.missingDuration += times.startOf(to)
  }
  let sample = 0
  for (let chunk = 0; chunk < offsets.count && sample < sizes.count; chunk++) {
    const until = Math.min(sizes.count, sample + perChunk(chunk))
    if (until === sample) continue
    const start = offsets.at(chunk)
    const { end, inside } = measureChunk(sizes, sample, until, start, fileBytes)
    layout.bytes += end - start
    layout.endOffset = Math.max(layout.endOffset, end)
    if (inside < until) miss(inside, until)
    sample = until
  }
  // Samples without a chunk have no bytes anywhere.
  if (sample < sizes.count) miss(sample, sizes.count)
  return layout
}

/** Where a chunk's samples end, and the first of them that is not wholly inside the file (or `until`). */
function measureChunk(
  sizes: Sizes,
  from: number,
  until: number,
  start: number,
  fileBytes: number,
): { end: number; inside: number } {
  if (sizes.constant !== null) {
    const fitting = Math.max(0, Math.floor((fileBytes - start) / sizes.constant))
    return { end: start + (until - from) * sizes.constant, inside: Math.min(until, from + fitting) }
  }
  let end = start
  let inside = until
  for (let i = from; i < until; i++) {
    end += sizes.at(i)
    if (end > fileBytes && inside === until) inside = i
  }
  return { end, inside }
}

/** Each run of one offset is in the order of decoding: its first sample is its earliest, the end of its last the latest. */
function shownSpan(stbl: Buffer, times: Times, sampleCount: number): Pick<SampleSummary, 'shownFrom' | 'shownUntil'> {
  const offsets = readCompositionOffsets(stbl)
  let sample = 0
  let shownFrom = Number.POSITIVE_INFINITY
  let shownUntil = 0
  const show = (samples: number, offset: number): void => {
    const until = Math.min(sampleCount, sample + samples)
    if (until === sample) return
    shownFrom = Math.min(shownFrom, times.startOf(sample) + offset)
    shownUntil = Math.max(shownUntil, times.startOf(until) + offset)
    sample = until
  }
  for (let run = 0; run < (offsets?.count ?? 0); run++) {
    const { samples, offset } = offsets?.at(run) ?? { samples: 0, offset: 0 }
    show(samples, offset)
  }
  show(sampleCount - sample, 0)
  return sampleCount === 0 ? { shownFrom: 0, shownUntil: 0 } : { shownFrom, shownUntil }
}
