// The index of an MP4 or QuickTime file, read in a few small pieces: what is in it, whether all of it is here, and how
// long it lasts. An hour of 1.5 GiB takes a handful of reads; nothing is decoded and no tool is started.
//
// Why not ffprobe: it believes the header of a file of which 40 % is missing, and durations that were patched.

import { Mp4FormatError } from './boxes.ts'
import { type Durations, weighDurations } from './durations.ts'
import { playEdits } from './edits.ts'
import { type Fragments, fragmentSums } from './fragments.ts'
import { type Movie, readMovie } from './movie.ts'
import { type ByteSource, type TopLevel, type TopLevelBox, walkTopLevel, windowed } from './top-level.ts'
import type { Mp4Track } from './track.ts'

export type { Durations } from './durations.ts'
export type { Mp4Track, Rotation } from './track.ts'

/**
 * `CUT_OFF`: a box reaches past the end of the file. `NO_INDEX`: no movie box (a transfer cut before the end of a file
 * whose index comes last). `SAMPLES_MISSING`: the index names bytes that are not there. `INDEX_UNREADABLE`: tables that
 * contradict themselves or exceed our limits; measure by a demux pass instead. `NO_SAMPLES`: nothing to play.
 */
export type Mp4Problem = 'CUT_OFF' | 'NO_INDEX' | 'SAMPLES_MISSING' | 'INDEX_UNREADABLE' | 'NO_SAMPLES'

export type Mp4Index = {
  problem: Mp4Problem | null
  /** False: bytes are missing that the file itself announces. True says nothing where `measurable` is false. */
  complete: boolean
  /** Whether `durations` may be judged; else use a demux pass. */
  measurable: boolean
  /** The index comes before the media, so that a player can start at once. */
  streamable: boolean
  fragmented: boolean
  /**
   * A recording in fragments breaks off, or something else lies where one should begin: its header was written before there
   * was a length to tell. What is left of it plays; measure that by a demux pass.
   */
  torn: boolean
  /** Of all pictures and sounds together. */
  durations: Durations
  tracks: Mp4Track[]
  /** The first enabled video track, else the first. */
  video: Mp4Track | null
  audio: Mp4Track[]
  encrypted: boolean
  /** The media lies in another file, which is never followed. */
  external: boolean
  /** Sample tables of different lengths: not written by an honest tool. */
  inconsistent: boolean
  /** Bytes behind the last box; harmless. */
  trailingBytes: number
  /** For logs: what could not be read, in English. */
  detail: string | null
}

export type Mp4Limits = {
  /** A movie box is read whole; an hour needs some 2 MiB. */
  maxMovieBytes: number
  maxFragmentBytes: number
  /** Fragments cost a read each: on a bucket a long file of them is better demuxed. */
  maxBoxes: number
}

/**
 * Reads the index.
 *
 * @param limits default: 64 MiB of movie box, 16 MiB per fragment, 100,000 boxes in a local file and 2,000 in a bucket
 * @throws only what the source throws; whatever the file contains becomes a `problem`
 */
export async function readMp4Index(source: ByteSource, limits: Partial<Mp4Limits> = {}): Promise<Mp4Index> {
  const bounds: Mp4Limits = {
    maxMovieBytes: limits.maxMovieBytes ?? 64 * 1024 * 1024,
    maxFragmentBytes: limits.maxFragmentBytes ?? 16 * 1024 * 1024,
    maxBoxes: limits.maxBoxes ?? (source.path === undefined ? 2_000 : 100_000),
  }
  const found: Found = { movie: null, fragments: null, detail: null }
  const read = windowed(source)
  const top = await walkTopLevel(read, source.bytes, bounds, (box) => visit(box, read, source.bytes, bounds, found))
  return summarize(top, found, source.bytes)
}

/** Behind the last fragment: more than what cameras append is the rest of a recording. */
const TRAILER_SHARE = 0.05

type Found = { movie: Movie | null; fragments: Fragments | null; detail: string | null }

async function visit(
  box: TopLevelBox,
  read: (position: number, length: number) => Promise<Buffer>,
  fileBytes: number,
  bounds: Mp4Limits,
  found: Found,
): Promise<void> {
  const payload = async (maxBytes: number): Promise<Buffer> => {
    if (box.bytes > maxBytes) throw new Mp4FormatError(`${box.type} of ${box.bytes} bytes`)
    return await read(box.offset + box.headerBytes, box.bytes - box.headerBytes)
  }
  try {
    // Of several movie boxes the first counts, as in every player.
    if (box.type === 'moov' && found.movie === null) {
      const moov = await payload(bounds.maxMovieBytes)
      found.movie = readMovie(moov, fileBytes)
      found.fragments = fragmentSums(moov)
    } else if (box.type === 'moof' && found.fragments) {
      found.fragments.add(await payload(bounds.maxFragmentBytes), box.offset)
    }
  } catch (error) {
    // A RangeError is a read past the end of a box: the file's doing, like a format error.
    if (!(error instanceof Mp4FormatError || error instanceof RangeError)) throw error
    found.detail ??= error.message
  }
}

function summarize(top: TopLevel, found: Found, fileBytes: number): Mp4Index {
  const tracks = withFragments(found.movie?.tracks ?? [], found.fragments)
  const videos = tracks.filter((track) => track.handler === 'vide')
  const measured = tracks.filter((track) => track.handler === 'vide' || track.handler === 'soun')
  const problem = findProblem(top, found, measured, fileBytes)
  const fragmented = (found.fragments?.count ?? 0) > 0
  const torn = fragmented && (problem === 'CUT_OFF' || top.zeros || top.trailingBytes > fileBytes * TRAILER_SHARE)
  const at = (type: string): number => top.boxes.findIndex((box) => box.type === type)
  return {
    problem,
    complete: problem === null || problem === 'INDEX_UNREADABLE' || problem === 'NO_SAMPLES',
    measurable: found.movie !== null && !torn && problem !== 'INDEX_UNREADABLE' && problem !== 'NO_SAMPLES',
    streamable: at('moov') >= 0 && (at('mdat') < 0 || at('moov') < at('mdat')),
    fragmented,
    torn,
    durations: weighDurations(found.movie?.headerSeconds ?? null, measured),
    tracks,
    video: videos.find((track) => track.enabled) ?? videos[0] ?? null,
    audio: tracks.filter((track) => track.handler === 'soun'),
    encrypted: tracks.some((track) => track.encrypted),
    external: tracks.some((track) => track.external),
    inconsistent: tracks.some((track) => track.inconsistent),
    trailingBytes: top.trailingBytes,
    detail: found.detail,
  }
}

function findProblem(top: TopLevel, found: Found, measured: Mp4Track[], fileBytes: number): Mp4Problem | null {
  if (top.cutOff) return found.movie ? 'CUT_OFF' : 'NO_INDEX'
  if (found.detail !== null || top.unfinished) return 'INDEX_UNREADABLE'
  if (!found.movie) return 'NO_INDEX'
  if (measured.some((track) => track.missingSamples > 0 || track.endOffset > fileBytes)) return 'SAMPLES_MISSING'
  return measured.some((track) => track.sampleCount > 0) ? null : 'NO_SAMPLES'
}

/** Samples in fragments add to those in the movie box, of which there are usually none then. */
function withFragments(tracks: readonly Mp4Track[], fragments: Fragments | null): Mp4Track[] {
  return tracks.map((track) => {
    const sum = fragments?.sums.get(track.id)
    if (!sum || sum.samples === 0) return track
    const isEmpty = track.sampleCount === 0
    const shown = {
      from: Math.min(isEmpty ? Number.POSITIVE_INFINITY : track.shown.from, sum.shownFrom / track.timescale),
      until: Math.max(track.shown.until, sum.shownUntil / track.timescale),
    }
    return {
      ...track,
      shown,
      played: playEdits(track.edits, shown, true),
      samplesSeconds: Math.max(track.samplesSeconds + sum.duration / track.timescale, shown.until - shown.from),
      sampleCount: track.sampleCount + sum.samples,
      mediaBytes: track.mediaBytes + sum.bytes,
      endOffset: Math.max(track.endOffset, sum.endOffset),
    }
  })
}
