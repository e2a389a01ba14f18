// The safety net: whatever an upload's record says is due and nobody is doing is begun again. Runs at start and every
// minute over the uploads that are due for a look, and over all that is unfinished after a loss of Redis (rebuild.ts).

import type { Clock } from '../core/clock.ts'
import { faultPoint } from '../core/fault-points.ts'
import type { Logger } from '../core/logger.ts'
import type { Metrics } from '../core/metrics.ts'
import type { Queues } from '../jobs/queues.ts'
import { isEnded, type LaneName, type UploadRecord } from '../records/upload-record.ts'
import { isSettled, type UploadRecords } from '../records/upload-records.ts'
import type { UploadSessionStore } from '../records/upload-session-store.ts'
import { type Completion, STORED_KEEP_MS } from './completion.ts'
import type { LaneJobs } from './lane-jobs.ts'
import { pendingLanes } from './pending-lanes.ts'
import { isPossible } from './transition-table.ts'
import { cancelled, expired, laneQueuedAgain } from './transitions.ts'

/** When to look again at an upload on which work is going on. */
const LOOK_AGAIN_MS = 60_000
/** When to look again at one that only an operator begins again; `songngan retry` finds it meanwhile. */
const LOOK_RARELY_MS = 86_400_000
const BATCH = 500
/** States in which BullMQ will still run the job, or is running it. */
const ALIVE = new Set(['waiting', 'active', 'delayed', 'prioritized', 'waiting-children', 'paused'])

export type ReconcileDeps = {
  hot: UploadSessionStore
  uploads: UploadRecords
  completion: Completion
  queues: Queues
  laneJobs: LaneJobs
  metrics: Metrics
  clock: Clock
  logger: Logger
  expiryMs: number
  /** Ends an unfinished upload whose time is over; see src/uploads/expire.ts. */
  expire: (id: string) => Promise<'kept' | 'finished' | 'expired'>
  /** Carries out what is due on submissions: seals that wait, and what a seal leaves to end. */
  settleSubmissions: () => Promise<unknown>
}

export class Reconciler {
  readonly #deps: ReconcileDeps

  constructor(deps: ReconcileDeps) {
    this.#deps = deps
  }

  /** Looks at everything that is due; resolves with how many uploads were looked at. */
  async tick(): Promise<number> {
    const { hot, clock, logger } = this.#deps
    const ids = await hot.due(clock.now(), BATCH)
    for (const id of ids) {
      await this.one(id).catch(async (err: unknown) => {
        logger.warn({ err, uploadId: id }, 'an upload could not be reconciled; it is tried again')
        await hot.setDue(id, clock.now() + LOOK_AGAIN_MS)
      })
    }
    await this.#deps.settleSubmissions()
    return ids.length
  }

  /** `one` after a loss of Redis. @returns how many jobs of the upload the queue had lost */
  async resume(record: UploadRecord): Promise<number> {
    const { queues, clock } = this.#deps
    let lost = 0
    for (const lane of pendingLanes(record, clock.now()))
      if ((await queues.stateOf(lane, record.id, record.lanes[lane]?.generation ?? 1)) === 'unknown') lost++
    await this.one(record.id)
    return lost
  }

  /** Brings one upload on its way again. Safe at any time. */
  async one(id: string): Promise<void> {
    const { hot, uploads, completion, clock, metrics } = this.#deps
    const state = await hot.read(id)
    if (state?.status === 'finishing') {
      metrics.uploadsReconciled.inc({ from_state: 'finishing' })
      await completion.run(id)
    }
    const record = await uploads.fromStore(id)
    if (record !== undefined) await uploads.announce(record)
    if (record === undefined || record.state === 'receiving') {
      if (state === undefined && record === undefined) return await hot.setDue(id, null)
      if (await this.#endedInRedisOnly(id, state?.status, record)) return
      const outcome = await this.#deps.expire(id)
      if (outcome === 'kept') await hot.setDue(id, Math.max(state?.expiresAtMs ?? 0, clock.now() + LOOK_AGAIN_MS))
      return
    }
    if (isEnded(record.state)) {
      // Whoever ended it may have died before Redis heard of it, or before its bytes were gone.
      if (state?.status === 'receiving') await hot.end(id, record.state, STORED_KEEP_MS)
      await completion.removeBytes(record, state?.multipartId ?? undefined)
      return await hot.setDue(id, null)
    }
    if (record.concat?.kind === 'partial' && record.state === 'stored') return await this.#partial(record)
    await completion.run(id)
    await this.#requeue(record)
    await hot.setDue(id, isSettled(record) ? null : clock.now() + lookAfterMs(record))
  }

  /** A partial waits for its final as long as an unfinished upload waits for its bytes. */
  async #partial(record: UploadRecord): Promise<void> {
    const { hot, completion, clock, expiryMs } = this.#deps
    const expiresAtMs = Date.parse(record.storedAt ?? '') + expiryMs
    if (expiresAtMs > clock.now()) return await hot.setDue(record.id, expiresAtMs)
    await completion.expirePartial(record)
    await hot.setDue(record.id, null)
  }

  /** Redis says ended, the record does not: the commit that belongs to it was lost; make it. */
  async #endedInRedisOnly(id: string, status: string | undefined, record: UploadRecord | undefined): Promise<boolean> {
    if (status !== 'cancelled' && status !== 'expired') return false
    const { uploads, hot, completion } = this.#deps
    if (record !== undefined)
      await uploads.commit(id, async (current) => {
        if (current?.state !== 'receiving') return undefined
        const sequence = await completion.nextSequence(current, current)
        return status === 'cancelled' ? cancelled(current, sequence) : expired(current, sequence)
      })
    await hot.setDue(id, null)
    return true
  }

  /** A lane that is due, whose job is gone and whose claim has run out or is a dead worker's, is queued under the next generation. */
  async #requeue(record: UploadRecord): Promise<void> {
    const { queues, clock } = this.#deps
    for (const lane of pendingLanes(record, clock.now())) {
      const state = record.lanes[lane]
      const generation = state?.generation ?? 1
      const job = await queues.stateOf(lane, record.id, generation)
      if (ALIVE.has(job)) continue
      const claimed = state?.claim !== undefined && Date.parse(state.claim.until) > clock.now()
      // BullMQ fails a job whose workers died too often: whoever claimed it is lost. The claim that is left counts as a
      // death, so that this ends.
      if (claimed && job !== 'failed') continue
      await this.#nextGeneration(record.id, lane, generation)
    }
  }

  async #nextGeneration(id: string, lane: LaneName, generation: number): Promise<void> {
    const { uploads, laneJobs, metrics, logger } = this.#deps
    const { record, committed } = await uploads.commit(id, (current) => {
      const state = current?.lanes[lane]
      if (current === undefined || !isPossible('lane queued again', current)) return undefined
      if (state?.doneAt !== undefined || (state?.generation ?? 1) !== generation) return undefined
      return laneQueuedAgain(current, lane, { afresh: false })
    })
    if (!committed || record === undefined) return
    faultPoint('reconcile.generation-recorded')
    metrics.uploadsReconciled.inc({ from_state: record.state })
    logger.info({ uploadId: id, lane, generation: record.lanes[lane]?.generation }, 'a lost job is queued again')
    await laneJobs.enqueue(record, lane)
  }
}

function lookAfterMs({ lanes }: UploadRecord): number {
  const isAbandoned = Object.values(lanes).some(({ final }) => final === true)
  return isAbandoned ? LOOK_RARELY_MS : LOOK_AGAIN_MS
}
