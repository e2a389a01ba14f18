// Manual retries: a failed lane is re-queued with the next generation at once,
// instead of after the reconciler's delay; an undelivered webhook is retried.

import type { RedisConnection } from '../core/redis.ts'
import { viaRedis } from '../core/redis.ts'
import type { Queues } from '../jobs/queues.ts'
import { redisKeysOf } from '../records/keys.ts'
import type { LaneName, LaneState, UploadRecord } from '../records/upload-record.ts'
import type { UploadRecords } from '../records/upload-records.ts'
import type { LaneJobs } from './lane-jobs.ts'
import { isPossible } from './transition-table.ts'
import { laneQueuedAgain } from './transitions.ts'

export type RetryDeps = { uploads: UploadRecords; queues: Queues; laneJobs: LaneJobs; redis: RedisConnection }

export type FailedLane = { uploadId: string; lane: LaneName; failedAt: string; error: string | null }

const BATCH = 500
const LANE_NAMES: readonly LaneName[] = ['validate', 'inspect', 'transcode']

/** Failed lanes of a record. */
export function failedLanes(record: UploadRecord): FailedLane[] {
  return LANE_NAMES.flatMap((lane) => {
    const { failedAt, doneAt, lastError } = record.lanes[lane] ?? ({} as Partial<LaneState>)
    if (failedAt === undefined || doneAt !== undefined) return []
    return [{ uploadId: record.id, lane, failedAt, error: lastError ?? null }]
  })
}

/** All uploads with lanes that failed since then, from the index in Redis. */
export async function findFailed({ uploads, redis }: RetryDeps, sinceMs: number): Promise<FailedLane[]> {
  const failed: FailedLane[] = []
  for (const list of redisKeysOf(redis).everyDue('due'))
    for (let from = 0, found = BATCH; found === BATCH; from += BATCH) {
      const ids = await viaRedis(redis.zrange(list, from, from + BATCH - 1))
      found = ids.length
      for (const record of await uploads.latestMany(ids)) failed.push(...failedLanes(record))
    }
  return failed.filter(({ failedAt }) => Date.parse(failedAt) >= sinceMs)
}

/** Retries a lane. False: it is no longer failed. */
export async function retryLane({ uploads, laneJobs }: RetryDeps, failed: FailedLane): Promise<boolean> {
  const { uploadId, lane } = failed
  const { record, committed } = await uploads.commit(uploadId, (current) => {
    const state = current?.lanes[lane]
    if (current === undefined || state?.failedAt === undefined || state.doneAt !== undefined) return undefined
    if (!isPossible('lane queued again', current)) return undefined
    return laneQueuedAgain(current, lane, { afresh: true })
  })
  if (!committed || record === undefined) return false
  await laneJobs.enqueue(record, lane)
  return true
}

/** Retries webhooks that failed since then. @returns how many */
export async function retryWebhooks({ queues }: RetryDeps, sinceMs: number): Promise<number> {
  const jobs = await viaRedis(queues.byLane.notify.getFailed(0, -1))
  let retried = 0
  for (const job of jobs) {
    if ((job.finishedOn ?? 0) < sinceMs) continue
    await viaRedis(job.retry('failed'))
    retried++
  }
  return retried
}
