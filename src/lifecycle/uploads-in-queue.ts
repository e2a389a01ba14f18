// Which of the due uploads only wait: every job that is due on them is in its queue, and nothing else is to do. Before a
// deadline that is nearly all of them, so it is found out in Redis alone. The store stays the truth: an upload of which a commit
// has begun that Redis has not heard of is left to the full check, and so is every upload at each tenth look.

import type { Clock } from '../core/clock.ts'
import type { Queues } from '../jobs/queues.ts'
import { isEnded, type UploadRecord } from '../records/upload-record.ts'
import { isSettled, type UploadRecords } from '../records/upload-records.ts'
import type { UploadSessionStore } from '../records/upload-session-store.ts'
import { needsAssembly, pendingLanes } from './pending-lanes.ts'

/** States in which BullMQ runs the job or will run it. */
const ALIVE = new Set(['waiting', 'active', 'delayed', 'prioritized', 'waiting-children', 'paused'])
const LOOK_MS = 60_000
const FULL_CHECK_EVERY = 10

export type QueueLookDeps = {
  hot: Pick<UploadSessionStore, 'statusOfMany'>
  uploads: Pick<UploadRecords, 'confirmedMany'>
  queues: Pick<Queues, 'stateOf'>
  clock: Clock
}

/** @param state as BullMQ tells it */
export function isJobAlive(state: string): boolean {
  return ALIVE.has(state)
}

/** The uploads of `ids` on which nothing is to do but to wait for their jobs. Throws REDIS_UNAVAILABLE. */
export async function uploadsInQueue(deps: QueueLookDeps, ids: string[]): Promise<Set<string>> {
  const { hot, uploads, clock } = deps
  const nowMs = clock.now()
  const asked = ids.filter((id) => !isTurnOf(id, nowMs))
  const [records, statuses] = await Promise.all([uploads.confirmedMany(asked), hot.statusOfMany(asked)])
  const inQueue = new Set<string>()
  await Promise.all(
    asked.map(async (id, i) => {
      const record = records[i]
      if (record === undefined || !mayOnlyWait(record, statuses[i] ?? null)) return
      if (await areJobsAlive(deps, record, nowMs)) inQueue.add(id)
    }),
  )
  return inQueue
}

/** Processes of an earlier version do not note what they begin to commit. */
function isTurnOf(id: string, nowMs: number): boolean {
  return (Math.floor(nowMs / LOOK_MS) + (id.codePointAt(id.length - 1) ?? 0)) % FULL_CHECK_EVERY === 0
}

/** @param session the state of its session; null: there is none */
function mayOnlyWait(record: UploadRecord, session: string | null): boolean {
  if (session !== null && session !== 'stored') return false
  if (record.state === 'receiving' || isEnded(record.state) || isSettled(record)) return false
  if (record.concat?.kind === 'partial' || needsAssembly(record)) return false
  return !Object.values(record.lanes).some(({ final }) => final === true)
}

async function areJobsAlive({ queues }: QueueLookDeps, record: UploadRecord, nowMs: number): Promise<boolean> {
  const jobs = pendingLanes(record, nowMs).map((lane) =>
    queues.stateOf(lane, record.id, record.lanes[lane]?.generation ?? 1),
  )
  return (await Promise.all(jobs)).every(isJobAlive)
}
