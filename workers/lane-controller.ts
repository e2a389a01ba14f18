// What operators switch, done to the lanes of this process: how many jobs at a time, and whether it takes any at all. A
// lane that has no room to work in takes none either.
// Pausing a lane for everybody is BullMQ's own switch, which every worker heeds by itself.

import type { Worker } from 'bullmq'
import type { Lane } from '../src/jobs/contract.ts'
import type { ControlSettings } from '../src/ops/control-watch.ts'

type Switched = Pick<Worker, 'name' | 'concurrency' | 'pause' | 'resume' | 'isPaused'>

export type LaneController = {
  apply(orders: ControlSettings): Promise<void>
  /** These lanes take no jobs until they are no longer named; running ones end. */
  hold(lanes: readonly Lane[]): Promise<void>
  /** Jobs at a time by lane, as it is now. */
  lanes(): Partial<Record<Lane, number>>
}

export function applyControls(workers: readonly Switched[]): LaneController {
  const configured = new Map(workers.map((worker) => [worker, worker.concurrency]))
  let draining = false
  let held: readonly Lane[] = []
  const pauseOrResume = async () => {
    for (const worker of workers) {
      const rests = draining || held.includes(worker.name as Lane)
      // Running jobs end; waiting for them here would hold up every other order.
      if (rests && !worker.isPaused()) await worker.pause(true)
      if (!rests && worker.isPaused()) await worker.resume()
    }
  }
  return {
    async apply(orders) {
      // Fewer than are running now: no job is taken until as many have ended.
      for (const [worker, usual] of configured) worker.concurrency = orders.concurrency[worker.name as Lane] ?? usual
      draining = orders.draining
      await pauseOrResume()
    },
    async hold(lanes) {
      held = lanes
      await pauseOrResume()
    },
    lanes: () => Object.fromEntries(workers.map(({ name, concurrency }) => [name, concurrency])),
  }
}
