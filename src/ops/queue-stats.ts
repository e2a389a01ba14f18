// How full the queues are and how long the oldest job has waited. The age is what to watch: a histogram made from
// finished jobs goes quiet exactly when nothing is finished any more.

import type { Queue } from 'bullmq'
import type { RedisConnection } from '../core/redis.ts'
import { LANES, type Lane } from '../jobs/contract.ts'
import { run, script } from '../records/scripts.ts'

export const JOB_STATES = ['waiting', 'prioritized', 'active', 'delayed', 'failed', 'completed'] as const
export type JobState = (typeof JOB_STATES)[number]

export type QueueStats = {
  counts: Record<JobState, number>
  /** 0 where none waits. */
  oldestWaitingSeconds: number
}

// BullMQ keeps waiting jobs in two places: the list `wait`, whose oldest is its last, and the sorted set `prioritized`,
// scored `priority * 2^32 + counter`. So the oldest of each priority is its first, and the next priority begins at the
// next multiple of 2^32. A job that was tried before waits since its last attempt began.
const OLDEST = script(`
local oldest
local function look(id)
  local times = redis.call('HMGET', KEYS[3] .. id, 'timestamp', 'processedOn')
  local since = math.max(tonumber(times[1] or 0), tonumber(times[2] or 0))
  if since > 0 and (not oldest or since < oldest) then oldest = since end
end
local last = redis.call('LINDEX', KEYS[1], -1)
if last then look(last) end
local from = '-inf'
for _ = 1, 100 do
  local first = redis.call('ZRANGEBYSCORE', KEYS[2], from, '+inf', 'WITHSCORES', 'LIMIT', 0, 1)
  if not first[1] then break end
  look(first[1])
  from = string.format('%.0f', (math.floor(tonumber(first[2]) / 4294967296) + 1) * 4294967296)
end
return oldest and string.format('%.0f', oldest) or ''
`)

export async function statsOfLane(queue: Queue, redis: RedisConnection, nowMs: number): Promise<QueueStats> {
  const [counts, oldest] = await Promise.all([
    queue.getJobCounts(...JOB_STATES),
    run(redis, OLDEST, [queue.toKey('wait'), queue.toKey('prioritized'), queue.toKey('')], []),
  ])
  return {
    counts: Object.fromEntries(JOB_STATES.map((state) => [state, counts[state] ?? 0])) as QueueStats['counts'],
    oldestWaitingSeconds: oldest === '' ? 0 : Math.max(0, nowMs - Number(oldest)) / 1000,
  }
}

export async function statsOfQueues(
  byLane: Record<Lane, Queue>,
  redis: RedisConnection,
  nowMs: number,
): Promise<Record<Lane, QueueStats>> {
  const entries = LANES.map(async (lane) => [lane, await statsOfLane(byLane[lane], redis, nowMs)] as const)
  return Object.fromEntries(await Promise.all(entries)) as Record<Lane, QueueStats>
}
