// Lane leases: a worker commits a lease to the record before it works, and its result counts only while the
// lease is its own. BullMQ may run a job twice when a lock is lost; the record decides which run counts.

import { type Clock, isoTime } from '../core/clock.ts'
import { newToken } from '../core/ids.ts'
import type { LaneName, LaneState, UploadRecord } from '../records/upload-record.ts'
import type { UploadDecision, UploadRecords } from '../records/upload-records.ts'
import { pendingLanes } from './pending-lanes.ts'
import { isPossible } from './transition-table.ts'
import { laneReleased, laneRenewed, laneStarted } from './transitions.ts'

/** While a lease is younger than this, the reconciler does not re-queue the lane. Renewed at half of it. */
export const LANE_LEASE_MS = 10 * 60_000

export type LaneLease = { lane: LaneName; token: string; record: UploadRecord }

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
   * An older lease of the same generation is taken over: BullMQ repeats a job only if its worker is lost.
   */
  async acquire(id: string, lane: LaneName, generation: number): Promise<LaneLease | undefined> {
    const token = newToken()
    const { record, committed } = await this.#records.commit(id, (current) => {
      if (current === undefined || !pendingLanes(current, Number.POSITIVE_INFINITY).includes(lane)) return undefined
      if ((current.lanes[lane]?.generation ?? generation) > generation) return undefined
      return laneStarted(current, lane, { generation, claim: this.#claim(token) })
    })
    return committed && record !== undefined ? { lane, token, record } : undefined
  }

  #claim(token: string): NonNullable<LaneState['claim']> {
    return { token, worker: this.#worker, until: isoTime(this.#clock.now() + LANE_LEASE_MS) }
  }

  /** Renews the lease. False: it is lost, stop. */
  async renew(claim: LaneLease): Promise<boolean> {
    const { lane, token } = claim
    return await this.commit(claim, (current) => laneRenewed(current, lane, this.#claim(token)))
  }

  /** Releases the lease of a run without a result. False: it was lost. */
  async release(claim: LaneLease): Promise<boolean> {
    return await this.commit(claim, (current) => laneReleased(current, claim.lane))
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
