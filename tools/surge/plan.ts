// The plan of a complete run, drawn before it begins: arrival time, file size and interruption of each client.

import { randomFrom, shuffled } from './random.ts'

export type PlannedClient = {
  number: number
  /** Milliseconds from the start of the run. */
  arrivesMs: number
  fileBytes: number
  /** Offset at which the connection is cut; undefined: it is not cut. */
  cutAtByte: number | undefined
}

export type PlanOptions = { clients: number; minutes: number; seed: number; maxFileBytes: number }

const MIB = 1024 * 1024
const MIN_FILE_BYTES = MIB
const MEDIAN_FILE_BYTES = 10 * MIB
/** Standard deviation of the logarithm of the sizes: two thirds of the files have 5 to 20 MiB. */
const SPREAD = 0.7
const CUT_SHARE = 1 / 4
/** Bytes in the client's own buffers are not sent when the connection breaks. */
const MIN_CUT_BYTES = 512 * 1024

export function planRun(options: PlanOptions): PlannedClient[] {
  const random = randomFrom(options.seed)
  const arrivals = arrivalTimesMs(options.clients, options.minutes, random)
  const sizes = shuffled(fileSizes(options.clients, options.maxFileBytes), random)
  const cuts = Math.round(options.clients * CUT_SHARE)
  const broken = shuffled(
    arrivals.map((_, i) => i < cuts),
    random,
  )
  return arrivals.map((arrivesMs, number) => {
    const fileBytes = sizes[number] ?? MEDIAN_FILE_BYTES
    const cutAtByte = Math.max(MIN_CUT_BYTES, Math.floor(fileBytes * (0.3 + 0.5 * random())))
    return { number, arrivesMs, fileBytes, cutAtByte: broken[number] ? cutAtByte : undefined }
  })
}

/** Distance from the singularity of the law below. */
const SOFTENING_MINUTES = 1

/**
 * Arrival times within [0, minutes), ascending, at a rate of 1/(T − t) before a deadline T (Alfi,
 * Parisi, Pietronero: Nature Physics 3, 746, 2007), here 1/(T − t + 1 min). This is an open model: clients do not wait for
 * others to finish, because then a slow service would reduce its own load.
 * `softening` is the minute of the formula, for a run that compresses a longer day.
 */
export function arrivalTimesMs(
  clients: number,
  minutes: number,
  random: () => number,
  softening = SOFTENING_MINUTES,
): number[] {
  const whole = minutes + softening
  // The inverse of F(t) = ln((T+1)/(T+1−t)) / ln(T+1), in the unit of `softening`.
  const moment = (share: number) => whole - softening * (whole / softening) ** (1 - share)
  return Array.from({ length: clients }, () => moment(random()) * 60_000).sort((a, b) => a - b)
}

/** Quantiles of a log-normal distribution, so that the median is what it should be with few clients, too. */
function fileSizes(clients: number, maxFileBytes: number): number[] {
  return Array.from({ length: clients }, (_, i) => {
    const bytes = MEDIAN_FILE_BYTES * Math.exp(SPREAD * normalQuantile((i + 0.5) / clients))
    return Math.round(Math.min(Math.max(bytes, MIN_FILE_BYTES), maxFileBytes))
  })
}

/** Quantile of the standard normal distribution, to about 0.005 (Tukey's lambda): good enough for sizes. */
function normalQuantile(share: number): number {
  return (share ** 0.135 - (1 - share) ** 0.135) / 0.1975
}
