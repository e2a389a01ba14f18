// The plan of a complete run, drawn from one seed before it begins: arrival time, file and connection of each client.

import { arrivalTimesMs } from '../../surge/plan.ts'
import { randomFrom, shuffled } from '../../surge/random.ts'
import { drawLine, type Line } from './lines.ts'

/**
 * `cutShort`: the index refers to bytes that are missing. `noIndex`: an interrupted recording.
 * Both must be rejected.
 */
export type Damage = 'none' | 'cutShort' | 'noIndex'

export type FileKind = 'video' | 'pdf'

export type PlannedUpload = {
  number: number
  /** Milliseconds from the start of the run. */
  arrivesMs: number
  kind: FileKind
  damage: Damage
  fileBytes: number
  line: Line
  /** Sent by tus-js-client itself; all others by the light client that behaves like it. */
  real: boolean
}

export type PlanOptions = {
  clients: number
  /** Arrival time of all clients. */
  minutes: number
  arrivals: 'rising' | 'flat'
  /** Factor on file sizes, for small machines. */
  scale: number
  /** Factor on line speeds. */
  speed: number
  seed: number
}

const MIB = 1024 ** 2
const SIZES = {
  video: { medianBytes: 14 * MIB, spread: 0.7, mostBytes: 80 * MIB },
  pdf: { medianBytes: 2 * MIB, spread: 0.6, mostBytes: 12 * MIB },
} as const
/** The smallest file: a real clip, some padding, a mark of its own. */
export const LEAST_BYTES = 160 * 1024
/** Number of different file sizes; few, so that hashes of shared beginnings are reused. */
const SIZE_STEPS = 48
const PDF_SHARE = 0.2
const DAMAGED_SHARE = 0.25
const REAL_SHARE = 0.03
/** A run with rising arrivals compresses the last minutes before a deadline into its own length. */
const MODELLED_MINUTES = 10

export function planRehearsal(options: PlanOptions): PlannedUpload[] {
  const { clients, scale, speed } = options
  const random = randomFrom(options.seed)
  const arrivals = arrivalsMs(options, random)
  const kinds = drawn<FileKind>(clients, PDF_SHARE, 'pdf', 'video', random)
  const damaged = drawn(clients, DAMAGED_SHARE, true, false, random)
  const real = drawn(clients, REAL_SHARE, true, false, random)
  return arrivals.map((arrivesMs, number) => {
    const kind = kinds[number] ?? 'video'
    const step = (Math.floor(random() * SIZE_STEPS) + 0.5) / SIZE_STEPS
    const noIndex = random() < 0.5
    return {
      number,
      arrivesMs,
      kind,
      real: real[number] === true,
      damage: damaged[number] !== true ? 'none' : noIndex && kind === 'video' ? 'noIndex' : 'cutShort',
      fileBytes: Math.max(LEAST_BYTES, Math.round(sizeAt(kind, step) * scale)),
      line: drawLine(random, speed),
    }
  })
}

/** Arrivals at the rate 1/(T − t + 1 min), compressed like the run; or at a constant rate. Open load: no client waits for another. */
function arrivalsMs({ clients, minutes, arrivals }: PlanOptions, random: () => number): number[] {
  if (arrivals === 'rising') return arrivalTimesMs(clients, minutes, random, Math.min(1, minutes / MODELLED_MINUTES))
  return Array.from({ length: clients }, () => random() * minutes * 60_000).sort((a, b) => a - b)
}

/** A fixed number of one kind and the rest of the other, in random order: shares are exact with few clients, too. */
function drawn<T>(count: number, share: number, one: T, other: T, random: () => number): T[] {
  const ones = Math.round(count * share)
  return shuffled(
    Array.from({ length: count }, (_, i) => (i < ones ? one : other)),
    random,
  )
}

/** Quantile of a log-normal distribution. */
function sizeAt(kind: FileKind, share: number): number {
  const { medianBytes, spread, mostBytes } = SIZES[kind]
  // Tukey's lambda: the standard normal quantile to about 0.005.
  const normal = (share ** 0.135 - (1 - share) ** 0.135) / 0.1975
  return Math.min(mostBytes, medianBytes * Math.exp(spread * normal))
}
