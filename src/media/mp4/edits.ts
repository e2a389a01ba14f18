// The edit list (ISO/IEC 14496-12, 8.6.6): which pieces of a track's media are played, and when.

import { findBox, fullBox, readU64 } from './boxes.ts'

/** In seconds. `from` null: an empty edit, in which nothing is played. `length` 0: up to the end of the media. */
export type Edit = { length: number; from: number | null }

/** When a track is on: from the first to the end of its last sample that is played, on the file's clock; and how much of its media. */
export type Played = { startSeconds: number; endSeconds: number; playedSeconds: number }

/** @returns null without an edit list. Every ordinary AAC file has one, so its presence means nothing. */
export function readEdits(trak: Buffer, movieTimescale: number, timescale: number): Edit[] | null {
  const elst = findBox(trak, 'edts', 'elst')
  if (!elst || movieTimescale === 0) return null
  const { version, body } = fullBox(elst)
  if (body.length < 4) return null
  const entryBytes = version === 1 ? 20 : 12
  const count = Math.min(body.readUInt32BE(0), Math.floor((body.length - 4) / entryBytes))
  if (count === 0) return null
  return Array.from({ length: count }, (_, i) => {
    const at = 4 + i * entryBytes
    const length = version === 1 ? readU64(body, at) : body.readUInt32BE(at)
    const from = version === 1 ? Number(body.readBigInt64BE(at + 8)) : body.readInt32BE(at + 4)
    return { length: length / movieTimescale, from: from < 0 ? null : from / timescale }
  })
}

/**
 * What an edit list lets play. An edit cannot play more than the media has behind its start, whatever it claims.
 *
 * @param shown from when to when the media's samples are shown, in seconds of the media's own clock
 * @param fragmented the list was written before the fragments were: its lengths say nothing, its starts do
 */
export function playEdits(
  edits: readonly Edit[] | null,
  shown: { from: number; until: number },
  fragmented: boolean,
): Played {
  if (edits === null)
    return { startSeconds: shown.from, endSeconds: shown.until, playedSeconds: shown.until - shown.from }
  let clock = 0
  let startSeconds = Number.POSITIVE_INFINITY
  let endSeconds = 0
  let playedSeconds = 0
  for (const { length, from } of edits) {
    const isOpen = length === 0 || fragmented
    if (from !== null) {
      const until = isOpen ? shown.until : Math.min(from + length, shown.until)
      const first = Math.max(from, shown.from)
      if (until > first) {
        startSeconds = Math.min(startSeconds, clock + first - from)
        endSeconds = clock + until - from
        playedSeconds += until - first
      }
    }
    clock += length
  }
  return playedSeconds === 0
    ? { startSeconds: 0, endSeconds: 0, playedSeconds }
    : { startSeconds, endSeconds, playedSeconds }
}
