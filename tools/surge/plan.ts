// The whole run, drawn before it begins: who comes when, with how large a file, and whose line breaks where.

import { randomFrom, shuffled } from './random.ts'

export type PlannedClient = {
  number: number
  /** Milliseconds from the start of the run. */
  arrivesMs: number
  fileBytes: number
  /** Where the line is cut; undefined: it holds. */
  cutAtByte: number | undefined
}

export type PlanOptions = { clients: number; minutes: number; seed: number; maxFileBytes: number }

const MIB = 1024 * 1024
const MIN_FILE_BYTES = MIB
const MEDIAN_FILE_BYTES = 10 * MIB
/** Of the sizes' logarithm: two thirds of the files have 5 to 20 MiB. */
const SPREAD = 0.7
const CUT_SHARE = 1 / 4
/** What the client still holds in its own buffers when the line breaks has not been sent. */
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

/** Kept from the singular moment of the law below. */
const SOFTENING_MINUTES = 1

/**
 * Moments within [0, minutes), rising. People act with a probability of 1/(T − t) as a deadline T draws near (Alfi,
 * Parisi, Pietronero: Nature Physics 3, 746, 2007), here 1/(T − t + 1 min). Drawn as such, not answered to: whoever
 * comes does not wait for the service to be done with others (an open model), or its slowness would thin the load.
 * `softening` is that minute, for a run that presses a longer day together.
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

/** Of the standard normal distribution, to about 0.005 (Tukey's lambda): good enough for sizes. */
function normalQuantile(share: number): number {
  return (share ** 0.135 - (1 - share) ** 0.135) / 0.1975
}
