// Whether a transport stream (ISO/IEC 13818-1) ends within a packet, or has lost packets. It has no length and no end mark,
// and ffmpeg plays the rest of an interrupted copy without an error.

import type { MediaSource } from './source.ts'

const SYNC = 0x47
/** Packet lengths: plain; with a time code of four bytes (cameras); with a checksum (broadcasts). */
const PACKETS = [
  { bytes: 188, syncAt: 0 },
  { bytes: 192, syncAt: 4 },
  { bytes: 204, syncAt: 0 },
] as const
/** This many complete packets in a row determine where the last one must end. */
const PACKETS_IN_A_ROW = 8

/** True if less than a packet follows the last complete one. Checked at the end of the file: in the middle bytes may be missing. */
export async function isPacketCutOff(source: MediaSource): Promise<boolean> {
  const wanted = PACKETS[2].bytes * (PACKETS_IN_A_ROW + 1)
  const tail = await source.readAt(Math.max(0, source.bytes - wanted), wanted)
  return PACKETS.every((packet) => !endsWhole(tail, packet)) && PACKETS.some((packet) => endsWithin(tail, packet))
}

type Packet = (typeof PACKETS)[number]

function endsWhole(tail: Buffer, packet: Packet): boolean {
  return keepsRhythm(tail, tail.length, packet)
}

function endsWithin(tail: Buffer, packet: Packet): boolean {
  for (let rest = 1; rest < packet.bytes; rest++)
    if (keepsRhythm(tail, tail.length - rest, packet) && beginsPacket(tail, tail.length - rest, packet)) return true
  return false
}

/** Whether complete packets end at `end`. */
function keepsRhythm(tail: Buffer, end: number, { bytes, syncAt }: Packet): boolean {
  for (let n = 1; n <= PACKETS_IN_A_ROW; n++) if (tail[end - n * bytes + syncAt] !== SYNC) return false
  return true
}

/** The rest may end before its sync byte. */
function beginsPacket(tail: Buffer, at: number, { syncAt }: Packet): boolean {
  return at + syncAt >= tail.length || tail[at + syncAt] === SYNC
}

const READ_BYTES = 4 * 1024 * 1024
/** Header of a packet, with the flags of its adaptation field. */
const HEAD_BYTES = 6
/** ISO/IEC 13818-1, 2.4.3.3: null packets, used as padding. */
const NULL_PID = 0x1fff

/**
 * Whether packets are missing: bytes outside of packets, or a jump of the continuity counter within a unit of a stream.
 * Where two recordings were joined the counter jumps too, but the second one begins with complete units; the first may have
 * ended with a part of a packet.
 */
export async function hasLostPackets(source: MediaSource): Promise<boolean> {
  const head = await source.readAt(0, PACKETS[2].bytes * (PACKETS_IN_A_ROW + 1))
  const packet = PACKETS.find((each) => keepsRhythm(head, PACKETS_IN_A_ROW * each.bytes, each))
  // The file begins within a packet: there is no start for counting.
  if (packet === undefined) return false
  const { bytes, syncAt } = packet
  const counts = new Map<number, number>()
  for (let at: number = syncAt; at + HEAD_BYTES <= source.bytes; ) {
    const chunk = await source.readAt(at, READ_BYTES)
    let i = 0
    for (; i + HEAD_BYTES <= chunk.length; i += bytes) {
      const found = nextPacket(chunk, i, bytes)
      if (found === undefined || isCountBroken(chunk, found, counts)) return true
      i = found
    }
    at += i
  }
  return false
}

/** At this position, or less than a packet after it. */
function nextPacket(chunk: Buffer, at: number, bytes: number): number | undefined {
  for (let i = at; i < at + bytes; i++) if (chunk[i] === SYNC && (chunk[i + bytes] ?? SYNC) === SYNC) return i
  return undefined
}

export type TailPacket = { pid: number; startsUnit: boolean; bytes: Buffer }

/** The complete packets at the end of the file, in order; none if it does not end with a complete one. */
export async function packetsAtEnd(source: MediaSource, wantedBytes: number): Promise<TailPacket[]> {
  const tail = await source.readAt(Math.max(0, source.bytes - wantedBytes), wantedBytes)
  const packet = PACKETS.find((each) => endsWhole(tail, each))
  if (packet === undefined) return []
  const { bytes, syncAt } = packet
  const packets: TailPacket[] = []
  for (let at = tail.length % bytes; at + bytes <= tail.length; at += bytes) {
    if (tail[at + syncAt] !== SYNC) continue
    const head = tail.readUInt32BE(at + syncAt)
    packets.push({ ...headOf(head), bytes: tail.subarray(at, at + bytes) })
  }
  return packets
}

function headOf(head: number): { pid: number; startsUnit: boolean } {
  return { pid: (head >>> 8) & NULL_PID, startsUnit: (head & 0x40_00_00) !== 0 }
}

/** ISO/IEC 13818-1, 2.4.3.2: a packet with payload increments the counter; a repeated one has the same value. */
function isCountBroken(chunk: Buffer, at: number, counts: Map<number, number>): boolean {
  if (at + HEAD_BYTES > chunk.length) return false
  const head = chunk.readUInt32BE(at)
  const { pid, startsUnit } = headOf(head)
  const hasAdaptation = (head & 0x20) !== 0
  const hasPayload = (head & 0x10) !== 0
  const count = head & 0xf
  if (pid === NULL_PID || !hasPayload) return false
  const last = counts.get(pid) ?? count
  counts.set(pid, count)
  // Length, then flags of which the first is the discontinuity_indicator.
  const isAnnounced = hasAdaptation && chunk.readUInt8(at + 4) > 0 && (chunk.readUInt8(at + 5) & 0x80) !== 0
  return count !== last && count !== ((last + 1) & 0xf) && !startsUnit && !isAnnounced
}
