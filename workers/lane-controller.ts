// What operators switch, done to the lanes of this process: how many jobs at a time, and whether it takes any at all.
// Pausing a lane for everybody is BullMQ's own switch, which every worker heeds by itself.

import type { Worker } from 'bullmq'
import type { Lane } from '../src/jobs/contract.ts'
import type { ControlSettings } from '../src/ops/control-watch.ts'

type Switched = Pick<Worker, 'name' | 'concurrency' | 'pause' | 'resume' | 'isPaused'>

export type LaneController = {
  apply(orders: ControlSettings): Promise<void>
  /** Jobs at a time by lane, as it is now. */
  lanes(): Partial<Record<Lane, number>>
}

export function applyControls(workers: readonly Switched[]): LaneController {
  const configured = new Map(workers.map((worker) => [worker, worker.concurrency]))
  return {
    async apply({ concurrency, draining }) {
      for (const [worker, usual] of configured) {
        // Fewer than are running now: no job is taken until as many have ended.
        worker.concurrency = concurrency[worker.name as Lane] ?? usual
        // Running jobs end; waiting for them here would hold up every other order.
        if (draining && !worker.isPaused()) await worker.pause(true)
        if (!draining && worker.isPaused()) await worker.resume()
      }
    },
    lanes: () => Object.fromEntries(workers.map(({ name, concurrency }) => [name, concurrency])),
  }
}
