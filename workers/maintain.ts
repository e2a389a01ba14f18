// Lane `maintain`: what is due by the clock. Reconciling, sweeping what died processes left behind, retention.

import { type Job, UnrecoverableError } from 'bullmq'
import type { MaintainJob } from '../src/jobs/contract.ts'
import type { Kit } from './lanes/kit.ts'
import { refreshPositions } from './lanes/queue-positions.ts'
import { applyRetention } from './lanes/retention.ts'
import { sweepStaging } from './lanes/staging.ts'

const MINUTE_MS = 60_000

const EVERY_MS: Record<MaintainJob['task'], number> = {
  reconcile: MINUTE_MS,
  sweep: 60 * MINUTE_MS,
  retention: 24 * 60 * MINUTE_MS,
}

/** Writes the timetable into the queue. Any number of workers may: a task is in it once. */
export async function scheduleMaintenance({ queues }: Pick<Kit, 'queues'>): Promise<void> {
  for (const [task, every] of Object.entries(EVERY_MS)) {
    await queues.byLane.maintain.upsertJobScheduler(
      `maintain-${task}`,
      { every },
      {
        name: 'maintain',
        data: { task },
        opts: { removeOnComplete: { count: 50 }, removeOnFail: { count: 50 } },
      },
    )
  }
}

export function createMaintain(kit: Kit) {
  const tasks: Record<MaintainJob['task'], (signal?: AbortSignal) => Promise<unknown>> = {
    async reconcile() {
      await kit.reconciler.tick()
      await refreshPositions(kit)
    },
    async sweep() {
      const scratch = await kit.room.sweep()
      const staged = await sweepStaging(kit)
      if (scratch.length + staged > 0) kit.logger.info({ scratch, staged }, 'swept')
    },
    retention: (signal) => applyRetention(kit, signal),
  }
  return async (job: Job<MaintainJob>, _token?: string, signal?: AbortSignal): Promise<void> => {
    const task = tasks[job.data.task]
    if (task === undefined) throw new UnrecoverableError(`no such task: ${job.data.task}`)
    await task(signal)
  }
}
