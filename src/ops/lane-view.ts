// A lane for the dashboard: waiting jobs, age of the oldest, and time to drain at the current throughput.

import type { Lane } from '../jobs/contract.ts'
import type { Counts } from './counters.ts'
import type { QueueStats } from './queue-stats.ts'

export type LaneView = {
  paused: boolean
  /** Set by an operator; null: as configured. */
  concurrency: number | null
  waiting: number
  active: number
  delayed: number
  failed: number
  oldestWaitingSeconds: number
  donePerMinute: number
  /** 0: empty. Null: stalled, so unknown. */
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
    // Released and retried jobs have not left the queue.
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
