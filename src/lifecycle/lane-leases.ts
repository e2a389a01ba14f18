// Claims: a processor commits to the record that it is at work before it works, and its result counts only while the
// claim is still its own. BullMQ may run a job twice when a lock is lost; the record decides which run counts.

import { type Clock, isoTime } from '../core/clock.ts'
import { newToken } from '../core/ids.ts'
import type { LaneName, LaneState, UploadRecord } from '../records/upload-record.ts'
import type { UploadDecision, UploadRecords } from '../records/upload-records.ts'
import { pendingLanes } from './pending-lanes.ts'

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
  async acquire(
    id: string,
    lane: LaneName,
    generation: number,
    mark: Partial<UploadRecord> = {},
  ): Promise<LaneLease | undefined> {
    const token = newToken()
    const { record, committed } = await this.#records.commit(id, (current) => {
      if (current === undefined || !pendingLanes(current, Number.POSITIVE_INFINITY).includes(lane))
        return undefined
      const state = current.lanes[lane] ?? { generation, attempts: 0 }
      if (state.generation > generation) return undefined
      const { failedAt: _, ...rest } = state
      return {
        ...current,
        ...mark,
        event: null,
        lanes: {
          ...current.lanes,
          [lane]: { ...rest, generation, attempts: state.attempts + 1, claim: this.#claim(token) },
        },
      }
    })
    return committed && record !== undefined ? { lane, token, record } : undefined
  }

  #claim(token: string): NonNullable<LaneState['claim']> {
    return { token, worker: this.#worker, until: isoTime(this.#clock.now() + LANE_LEASE_MS) }
  }

  /** Says that the work goes on. False: the claim is lost, stop. */
  async renew({ record, lane, token }: LaneLease): Promise<boolean> {
    return await this.#whileMine(record.id, lane, token, (current, state) => ({
      ...current,
      event: null,
      lanes: { ...current.lanes, [lane]: { ...state, claim: this.#claim(token) } },
    }))
  }

  /** Commits something on the way (a finished rendition), keeping the claim. False: the claim is lost. */
  async update(
    { record, lane, token }: LaneLease,
    change: (current: UploadRecord) => Promise<Partial<UploadRecord>> | Partial<UploadRecord>,
  ): Promise<boolean> {
    return await this.#whileMine(record.id, lane, token, async (current) => ({
      ...current,
      event: null,
      ...(await change(current)),
    }))
  }

  /** Commits the lane's result and closes the lane. False: the claim is lost, the result does not count. */
  async finish(
    { record, lane, token }: LaneLease,
    change: (current: UploadRecord) => Promise<Partial<UploadRecord>> | Partial<UploadRecord>,
  ): Promise<boolean> {
    return await this.#whileMine(
      record.id,
      lane,
      token,
      async (current, { claim: _, lastError: __, ...state }) => {
        const changed = await change(current)
        return {
          ...current,
          event: null,
          ...changed,
          lanes: {
            ...(changed.lanes ?? current.lanes),
            [lane]: { ...state, doneAt: isoTime(this.#clock.now()) },
          },
        }
      },
    )
  }

  /** Gives a lane up after its last attempt: kept, shown, tried again later. */
  async fail(claim: LaneLease, message: string, change: Partial<UploadRecord>): Promise<boolean> {
    return await this.#whileMine(
      claim.record.id,
      claim.lane,
      claim.token,
      (current, { claim: _, ...state }) => ({
        ...current,
        event: null,
        ...change,
        lanes: {
          ...current.lanes,
          [claim.lane]: { ...state, failedAt: isoTime(this.#clock.now()), lastError: message },
        },
      }),
    )
  }

  async #whileMine(
    id: string,
    lane: LaneName,
    token: string,
    decide: (current: UploadRecord, state: LaneState) => Promise<UploadDecision> | UploadDecision,
  ): Promise<boolean> {
    const { committed } = await this.#records.commit(id, async (current) => {
      const state = current?.lanes[lane]
      if (current === undefined || state?.claim?.token !== token) return undefined
      return await decide(current, state)
    })
    return committed
  }
}
