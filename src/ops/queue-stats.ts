// Queue lengths and the age of the oldest waiting job. Watch the age: a histogram of
// finished jobs shows nothing when no job is finished any more.

import type { Queue } from 'bullmq'
import { commandLoader, run } from '../core/lua-commands.ts'
import type { RedisConnection } from '../core/redis.ts'
import { LANES, type Lane } from '../jobs/contract.ts'

export const JOB_STATES = ['waiting', 'prioritized', 'active', 'delayed', 'failed', 'completed'] as const
export type JobState = (typeof JOB_STATES)[number]

export type QueueStats = {
  counts: Record<JobState, number>
  /** 0 if none waits. */
  oldestWaitingSeconds: number
}

const command = commandLoader(new URL('./commands/', import.meta.url))
const firstWaitingJobs = command('first-waiting-jobs')
const oldestJob = command('oldest-job')

async function statsOfLane(queue: Queue, redis: RedisConnection, nowMs: number): Promise<QueueStats> {
  const [counts, oldest] = await Promise.all([queue.getJobCounts(...JOB_STATES), oldestWaiting(queue, redis)])
  return {
    counts: Object.fromEntries(JOB_STATES.map((state) => [state, counts[state] ?? 0])) as QueueStats['counts'],
    oldestWaitingSeconds: oldest === '' ? 0 : Math.max(0, nowMs - Number(oldest)) / 1000,
  }
}

/** Unix milliseconds; '' if no job waits. */
async function oldestWaiting(queue: Queue, redis: RedisConnection): Promise<unknown> {
  const first = await run(redis, firstWaitingJobs, [queue.toKey('wait'), queue.toKey('prioritized')], [])
  const jobs = (first as string[]).map((id) => queue.toKey(id))
  return jobs.length === 0 ? '' : await run(redis, oldestJob, jobs, [])
}

export async function statsOfQueues(
  byLane: Record<Lane, Queue>,
  redis: RedisConnection,
  nowMs: number,
): Promise<Record<Lane, QueueStats>> {
  const entries = LANES.map(async (lane) => [lane, await statsOfLane(byLane[lane], redis, nowMs)] as const)
  return Object.fromEntries(await Promise.all(entries)) as Record<Lane, QueueStats>
}
