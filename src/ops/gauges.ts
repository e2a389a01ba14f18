// Gauges that are read from Redis when metrics are scraped.

import { LANES } from '../jobs/contract.ts'
import { DueDates } from '../records/due-dates.ts'
import { checkRedis, checkStore, freeBytesOf } from './checks.ts'
import { Controls } from './controls.ts'
import type { OpsDeps } from './ops-deps.ts'
import { JOB_STATES, statsOfQueues } from './queue-stats.ts'

export function collectOnScrape(deps: OpsDeps): void {
  const { metrics, redis, redisWatch, store, queues, clock, config, state: own } = deps
  const controls = new Controls(deps)
  metrics.onScrape('redis', async () => metrics.redisUp.set((await checkRedis(redis)).up ? 1 : 0))
  metrics.onScrape('clock', () => metrics.clockSkew.set(redisWatch.skewMs() / 1000))
  metrics.onScrape('store', async () => metrics.objectStoreUp.set((await checkStore(store)).up ? 1 : 0))
  metrics.onScrape('disk', async () => metrics.workdirFree.set(await freeBytesOf(config.storage.dataDir)))
  metrics.onScrape('draining', () => metrics.instanceDraining.set(own.draining ? 1 : 0))
  metrics.onScrape('controls', async () => {
    // While Redis is away the last value stays, as the last settings stay in force in every process.
    const { admission } = await controls.read()
    metrics.admissionClosed.set(admission === null ? 0 : 1)
  })
  metrics.onScrape('deadlines', async () => {
    metrics.deadlinesBehind.set((await new DueDates(redis).behindMs(clock.now())) / 1000)
  })
  metrics.onScrape('queues', async () => {
    // Old values must not stay if Redis does not answer.
    metrics.queueJobs.reset()
    metrics.queueOldestWaiting.reset()
    metrics.queuePaused.reset()
    const stats = await statsOfQueues(queues.byLane, redis, clock.now())
    const paused = await Promise.all(LANES.map((lane) => queues.byLane[lane].isPaused()))
    for (const [number, queue] of LANES.entries()) {
      const { counts, oldestWaitingSeconds } = stats[queue]
      for (const state of JOB_STATES) metrics.queueJobs.set({ queue, state }, counts[state])
      metrics.queueOldestWaiting.set({ queue }, oldestWaitingSeconds)
      metrics.queuePaused.set({ queue }, paused[number] === true ? 1 : 0)
    }
  })
}
