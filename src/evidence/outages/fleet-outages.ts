// Which times no service served, from the logs of all of them. Pure: whoever reads the same logs finds the same outages,
// so that two services that look at the same time write the same entry.

import { type AliveLog, type Lack, rankOf, type Stretch, worse } from './alive-log.ts'

/** `all`: nobody was there. The others: services were there, and every one of them lacked this, or worse. */
export type Affected = 'all' | Lack

export type FleetOutage = { fromMs: number; toMs: number; affected: Affected }

/** Ahead of what the store says by more: the clock of that service was wrong. */
const MAX_AHEAD_MS = 15_000

/**
 * Outages of at least `leastMs` between two moments; shorter parts of a longer one belong to the part before.
 *
 * @returns those that are over, and what is not over at `untilMs`
 */
export function outagesIn(
  logs: readonly AliveLog[],
  fromMs: number,
  untilMs: number,
  leastMs: number,
): { over: FleetOutage[]; open: FleetOutage[] } {
  const runs = runsOf(
    statesOf(
      logs.flatMap(({ stretches }) => stretches),
      fromMs,
      untilMs,
    ),
  )
  const told = runs.map((run) => withoutShort(run, leastMs)).filter((run) => lengthOf(run) >= leastMs)
  const isOpen = (run: readonly FleetOutage[]) => run.at(-1)?.toMs === untilMs
  return {
    over: told.filter((run) => !isOpen(run)).flat(),
    // Also a short one: it may become longer.
    open: runs.filter(isOpen).flat(),
  }
}

type State = { fromMs: number; toMs: number; affected: Affected | null }

/** What was affected, stretch by stretch without gaps: at each moment as the best of the services. */
function statesOf(stretches: readonly Stretch[], fromMs: number, untilMs: number): State[] {
  const edges = stretches.flatMap((one) => [one.fromMs, one.toMs]).filter((ms) => ms > fromMs && ms < untilMs)
  const bounds = [...new Set([fromMs, ...edges, untilMs])].toSorted((a, b) => a - b)
  const states: State[] = []
  for (const [i, startMs] of bounds.entries()) {
    const endMs = bounds[i + 1]
    if (endMs === undefined) break
    const alive = stretches.filter((one) => one.fromMs <= startMs && one.toMs >= endMs)
    const affected = alive.length === 0 ? 'all' : bestOf(alive)
    const last = states.at(-1)
    if (last?.affected === affected) last.toMs = endMs
    else states.push({ fromMs: startMs, toMs: endMs, affected })
  }
  return states
}

function bestOf(alive: readonly Stretch[]): Lack | null {
  return alive.map(({ lacks }) => lacks).reduce((best, one) => (rankOf(one) < rankOf(best) ? one : best))
}

/** What follows each other without a moment in which everything worked. */
function runsOf(states: readonly State[]): FleetOutage[][] {
  const runs: FleetOutage[][] = []
  for (const { fromMs, toMs, affected } of states) {
    if (affected === null) continue
    const last = runs.at(-1)
    if (last?.at(-1)?.toMs === fromMs) last.push({ fromMs, toMs, affected })
    else runs.push([{ fromMs, toMs, affected }])
  }
  return runs
}

/** The short parts of a run belong to the part before, the first to the one after it. */
function withoutShort(run: readonly FleetOutage[], leastMs: number): FleetOutage[] {
  const parts: FleetOutage[] = []
  for (const part of run) {
    const last = parts.at(-1)
    const isShort = (one: FleetOutage) => one.toMs - one.fromMs < leastMs
    if (last === undefined || (last.affected !== part.affected && !isShort(part) && !isShort(last)))
      parts.push({ ...part })
    else {
      const longer = part.toMs - part.fromMs > last.toMs - last.fromMs ? part : last
      parts[parts.length - 1] = { fromMs: last.fromMs, toMs: part.toMs, affected: longer.affected }
    }
  }
  return parts
}

function lengthOf(run: readonly FleetOutage[]): number {
  return (run.at(-1)?.toMs ?? 0) - (run[0]?.fromMs ?? 0)
}

/** The worst that a run has, for people. */
export function worstOf(run: readonly FleetOutage[]): Affected {
  let worst: Lack | null = null
  for (const { affected } of run) {
    if (affected === 'all') return 'all'
    worst = worse(worst, affected)
  }
  return worst ?? 'all'
}

/**
 * By how much a log's clock was ahead, in milliseconds, 0 within what is measured. Nobody is alive after the moment in which
 * it wrote that it is: the store says when that was, by one clock for all. Behind is not told from a store that was copied.
 *
 * @param own the last time in the log of the service that looks, and when the store says it was written
 */
export function aheadMs(
  its: { toMs: number; writtenAtMs: number },
  own: { toMs: number; writtenAtMs: number },
): number {
  const ahead = its.toMs - (own.toMs - (own.writtenAtMs - its.writtenAtMs))
  return ahead > MAX_AHEAD_MS ? ahead : 0
}
