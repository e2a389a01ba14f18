// Lane leases: a worker commits a lease to the record before it works, and its result counts only while the
// lease is its own. BullMQ may run a job twice when a lock is lost; the record decides which run counts, and a lease that
// somebody still holds is taken from nobody.

import { type Clock, isoTime } from '../core/clock.ts'
import { newToken } from '../core/ids.ts'
import { hasEnded, processIdentity } from '../core/process-alive.ts'
import type { LaneName, LaneState, UploadRecord } from '../records/upload-record.ts'
import type { UploadDecision, UploadRecords } from '../records/upload-records.ts'
import { pendingLanes } from './pending-lanes.ts'
import { isPossible } from './transition-table.ts'
import { laneReleased, laneRenewed, laneStarted } from './transitions.ts'

/** While a lease is younger than this, the reconciler does not re-queue the lane. Renewed at half of it. */
export const LANE_LEASE_MS = 10 * 60_000

export type LaneLease = { lane: LaneName; token: string; run: number; leaseMs: number; record: UploadRecord }

/** Whether somebody may be at work on the lane. A worker of this machine that has died is not. */
export function isLeased({ lanes }: Pick<UploadRecord, 'lanes'>, lane: LaneName, nowMs: number): boolean {
  const claim = lanes[lane]?.claim
  return claim !== undefined && Date.parse(claim.until) > nowMs && !hasEnded(claim.process ?? '')
}

/** Another run has the lane: there may be work when it has ended. */
export class LaneHeld extends Error {
  override readonly name = 'LaneHeld'
}

export class LaneLeases {
  readonly #records: UploadRecords
  readonly #clock: Clock
  readonly #worker: string

  /** `worker`: a name for logs and the record, host and process. */
  constructor(records: UploadRecords, clock: Clock, worker: string) {
    this.#records = records
    this.#clock = clock
    this.#worker = worker
  }

  /**
   * Acquires the lease of a lane for the job of `generation`. Undefined: nothing is due, or a newer generation was queued.
   * A lease that has not run out is taken over only from an earlier run of the job, or from a worker that is seen to be dead.
   * That counts as a death.
   *
   * @param run how many runs of the job are known to have ended
   * @throws {LaneHeld} somebody else is at work, or was until a moment ago
   */
  async acquire(
    id: string,
    lane: LaneName,
    { generation, run, leaseMs = LANE_LEASE_MS }: { generation: number; run: number; leaseMs?: number },
  ): Promise<LaneLease | undefined> {
    const token = newToken()
    const { record, committed } = await this.#records.commit(id, (current) => {
      if (current === undefined || !pendingLanes(current, Number.POSITIVE_INFINITY).includes(lane)) return undefined
      if ((current.lanes[lane]?.generation ?? generation) > generation) return undefined
      const { claim } = current.lanes[lane] ?? {}
      if (claim !== undefined && isLeased(current, lane, this.#clock.now()) && (claim.run ?? 0) >= run)
        throw new LaneHeld(`${claim.worker} is at work until ${claim.until}`)
      return laneStarted(current, lane, { generation, claim: this.#term({ token, run, leaseMs }) })
    })
    return committed && record !== undefined ? { lane, token, run, leaseMs, record } : undefined
  }

  #term({ token, run, leaseMs }: Pick<LaneLease, 'token' | 'run' | 'leaseMs'>): NonNullable<LaneState['claim']> {
    const until = isoTime(this.#clock.now() + leaseMs)
    return { token, worker: this.#worker, until, run, process: processIdentity() }
  }

  /** Renews the lease. False: it is lost, stop. */
  async renew(lease: LaneLease): Promise<boolean> {
    const { lane } = lease
    return await this.commit(lease, (current) => laneRenewed(current, lane, this.#term(lease)))
  }

  /**
   * Releases the lease of a run without a result. False: it was lost.
   *
   * @param how.untried nothing was tried that could have failed: the attempt does not count
   */
  async release(lease: LaneLease, how: { untried: boolean } = { untried: false }): Promise<boolean> {
    return await this.commit(lease, (current) => laneReleased(current, lease.lane, how))
  }

  /**
   * Releases the lease that a run left which was ended on purpose: it is no death, and no attempt. Nothing happens where
   * another run has the lane. Throws REDIS_UNAVAILABLE, STORE_UNAVAILABLE.
   */
  async giveBack(id: string, lane: LaneName, { generation, run }: { generation: number; run: number }): Promise<void> {
    await this.#records.commit(id, (current) => {
      const { claim, generation: now } = current?.lanes[lane] ?? {}
      if (current === undefined || claim === undefined || now !== generation || (claim.run ?? 0) > run) return undefined
      return isPossible('lane at work', current) ? laneReleased(current, lane, { untried: true }) : undefined
    })
  }

  /** Commits the result of the lease holder. False: the lease is lost, the result does not count. */
  async commit(
    { record, lane, token }: LaneLease,
    decide: (current: UploadRecord) => Promise<UploadDecision> | UploadDecision,
  ): Promise<boolean> {
    const { committed } = await this.#records.commit(record.id, async (current) => {
      if (current === undefined || current.lanes[lane]?.claim?.token !== token) return undefined
      return isPossible('lane at work', current) ? await decide(current) : undefined
    })
    return committed
  }
}
