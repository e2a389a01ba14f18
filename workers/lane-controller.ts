// Applies the control settings to the lanes of this process: concurrency and draining. A lane without disk space
// takes no jobs either. Pausing a lane in all workers is BullMQ's own setting, which every worker follows.

import type { Worker } from 'bullmq'
import type { Lane } from '../src/jobs/contract.ts'
import type { ControlSettings } from '../src/ops/control-watch.ts'

type Switched = Pick<Worker, 'name' | 'concurrency' | 'pause' | 'resume' | 'isPaused'>

export type LaneController = {
  apply(settings: ControlSettings): Promise<void>
  /** These lanes take no jobs until they are no longer listed; running jobs finish. */
  hold(lanes: readonly Lane[]): Promise<void>
  /** Current concurrency by lane. */
  lanes(): Partial<Record<Lane, number>>
}

export function applyControls(workers: readonly Switched[]): LaneController {
  const configured = new Map(workers.map((worker) => [worker, worker.concurrency]))
  let draining = false
  let held: readonly Lane[] = []
  const pauseOrResume = async () => {
    for (const worker of workers) {
      const rests = draining || held.includes(worker.name as Lane)
      // Running jobs finish; waiting for them here would delay other settings.
      if (rests && !worker.isPaused()) await worker.pause(true)
      if (!rests && worker.isPaused()) await worker.resume()
    }
  }
  return {
    async apply(settings) {
      // If more jobs are running, no job is taken until enough have finished.
      for (const [worker, usual] of configured) worker.concurrency = settings.concurrency[worker.name as Lane] ?? usual
      draining = settings.draining
      await pauseOrResume()
    },
    async hold(lanes) {
      held = lanes
      await pauseOrResume()
    },
    lanes: () => Object.fromEntries(workers.map(({ name, concurrency }) => [name, concurrency])),
  }
}
