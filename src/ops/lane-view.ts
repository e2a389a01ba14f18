// A lane as a person wants to know it: what waits, since when, and when it will be done at the pace of the last minutes.

import type { Lane } from '../jobs/contract.ts'
import type { Counts } from './counters.ts'
import type { QueueStats } from './queue-stats.ts'

export type LaneView = {
  paused: boolean
  /** What an operator has set; null: as configured. */
  concurrency: number | null
  waiting: number
  active: number
  delayed: number
  failed: number
  oldestWaitingSeconds: number
  donePerMinute: number
  /** 0: nothing to do. Null: stalled, so it is not known. */
  drainSeconds: number | null
}

/** @param counts of the last `seconds`: `job:LANE:OUTCOME` */
export function laneView(
  lane: Lane,
  stats: QueueStats,
  control: { paused: boolean; concurrency: number | null },
  counts: Counts,
  seconds: number,
): LaneView {
  const done = Object.entries(counts).reduce((sum, [name, n]) => {
    // What is given back or tried again has not left the queue.
    const left = name.startsWith(`job:${lane}:`) && !/:(given-back|retried)$/.test(name)
    return left ? sum + n : sum
  }, 0)
  const { waiting, prioritized, active, delayed, failed } = stats.counts
  const due = waiting + prioritized + active
  const perSecond = done / seconds
  return {
    ...control,
    waiting: waiting + prioritized,
    active,
    delayed,
    failed,
    oldestWaitingSeconds: stats.oldestWaitingSeconds,
    donePerMinute: perSecond * 60,
    drainSeconds: due === 0 ? 0 : perSecond === 0 || control.paused ? null : due / perSecond,
  }
}
