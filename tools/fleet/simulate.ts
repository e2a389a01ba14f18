// Simulates the lanes over the evening, job by job: how long a teacher waits for the verdict, and for the playable copy.

import type { Evening } from './evening.ts'
import type { Figures } from './figures.ts'
import type { Plan } from './plan.ts'
import { quantile, random, sojourns } from './queue.ts'

/** Most jobs simulated; with more teachers one job stands for n, and the number of slots is divided by n. */
const MAX_JOBS = 400_000

export type Simulated = {
  jobs: number
  /** Number of jobs that one simulated job stands for. */
  scale: number
  verdictSeconds: { p50: number; p95: number; p99: number; max: number }
  readyHours: { p50: number; p95: number; max: number }
  /** From the deadline until the last rendition is made. */
  drainedHours: number
}

/** @param minutes from the opening to the deadline */
export function simulate(
  plan: Plan,
  curves: Evening,
  { cost, people, plan: decisions }: Figures,
  minutes: number,
  seed = 1,
): Simulated {
  const draw = random(seed)
  const scale = Math.max(1, Math.ceil(plan.uploads / MAX_JOBS))
  const arrivals = arrivalsOf(curves.completed, scale, draw)
  const verdictSlots = Math.max(1, Math.floor(plan.validate.slots / scale))
  // The time of a verdict depends on file and store: an exponential distribution is a safe assumption.
  const verdicts = sojourns(arrivals, verdictSlots, () => -cost.verdictSeconds * Math.log(1 - draw()))

  const jobs = sizes(people.filesPerTeacher)
  const work = arrivals.map(() => {
    const file = pick(jobs, draw())
    const gib = file.bytes / 2 ** 30
    const inspect = gib * cost.inspectCpuSecondsPerGiB
    if (file.kind === 'pdf') return inspect + cost.pageCpuSeconds
    const encoded = draw() < people.shareEncoded
    return inspect + (encoded ? file.minutes * cost.encodeCpuSecondsPerMediaMinute : gib * cost.remuxCpuSecondsPerGiB)
  })
  const order = [...verdicts.ends.keys()].sort((a, b) => (verdicts.ends[a] ?? 0) - (verdicts.ends[b] ?? 0))
  const verdictTimes = Float64Array.from(order, (job) => verdicts.ends[job] ?? 0)
  const mediaSlots = Math.max(1, Math.floor((plan.media.machines * decisions.coresPerMachine) / scale))
  const ready = sojourns(verdictTimes, mediaSlots, (job) => work[order[job] ?? 0] ?? 0)
  const hours = (seconds: number) => seconds / 3600
  return {
    jobs: arrivals.length,
    scale,
    verdictSeconds: {
      p50: quantile(verdicts.seconds, 0.5),
      p95: quantile(verdicts.seconds, 0.95),
      p99: quantile(verdicts.seconds, 0.99),
      max: quantile(verdicts.seconds, 1),
    },
    readyHours: {
      p50: hours(quantile(ready.seconds, 0.5)),
      p95: hours(quantile(ready.seconds, 0.95)),
      max: hours(quantile(ready.seconds, 1)),
    },
    drainedHours: hours(Math.max(0, quantile(ready.ends, 1) - minutes * 60)),
  }
}

/** Every n-th arrival of a curve, at a random moment within its minute, in order. */
function arrivalsOf(perMinute: Float64Array, every: number, draw: () => number): Float64Array {
  const times: number[] = []
  let due = 0
  perMinute.forEach((count, minute) => {
    due += count / every
    const here: number[] = []
    for (; due >= 1; due--) here.push((minute + draw()) * 60)
    times.push(...here.sort((a, b) => a - b))
  })
  return Float64Array.from(times)
}

type Sized = Figures['people']['filesPerTeacher'][number]

function sizes(files: Sized[]): { upTo: number; file: Sized }[] {
  const all = files.reduce((total, { count }) => total + count, 0)
  let upTo = 0
  return files.map((file) => {
    upTo += file.count / all
    return { upTo, file }
  })
}

function pick(table: { upTo: number; file: Sized }[], at: number): Sized {
  const found = table.find(({ upTo }) => at < upTo) ?? table.at(-1)
  if (found === undefined) throw new Error('no files')
  return found.file
}
