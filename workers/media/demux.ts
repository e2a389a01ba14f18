// The demux pass: every packet is read and none is decoded. It measures the real contents (an hour costs about a second of
// CPU and one read of the file), while headers can be wrong.
//
// Packets are listed by ffmpeg's framecrc muxer, one line each, not counted by `-f null`: the lines have each stream's own
// start and end, which the overall progress does not.

import type { Container } from '../../src/core/identify.ts'
import { spanOf } from '../../src/media/mp4/durations.ts'
import { type InputOptions, inputArgs } from './input.ts'
import type { ToolContext } from './probe.ts'
import { lineReader, type ProgressBlock } from './progress.ts'
import { commonArgs } from './run.ts'
import type { LocalSource } from './source.ts'

export type StreamMeasure = {
  /** As in the probe. */
  index: number
  kind: 'video' | 'audio'
  packets: number
  bytes: number
  /** From its first to the end of its last packet. */
  seconds: number
  /** Presentation times of the first packet and of the end of the last, relative to the tools' start of the file. */
  startSeconds: number
  endSeconds: number
  /** Longest step from one packet to the next in decoding order. */
  longestGapSeconds: number
}

export type DemuxResult = {
  streams: StreamMeasure[]
  /** From the first start of any stream to the last end. */
  seconds: number
  packets: number
  /** Errors that ffmpeg reported. */
  complaints: Complaint[]
}

/** `lost`: there is no valid container element where one should begin. */
export type Complaint = 'truncated' | 'corrupt' | 'timestamps' | 'lost'

/** One packet. Times are in seconds, of the file's own clock with {@link DemuxOptions.ownClock}. */
export type Packet = {
  /** Index in {@link DemuxOptions.streams}. */
  stream: number
  /** NaN: unknown. */
  decodedAt: number
  startSeconds: number
  endSeconds: number
  bytes: number
  key: boolean
  /** Nothing but zeros. */
  blank: boolean
}

export type DemuxOptions = Pick<InputOptions, 'ignoreEditList'> & {
  /** Indexes of the streams to be read, as in the probe: cover pictures and data streams are left out. */
  streams: ReadonlyArray<{ index: number; kind: 'video' | 'audio' }>
  /** Use the timestamps of the file: otherwise ffmpeg starts the file at 0 and removes timestamp jumps. */
  ownClock?: boolean
  onPacket?: (packet: Packet) => void
  onProgress?: (block: ProgressBlock) => void
  wallMs?: number
  /** The pass is ended after this time without a packet. */
  idleMs?: number
}

const COMPLAINTS: ReadonlyArray<{ match: RegExp; complaint: Complaint }> = [
  {
    match: /partial file|truncated|Truncating packet|moov atom not found|premature|File ended/i,
    complaint: 'truncated',
  },
  {
    match: /Invalid NAL|corrupt|Invalid data|error reading|non-existing PPS|missing picture/i,
    complaint: 'corrupt',
  },
  // Matroska, FLV, ASF.
  {
    match: /EBML number|exceeds containing master element|Invalid track number|Packet mismatch|asf bad header/,
    complaint: 'lost',
  },
  { match: /non monoton|invalid dts|unset timestamps|DTS .* out of order/i, complaint: 'timestamps' },
]

/** @returns the arguments for ffmpeg; output streams are numbered in the order of `streams` */
function demuxArgs(source: LocalSource, container: Container, options: DemuxOptions): string[] {
  return [
    commonArgs('warning'),
    options.ownClock ? ['-copyts'] : [],
    inputArgs(source, { container, anyDecoder: true, ignoreEditList: options.ignoreEditList ?? false }),
    options.streams.flatMap(({ index }) => ['-map', `0:${index}`]),
    ['-c', 'copy'],
    ['-f', 'framecrc', 'pipe:1'],
  ].flat()
}

/**
 * Reads all packets.
 *
 * @throws {ToolError} when not a single packet can be read, or the run itself fails
 */
export async function demux(
  context: ToolContext,
  source: LocalSource,
  container: Container,
  options: DemuxOptions,
): Promise<DemuxResult> {
  const packets = packetReader(options.streams, options.onPacket)
  const complaints = new Set<Complaint>()
  await context.runner.run({
    tool: 'ffmpeg',
    args: demuxArgs(source, container, options),
    limits: {
      wallMs: options.wallMs ?? 20 * 60_000,
      cpuSeconds: 300,
      memoryBytes: 3 * 1024 ** 3,
      // some 60 bytes a packet; a million packets are ten hours of sound and picture
      outputBytes: 256 * 1024 * 1024,
      fileBytes: 1024 * 1024,
    },
    cwd: context.cwd,
    signal: context.signal,
    idleMs: options.idleMs ?? 60_000,
    onStdout: packets.push,
    onStderrLine(line) {
      for (const { match, complaint } of COMPLAINTS) if (match.test(line)) complaints.add(complaint)
    },
    onProgress: options.onProgress ?? (() => {}),
    reads: [source.path],
  })
  const streams = packets.measures()
  return {
    streams,
    seconds: spanOf(streams.filter(({ packets }) => packets > 0).map((s) => [s.startSeconds, s.endSeconds])),
    packets: streams.reduce((sum, stream) => sum + stream.packets, 0),
    complaints: [...complaints],
  }
}

/** AV_PKT_FLAG_KEY. */
const KEY_FLAG = 1

type PacketCount = {
  packets: number
  bytes: number
  first: number
  end: number
  lastDts: number
  gap: number
  base: number
}

/** framecrc prints "unknown" as the lowest 64-bit integer: program streams and AVI have many such packets. */
function isTime(ticks: number): boolean {
  return ticks > -(2 ** 62)
}

/** The checksum of a packet of zeros, and of no other packet of normal size. */
const SUM_OF_ZEROS = '0x00000000'

/**
 * Adds up framecrc lines: `#tb 0: 1/15360`, then `stream, dts, pts, duration, size, crc[, F=flags]`. Flags are written
 * if a packet has other flags than keyframe.
 *
 * @internal
 */
export function packetReader(
  streams: DemuxOptions['streams'],
  onPacket?: (packet: Packet) => void,
): {
  push(chunk: Buffer): void
  measures(): StreamMeasure[]
} {
  const tallies = streams.map((): PacketCount => {
    return { packets: 0, bytes: 0, first: Infinity, end: -Infinity, lastDts: NaN, gap: 0, base: 1 }
  })
  const onLine = (line: string): void => {
    const base = /^#tb (\d+): (\d+)\/(\d+)/.exec(line)
    if (base) {
      const tally = tallies[Number(base[1])]
      if (tally) tally.base = Number(base[2]) / Number(base[3])
    }
    if (line.startsWith('#')) return
    const fields = line.split(',', 8)
    const flags = fields.find((field) => field.startsWith(' F='))
    const [stream, dts, pts, duration, size] = fields.map(Number)
    const tally = tallies[stream ?? -1]
    if (!tally || dts === undefined || pts === undefined || size === undefined) return
    tally.packets++
    tally.bytes += size
    const start = isTime(pts) ? pts : dts
    if (isTime(start)) {
      tally.first = Math.min(tally.first, start)
      tally.end = Math.max(tally.end, start + (duration ?? 0))
    } else {
      // It follows the packet before it, wherever that was.
      tally.end += duration ?? 0
    }
    onPacket?.({
      stream: stream ?? 0,
      decodedAt: isTime(dts) ? dts * tally.base : Number.NaN,
      startSeconds: isTime(start) ? start * tally.base : Number.NaN,
      endSeconds: isTime(start) ? (start + (duration ?? 0)) * tally.base : Number.NaN,
      bytes: size,
      key: flags === undefined || (Number(flags.slice(3)) & KEY_FLAG) !== 0,
      blank: size > 0 && fields[5]?.trim() === SUM_OF_ZEROS,
    })
    if (!isTime(dts)) return
    if (dts - tally.lastDts > tally.gap) tally.gap = dts - tally.lastDts
    tally.lastDts = dts
  }
  return {
    push: lineReader(onLine),
    measures: () =>
      streams.map(({ index, kind }, i) => {
        const tally = tallies[i]
        if (!tally || !Number.isFinite(tally.first)) {
          return {
            index,
            kind,
            packets: 0,
            bytes: 0,
            seconds: 0,
            startSeconds: 0,
            endSeconds: 0,
            longestGapSeconds: 0,
          }
        }
        return {
          index,
          kind,
          packets: tally.packets,
          bytes: tally.bytes,
          seconds: (tally.end - tally.first) * tally.base,
          startSeconds: tally.first * tally.base,
          endSeconds: tally.end * tally.base,
          longestGapSeconds: tally.gap * tally.base,
        }
      }),
  }
}
