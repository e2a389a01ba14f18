// Finds the holes of a recording: times without picture and sound, or with only undecodable ones. A disk that lost blocks
// and a transfer that lost packets leave files of complete length.
//
// Pure: the input is packets one by one, and the decoded frames. Time without a packet alone is no hole: in a still picture
// or a pause of the microphone recorders write nothing, and timestamps jump where two recordings were joined. There must
// also be evidence that bytes are lost.

import type { Gap } from '../../src/records/upload-record.ts'
import type { Packet } from './demux.ts'

/** Marks per second: ten packets of sound are in one. */
const RATE = 5
/** Shorter ones are glitches, unless there are many. */
const MIN_GAP_SECONDS = 1
const MIN_SUM_SECONDS = 2
/** Two holes closer than this count as one. */
const JOIN_SECONDS = 1
/** Above the first limit the tools remove a timestamp jump; above the second it is another recording that was joined. */
const LEAP_SECONDS = 10
const JOINED_SECONDS = 600
/** Minimum distance between samples of the picture. */
const SAMPLE_SECONDS = 1
/** Tolerance between times of different sources. */
const ROUNDING_SECONDS = 0.1
/** Some codecs use a short packet of zeros for "unchanged". */
const MIN_BLANK_BYTES = 16
/**
 * No codec puts more sound into one packet. A longer duration is the time up to the next packet: MP4 has no other
 * way to store a pause.
 */
const MAX_SOUND_SECONDS = 0.15
/** Less than this is rounding. */
const MIN_UNHEARD_SECONDS = 0.5

export type TimelineOptions = {
  /** Duration of the file. */
  seconds: number
  /** A transport or program stream, whose timestamps may jump. */
  leaps: boolean
  /** For each stream in the order of packets; `plain`: its packets are zeros where there is nothing to hear or see. */
  streams: ReadonlyArray<{ kind: 'video' | 'audio'; plain: boolean }>
}

/** Decoded frames of picture and sound; null: not checked, or decoded without errors. */
export type Decoded = {
  seenSeconds: readonly number[] | null
  heardSeconds: readonly number[] | null
}

export type Span = { from: number; until: number }

export type Found = {
  /** Times that cannot be watched or heard. */
  gaps: Gap[]
  /** Times with picture packets that cannot be decoded. */
  dark: Gap[]
}

export type Timeline = {
  add(packet: Packet): void
  /** Whether there is time without a packet, which is a hole if bytes are lost. */
  hasVoids(): boolean
  /**
   * Pictures, about one per second, in times in which none was decoded for longer than elsewhere. Those before the first
   * decoded one belong to a recording that starts between keyframes.
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

  /** As the tools do: a timestamp jump of one stream is removed from all streams. */
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
      // A jump of any length is only a moment in playback.
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

/** Limited to the recording; short ones are dropped. */
function clipped({ startSeconds, seconds }: Gap, until: number): Gap[] {
  const gap = { startSeconds, seconds: Math.min(until, startSeconds + seconds) - startSeconds }
  return gap.seconds >= MIN_GAP_SECONDS ? [gap] : []
}

/** The usual duration of audio packets; 0 if unknown. */
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

/** Each run of marks that fulfil the condition. */
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
 * Marks of sound that was not decoded. Between the starts of two seconds of decoded sound there is one second of it,
 * whatever the time between them: packets beyond that were lost. A pause has no packets, or few, and each has the usual
 * playing time, whatever its declared duration.
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
