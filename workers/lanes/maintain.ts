// Lane `maintain`: periodic tasks: reconcile, clean-up after died processes, retention.

import { type Job, UnrecoverableError } from 'bullmq'
import type { MaintainJob } from '../../src/jobs/contract.ts'
import { redisKeysOf } from '../../src/records/keys.ts'
import { unloadQuiet } from '../../src/records/quiet-submissions.ts'
import type { WorkerContext } from '../worker-context.ts'
import { sweepMultiparts } from './multiparts.ts'
import { refreshPositions } from './queue-positions.ts'
import { applyRetention } from './retention.ts'
import { sweepStaging } from './staging.ts'

const MINUTE_MS = 60_000

/** Longer than the time in which events can be re-queued. */
const KEEP_DELIVERIES_MS = 9 * 24 * 60 * MINUTE_MS

const EVERY_MS: Record<MaintainJob['task'], number> = {
  reconcile: MINUTE_MS,
  sweep: 60 * MINUTE_MS,
  retention: 24 * 60 * MINUTE_MS,
}

/** Adds missing periodic tasks to the queue. Idempotent: any worker may call it at any time. */
export async function scheduleMaintenance({ queues }: Pick<WorkerContext, 'queues'>): Promise<void> {
  const planned = await queues.byLane.maintain.getJobSchedulers()
  for (const [task, every] of Object.entries(EVERY_MS)) {
    if (planned.some((entry) => entry.key === `maintain-${task}` && entry.every === every)) continue
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

export function createMaintain(deps: WorkerContext) {
  const tasks: Record<MaintainJob['task'], (signal?: AbortSignal) => Promise<unknown>> = {
    async reconcile() {
      await deps.rebuilder.heal()
      await deps.reconciler.tick()
      await unloadQuiet(deps)
      await refreshPositions(deps)
    },
    async sweep() {
      const scratch = await deps.room.sweep()
      const staged = await sweepStaging(deps)
      const multiparts = await sweepMultiparts(deps)
      if (scratch.length + staged + multiparts > 0) deps.logger.info({ scratch, staged, multiparts }, 'swept')
    },
    async retention(signal) {
      await applyRetention(deps, signal)
      for (const owner of await deps.redis.jobs.smembers(redisKeysOf(deps.redis.jobs).owners))
        await deps.deliveries.forget(owner, deps.clock.now() - KEEP_DELIVERIES_MS)
    },
  }
  return async (job: Job<MaintainJob>, _token?: string, signal?: AbortSignal): Promise<void> => {
    const task = tasks[job.data.task]
    if (task === undefined) throw new UnrecoverableError(`no such task: ${job.data.task}`)
    await task(signal)
  }
}
