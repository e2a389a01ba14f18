// The reconciler: re-queues work that is due by an upload's record but not running. Runs at start and every
// minute over uploads that are due for a check, and over all unfinished ones after a loss of Redis (rebuild.ts).
// Of several processes each takes other uploads. Those whose jobs wait in their queue cost no call to the store.

import type { Clock } from '../core/clock.ts'
import { runEvery } from '../core/every.ts'
import { faultPoint } from '../core/fault-points.ts'
import { inParallel } from '../core/in-parallel.ts'
import type { Logger } from '../core/logger.ts'
import type { Metrics } from '../core/metrics.ts'
import type { Queues } from '../jobs/queues.ts'
import { isEnded, type LaneName, type UploadRecord } from '../records/upload-record.ts'
import { isSettled, type UploadRecords } from '../records/upload-records.ts'
import type { UploadSessionStore } from '../records/upload-session-store.ts'
import { type Completion, STORED_KEEP_MS } from './completion.ts'
import type { LaneJobs } from './lane-jobs.ts'
import { isHolderAlive, isLeased } from './lane-leases.ts'
import { pendingLanes } from './pending-lanes.ts'
import { isPossible } from './transition-table.ts'
import { cancelled, expired, laneQueuedAgain } from './transitions.ts'
import { isJobAlive, uploadsInQueue } from './uploads-in-queue.ts'

const EVERY_MS = 60_000
/** Next check of an upload with running work. */
const LOOK_AGAIN_MS = 60_000
/** Next check of an upload that only an operator can retry (`songngan retry`). */
const LOOK_RARELY_MS = 86_400_000
/** Uploads that a process takes at once. */
const BATCH = 500
/** So long a run takes further uploads; the others follow in the next one. */
const RUN_MS = 45_000
/** Uploads that are read from the store at the same time. */
const PARALLEL = 16

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
  /** Expires an unfinished upload; see src/uploads/expire.ts. */
  expire: (id: string) => Promise<'kept' | 'finished' | 'expired'>
  /** Goes on with the erasure of an upload. @returns when to look again, or null */
  continueErasure: (record: UploadRecord) => Promise<number | null>
  /** Does what is due on submissions: waiting seals, and ending uploads after a seal. */
  settleSubmissions: () => Promise<unknown>
}

export class Reconciler {
  readonly #deps: ReconcileDeps

  constructor(deps: ReconcileDeps) {
    this.#deps = deps
  }

  /** Checks all due uploads that no other process has taken; resolves with their number. */
  async tick(): Promise<number> {
    const { hot, clock } = this.#deps
    const endsAtMs = performance.now() + RUN_MS
    let looked = 0
    for (let taken = BATCH; taken === BATCH && performance.now() < endsAtMs; looked += taken) {
      const ids = await hot.leaseDue(clock.now(), BATCH, clock.now() + LOOK_AGAIN_MS)
      taken = ids.length
      await this.#check(ids)
    }
    await this.#deps.settleSubmissions()
    return looked
  }

  /** Taken uploads are due again in a minute, whatever becomes of the check. */
  async #check(ids: string[]): Promise<void> {
    const { logger } = this.#deps
    const waiting = await uploadsInQueue(this.#deps, ids)
    await inParallel(
      PARALLEL,
      ids.filter((id) => !waiting.has(id)),
      async (id) => {
        await this.one(id).catch((err: unknown) => {
          logger.warn({ err, uploadId: id }, 'an upload could not be reconciled; retrying')
        })
      },
    )
  }

  /** `one` after a loss of Redis. @returns the number of lost jobs of the upload */
  async resume(record: UploadRecord): Promise<number> {
    const { queues, clock } = this.#deps
    let lost = 0
    for (const lane of pendingLanes(record, clock.now()))
      if ((await queues.stateOf(lane, record.id, record.lanes[lane]?.generation ?? 1)) === 'unknown') lost++
    await this.one(record.id)
    return lost
  }

  /** Checks one upload. Safe at any time. */
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
      // The process that ended it may have died before it updated Redis or removed the bytes.
      if (state?.status === 'receiving') await hot.end(id, record.state, STORED_KEEP_MS)
      if (record.erasing === true || record.erasedAt !== undefined)
        return await hot.setDue(id, await this.#deps.continueErasure(record))
      await completion.removeBytes(record, state?.multipartId ?? undefined)
      return await hot.setDue(id, null)
    }
    // A file that is one object has its record in it; its process may have died before Redis heard of the last byte.
    if (state?.status === 'receiving') await hot.end(id, 'stored', STORED_KEEP_MS, record.receivedBytes)
    if (record.concat?.kind === 'partial' && record.state === 'stored') return await this.#partial(record)
    await completion.run(id)
    await this.#requeue(record)
    await hot.setDue(id, isSettled(record) ? null : clock.now() + lookAfterMs(record))
  }

  /** A partial expires like an unfinished upload. */
  async #partial(record: UploadRecord): Promise<void> {
    const { hot, completion, clock, expiryMs } = this.#deps
    const expiresAtMs = Date.parse(record.storedAt ?? '') + expiryMs
    if (expiresAtMs > clock.now()) return await hot.setDue(record.id, expiresAtMs)
    await completion.expirePartial(record)
    await hot.setDue(record.id, null)
  }

  /** Ended in Redis, but not in the record: the commit was lost; it is repeated. */
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

  /** Re-queues due lanes without a job and without a valid lease, with the next generation. */
  async #requeue(record: UploadRecord): Promise<void> {
    const { queues, clock } = this.#deps
    for (const lane of pendingLanes(record, clock.now())) {
      const generation = record.lanes[lane]?.generation ?? 1
      const job = await queues.stateOf(lane, record.id, generation)
      if (isJobAlive(job)) continue
      const leased = isLeased(record, lane, clock.now())
      // BullMQ fails a job whose workers died too often: its worker is lost, unless it is seen to live. The remaining
      // lease counts as a death, so this cannot go on for ever.
      if (leased && (job !== 'failed' || isHolderAlive(record, lane))) continue
      await this.#nextGeneration(record.id, lane, generation)
    }
  }

  async #nextGeneration(id: string, lane: LaneName, generation: number): Promise<void> {
    const { uploads, laneJobs, metrics, logger } = this.#deps
    const { record, committed } = await uploads.commit(id, (current) => {
      const state = current?.lanes[lane]
      if (current === undefined || !isPossible('lane queued again', current)) return undefined
      if (state?.doneAt !== undefined || (state?.generation ?? 1) !== generation) return undefined
      return laneQueuedAgain(current, lane, { afresh: false, holderLives: isHolderAlive(current, lane) })
    })
    if (!committed || record === undefined) return
    faultPoint('reconcile.generation-recorded')
    metrics.uploadsReconciled.inc({ from_state: record.state })
    logger.info({ uploadId: id, lane, generation: record.lanes[lane]?.generation }, 'lost job re-queued')
    await laneJobs.enqueue(record, lane)
  }
}

function lookAfterMs({ lanes }: UploadRecord): number {
  const isAbandoned = Object.values(lanes).some(({ final }) => final === true)
  return isAbandoned ? LOOK_RARELY_MS : LOOK_AGAIN_MS
}

/**
 * Reconciles at once and every minute. After many changes a run may take longer: the next one waits for it, or both would do
 * the same work.
 *
 * @returns a function that stops it
 */
export function startReconciling(reconciler: Pick<Reconciler, 'tick'>, logger: Pick<Logger, 'warn'>): () => void {
  return runEvery(
    EVERY_MS,
    () => reconciler.tick(),
    (err) => logger.warn({ err }, 'reconciling failed; retrying in a minute'),
  )
}
