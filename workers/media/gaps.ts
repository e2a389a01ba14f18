// Where a recording has holes: parts of its time in which there is neither picture nor sound, or nothing in them but what
// cannot be decoded. A disk that lost blocks and a transfer that lost packets leave files that are whole by their lengths.
//
// Pure: packets go in one by one, and what the pass over picture and sound has decoded. A picture that stands still, slides
// and pauses of a screen recording have no packets either, so that time without a picture alone is no hole.

import type { Gap } from '../../src/records/upload-record.ts'
import type { Packet } from './demux.ts'

/** Marks per second: ten packets of sound are in one. */
const RATE = 5
/** Shorter ones are glitches, unless there are many. */
const MIN_GAP_SECONDS = 1
const MIN_SUM_SECONDS = 2
/** Between two holes that are closer nobody can watch anything. */
const JOIN_SECONDS = 1
/** Beyond it the tools take a stream's leap out of its clock; beyond the other it is a second recording joined on. */
const LEAP_SECONDS = 10
const JOINED_SECONDS = 600
/** Samples of the picture are at least so far apart. */
const SAMPLE_SECONDS = 0.9
/** What a container takes for a packet besides its bytes, at most; a stream of small packets takes more. */
const OVERHEAD = { index: { bytes: 40, share: 0 }, stream: { bytes: 200, share: 0.04 } }
/** Of the file's bytes, in no packet: much less is an index, words and padding. */
const LOST_SHARE = 0.05
const LOST_BYTES = 64 * 1024

export type TimelineOptions = {
  /** How long the file lasts. */
  seconds: number
  fileBytes: number
  /** A transport or program stream, whose clock may leap. */
  leaps: boolean
  /** Of each stream in the order of packets; `silent`: its packets are zeros where there is nothing to hear or see. */
  streams: ReadonlyArray<{ kind: 'video' | 'audio'; plain: boolean }>
}

/** What the pass over picture and sound has decoded; null: not looked at. */
export type Decoded = {
  seenSeconds: readonly number[] | null
  heardSeconds: readonly number[] | null
}

export type Timeline = {
  add(packet: Packet): void
  /** Seconds of the keyframes that should have been among the decoded pictures. */
  unseenKeys(decoded: Decoded): { from: number; until: number }[]
  /** @param unseen of {@link unseenKeys}, those that were found undecodable */
  gaps(decoded: Decoded, unseen: readonly { from: number; until: number }[]): Gap[]
}

export function timeline({ seconds, fileBytes, leaps, streams }: TimelineOptions): Timeline {
  const length = Math.ceil((seconds + 1) * RATE)
  const picture = new Uint8Array(length)
  const sound = new Uint8Array(length)
  const blank = new Uint8Array(length)
  const lastOf = streams.map(() => Number.NaN)
  const leapt: Gap[] = []
  const keys: number[] = []
  let origin = Number.NaN
  let shift = 0
  let heldBytes = 0
  let soundFrom = Number.POSITIVE_INFINITY
  let soundUntil = 0
  const overhead = leaps ? OVERHEAD.stream : OVERHEAD.index
  const hasSound = streams.some(({ kind }) => kind === 'audio')

  /** As the tools do: what one stream leaps is taken out of the clock of all. */
  const follow = (stream: number, at: number): void => {
    if (!leaps || Number.isNaN(at)) return
    const leap = at - shift - (lastOf[stream] ?? Number.NaN)
    if (Math.abs(leap) > LEAP_SECONDS) {
      shift += leap
      if (leap > 0 && leap <= JOINED_SECONDS)
        leapt.push({ startSeconds: (lastOf[stream] ?? 0) - origin, seconds: leap })
    }
    lastOf[stream] = at - shift
  }

  return {
    add(packet) {
      const { kind, plain } = streams[packet.stream] ?? { kind: 'audio', plain: true }
      heldBytes += packet.bytes * (1 + overhead.share) + overhead.bytes
      follow(packet.stream, packet.decodedAt)
      if (Number.isNaN(packet.startSeconds)) return
      if (Number.isNaN(origin)) origin = leaps ? packet.startSeconds : 0
      const from = packet.startSeconds - shift - origin
      const until = Math.max(from, packet.endSeconds - shift - origin)
      if (packet.blank && !plain) {
        mark(blank, from, until)
        return
      }
      if (kind === 'audio') {
        mark(sound, from, until)
        soundFrom = Math.min(soundFrom, from)
        soundUntil = Math.max(soundUntil, until)
        return
      }
      mark(picture, from, from)
      if (packet.key) keys.push(from)
    },

    unseenKeys({ seenSeconds }) {
      if (seenSeconds === null) return []
      const ordered = keys.toSorted((a, b) => a - b)
      const bounds = [Number.NEGATIVE_INFINITY, ...seenSeconds, Number.POSITIVE_INFINITY]
      let next = 0
      return bounds.slice(1).flatMap((until, i) => {
        const after = (bounds[i] ?? 0) + SAMPLE_SECONDS + 0.1
        while ((ordered[next] ?? Number.POSITIVE_INFINITY) < after) next++
        const from = ordered[next]
        return from === undefined || from > until - 0.1 ? [] : [{ from, until: Math.min(until, seconds) }]
      })
    },

    gaps({ heardSeconds }, unseen) {
      const bad = blank
      const lost = fileBytes - heldBytes
      const hasLost = lost > LOST_BYTES && lost > fileBytes * LOST_SHARE
      const isEmpty = (i: number): boolean => picture[i] === 0 && sound[i] === 0 && blank[i] === 0
      // Without a sound that runs on, time without a picture is a hole only where bytes are in nothing that was read.
      const [from, until] = hasSound && !hasLost ? [soundFrom, soundUntil] : hasLost ? [0, seconds] : [0, 0]
      if (hasSound || hasLost)
        for (const run of runs(length, isEmpty))
          if (run.seconds >= MIN_GAP_SECONDS)
            mark(bad, Math.max(from, run.startSeconds), Math.min(until, run.startSeconds + run.seconds) - 1 / RATE)
      for (const { from, until } of unseen) mark(bad, from, until - 1 / RATE)
      for (const slot of unheard(heardSeconds, soundUntil, sound)) bad[slot] = 1
      // A leap is a moment of what is played, however long it was.
      const found = [...joined(runs(length, (i) => bad[i] === 1)), ...leapt].sort(
        (a, b) => a.startSeconds - b.startSeconds,
      )
      const sum = found.reduce((all, gap) => all + gap.seconds, 0)
      return sum >= MIN_SUM_SECONDS ? found : found.filter((gap) => gap.seconds >= MIN_GAP_SECONDS)
    },
  }
}

function mark(marks: Uint8Array, fromSeconds: number, untilSeconds: number): void {
  if (untilSeconds < fromSeconds) return
  marks.fill(1, Math.max(0, Math.floor(fromSeconds * RATE)), Math.max(0, Math.floor(untilSeconds * RATE) + 1))
}

/** Each stretch of marks that are as asked for. */
function runs(length: number, is: (i: number) => boolean): Gap[] {
  const found: Gap[] = []
  for (let i = 0; i < length; i++) {
    if (!is(i)) continue
    const start = i
    while (i < length && is(i)) i++
    found.push({ startSeconds: start / RATE, seconds: (i - start) / RATE })
  }
  return found
}

/**
 * Marks of sound that was not decoded. From where one second of decoded sound begins to the next there is one second of it,
 * however much time lies between: what is there beyond that was lost.
 */
function unheard(heardSeconds: readonly number[] | null, soundUntil: number, sound: Uint8Array): number[] {
  if (heardSeconds === null || heardSeconds.length === 0) return []
  return heardSeconds.flatMap((from, i) => {
    const marks: number[] = []
    const end = Math.floor((heardSeconds[i + 1] ?? soundUntil) * RATE)
    for (let slot = Math.floor(from * RATE); slot < end; slot++) if (sound[slot] === 1) marks.push(slot)
    return marks.length > RATE * 1.5 ? marks.slice(RATE) : []
  })
}

function joined(gaps: readonly Gap[]): Gap[] {
  const all: Gap[] = []
  for (const gap of gaps) {
    const last = all.at(-1)
    const end = gap.startSeconds + gap.seconds
    if (last === undefined || gap.startSeconds - last.startSeconds - last.seconds >= JOIN_SECONDS) all.push(gap)
    else last.seconds = end - last.startSeconds
  }
  return all
}
