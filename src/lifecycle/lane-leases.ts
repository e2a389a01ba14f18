// Claims: a processor commits to the record that it is at work before it works, and its result counts only while the
// claim is still its own. BullMQ may run a job twice when a lock is lost; the record decides which run counts.

import { type Clock, isoTime } from '../core/clock.ts'
import { newToken } from '../core/ids.ts'
import type { LaneName, LaneState, UploadRecord } from '../records/upload-record.ts'
import type { UploadDecision, UploadRecords } from '../records/upload-records.ts'
import { pendingLanes } from './pending-lanes.ts'
import { isPossible } from './transition-table.ts'
import { laneReleased, laneRenewed, laneStarted } from './transitions.ts'

/** While a claim is younger than this, the reconciler does not queue the lane again. Renewed at half of it. */
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
   * Claims a lane for the job of `generation`. Undefined: nothing is due any more, or a younger generation was queued.
   * An older claim of the same generation is taken over: BullMQ hands a job out again only when its holder is lost.
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

  /** Says that the work goes on. False: the claim is lost, stop. */
  async renew(claim: LaneLease): Promise<boolean> {
    const { lane, token } = claim
    return await this.commit(claim, (current) => laneRenewed(current, lane, this.#claim(token)))
  }

  /** The run ends without a result, and not because its worker died. False: the claim was lost before. */
  async release(claim: LaneLease): Promise<boolean> {
    return await this.commit(claim, (current) => laneReleased(current, claim.lane))
  }

  /** Commits what the holder of a claim makes of the record. False: the claim is lost, its result does not count. */
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
