// Whether a transport stream (ISO/IEC 13818-1) breaks off within a packet. It has no length and no end, and ffmpeg plays
// what is left of a broken copy without a word.

import type { MediaSource } from './source.ts'

const SYNC = 0x47
/** Plain packets; behind a time code of four bytes (cameras); with a checksum (broadcasts). */
const PACKETS = [
  { bytes: 188, syncAt: 0 },
  { bytes: 192, syncAt: 4 },
  { bytes: 204, syncAt: 0 },
] as const
/** So many whole packets in a row tell where the last one has to end. */
const PACKETS_IN_A_ROW = 8

/** True where less than a packet is left behind the last whole one. Asked of the end: in the middle bytes may be missing. */
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

/** Whether whole packets end at `end`. */
function keepsRhythm(tail: Buffer, end: number, { bytes, syncAt }: Packet): boolean {
  for (let n = 1; n <= PACKETS_IN_A_ROW; n++) if (tail[end - n * bytes + syncAt] !== SYNC) return false
  return true
}

/** The rest may end before its sync byte. */
function beginsPacket(tail: Buffer, at: number, { syncAt }: Packet): boolean {
  return at + syncAt >= tail.length || tail[at + syncAt] === SYNC
}
