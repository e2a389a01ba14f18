// Where a recording has holes: parts of its time in which there is neither picture nor sound, or nothing in them but what
// cannot be decoded. A disk that lost blocks and a transfer that lost packets leave files that are whole by their lengths.
//
// Pure: packets go in one by one, and what the pass over picture and sound has decoded. Time without a packet alone is no
// hole: a picture stands still, a microphone pauses, a recorder writes nothing then, and clocks leap where two recordings
// were joined. Something has to say that bytes are lost as well.

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
const SAMPLE_SECONDS = 1
/** Of times in different accounts. */
const ROUNDING_SECONDS = 0.1
/** Some codecs have a short packet of zeros for "as before". */
const MIN_BLANK_BYTES = 16
/**
 * No codec packs more into one packet of sound. Beyond it a duration is the time up to the next packet: MP4 has no other
 * word for a pause.
 */
const MAX_SOUND_SECONDS = 0.15
/** Less than this is rounding. */
const MIN_UNHEARD_SECONDS = 0.5

export type TimelineOptions = {
  /** How long the file lasts. */
  seconds: number
  /** A transport or program stream, whose clock may leap. */
  leaps: boolean
  /** Of each stream in the order of packets; `plain`: its packets are zeros where there is nothing to hear or see. */
  streams: ReadonlyArray<{ kind: 'video' | 'audio'; plain: boolean }>
}

/** What the pass over picture and sound has decoded; null: not looked at, or decoded without a complaint. */
export type Decoded = {
  seenSeconds: readonly number[] | null
  heardSeconds: readonly number[] | null
}

export type Span = { from: number; until: number }

export type Found = {
  /** Parts that cannot be watched, or not be heard. */
  gaps: Gap[]
  /** Parts of the picture that are there and cannot be decoded. */
  dark: Gap[]
}

export type Timeline = {
  add(packet: Packet): void
  /** Whether there is time without a packet, which is a hole where bytes are lost. */
  hasVoids(): boolean
  /**
   * Pictures, about one a second, in time of which none was decoded for longer than elsewhere. What comes before the first
   * decoded one belongs to a recording that was joined in mid-air.
   */
  unseen(decoded: Decoded): Span[]
  /** @param unseen of {@link unseen}, those that were found undecodable; @param hasLost bytes of the file are lost */
  find(decoded: Decoded, unseen: readonly Span[], hasLost: boolean): Found
}

export function timeline({ seconds, leaps, streams }: TimelineOptions): Timeline {
  const length = Math.ceil((seconds + 1) * RATE)
  const present = new Uint8Array(length)
  const blank = new Uint8Array(length)
  const dark = new Uint8Array(length)
  /** Packets of sound that begin in the time of the mark. */
  const sounds = new Uint16Array(length)
  const soundSeconds = new Map<number, number>()
  const lastOf = streams.map(() => Number.NaN)
  const leapt: Gap[] = []
  const pictures: number[] = []
  let origin = Number.NaN
  let shift = 0
  let soundUntil = 0

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

  const voids = (): Gap[] => runs(length, (i) => present[i] === 0).flatMap((run) => clipped(run, seconds))

  return {
    add(packet) {
      const { kind, plain } = streams[packet.stream] ?? { kind: 'audio', plain: true }
      follow(packet.stream, packet.decodedAt)
      if (Number.isNaN(packet.startSeconds)) return
      if (Number.isNaN(origin)) origin = leaps ? packet.startSeconds : 0
      const from = packet.startSeconds - shift - origin
      const until = Math.max(from, packet.endSeconds - shift - origin)
      mark(present, from, kind === 'audio' ? until : from)
      if (packet.blank && !plain && packet.bytes >= MIN_BLANK_BYTES) {
        mark(blank, from, kind === 'audio' ? Math.min(until, from + MAX_SOUND_SECONDS) : until)
        if (kind === 'video') mark(dark, from, until)
        return
      }
      if (kind === 'video') {
        pictures.push(from)
        return
      }
      const slot = Math.floor(from * RATE)
      sounds[slot] = (sounds[slot] ?? 0) + 1
      const lasts = Math.round((until - from) * 1e4) / 1e4
      if (lasts > 0 && lasts <= MAX_SOUND_SECONDS) soundSeconds.set(lasts, (soundSeconds.get(lasts) ?? 0) + 1)
      soundUntil = Math.max(soundUntil, from + Math.min(lasts, MAX_SOUND_SECONDS))
    },

    hasVoids: () => leapt.length > 0 || voids().length > 0,

    unseen({ seenSeconds }) {
      const [first, ...others] = seenSeconds ?? []
      if (first === undefined) return []
      const ordered = pictures.toSorted((a, b) => a - b)
      const bounds = [first, ...others, (ordered.at(-1) ?? first) + ROUNDING_SECONDS]
      const usual = Math.max(SAMPLE_SECONDS, median(others.map((at, i) => at - (bounds[i] ?? at))))
      let next = 0
      return bounds.slice(1).flatMap((until, i) => {
        const from = bounds[i] ?? until
        const isLong = until - from > usual * 1.5
        const found: number[] = []
        let due = from + usual - ROUNDING_SECONDS
        for (let at = ordered[next]; at !== undefined && at < until - ROUNDING_SECONDS; at = ordered[++next]) {
          if (!isLong || at < due) continue
          found.push(at)
          due = at + SAMPLE_SECONDS
        }
        return found.map((at, nth) => ({ from: at, until: found[nth + 1] ?? Math.min(until, seconds) }))
      })
    },

    find({ heardSeconds }, unseen, hasLost) {
      const bad = blank.slice()
      if (hasLost) for (const run of voids()) mark(bad, run.startSeconds, run.startSeconds + run.seconds - 1 / RATE)
      for (const { from, until } of unseen) mark(dark, from, until - 1 / RATE)
      for (const slot of unheard(heardSeconds ?? [], soundUntil, sounds, usual(soundSeconds))) bad[slot] = 1
      // A leap is a moment of what is played, however long it was.
      const gaps = [...joined(runs(length, (i) => bad[i] === 1 || dark[i] === 1)), ...(hasLost ? leapt : [])].sort(
        (a, b) => a.startSeconds - b.startSeconds,
      )
      const sum = gaps.reduce((all, gap) => all + gap.seconds, 0)
      return {
        gaps: sum >= MIN_SUM_SECONDS ? gaps : gaps.filter((gap) => gap.seconds >= MIN_GAP_SECONDS),
        dark: joined(runs(length, (i) => dark[i] === 1)),
      }
    },
  }
}

/** Within the recording, where that is long enough to be noticed. */
function clipped({ startSeconds, seconds }: Gap, until: number): Gap[] {
  const gap = { startSeconds, seconds: Math.min(until, startSeconds + seconds) - startSeconds }
  return gap.seconds >= MIN_GAP_SECONDS ? [gap] : []
}

/** What most packets of sound last; 0 where none tells. */
function usual(soundSeconds: ReadonlyMap<number, number>): number {
  const [most] = [...soundSeconds].toSorted(([, a], [, b]) => b - a)
  return most?.[0] ?? 0
}

function median(all: readonly number[]): number {
  return all.toSorted((a, b) => a - b)[Math.floor(all.length / 2)] ?? 0
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
 * however much time lies between: what packets play beyond that was lost. A pause has no packets, or few: each plays no longer
 * than the others, whatever its duration says.
 */
function unheard(heard: readonly number[], soundUntil: number, sounds: Uint16Array, packetSeconds: number): number[] {
  return heard.flatMap((from, i) => {
    const marks: number[] = []
    const end = Math.floor((heard[i + 1] ?? soundUntil) * RATE)
    let packets = 0
    for (let slot = Math.floor(from * RATE); slot < end; slot++) {
      packets += sounds[slot] ?? 0
      if (sounds[slot] !== 0) marks.push(slot)
    }
    return packets * packetSeconds > 1 + MIN_UNHEARD_SECONDS ? marks.slice(RATE) : []
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
