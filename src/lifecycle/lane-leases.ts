// Lane leases: a worker commits a lease to the record before it works, and its result counts only while the
// lease is its own. BullMQ may run a job twice when a lock is lost; the record decides which run counts, and a lease that
// somebody still holds is taken from nobody.

import { type Clock, isoTime } from '../core/clock.ts'
import { newToken } from '../core/ids.ts'
import { lifeOf, processIdentity } from '../core/process-alive.ts'
import { traceIn } from '../core/trace-context.ts'
import type { LaneName, LaneState, UploadRecord } from '../records/upload-record.ts'
import type { UploadDecision, UploadRecords } from '../records/upload-records.ts'
import type { RunEnd } from './lane-states.ts'
import { pendingLanes } from './pending-lanes.ts'
import { isPossible } from './transition-table.ts'
import { laneReleased, laneRenewed, laneStarted } from './transitions.ts'

/** While a lease is younger than this, the reconciler does not re-queue the lane. Renewed at each third of it. */
export const LANE_LEASE_MS = 10 * 60_000

export type LaneLease = {
  lane: LaneName
  token: string
  run: number
  leaseMs: number
  alone: boolean
  /** W3C traceparent of the run. */
  trace: string | undefined
  record: UploadRecord
}

/** So much longer it lasts where its holder is seen to live: what kept it from renewing, an outage or a machine's sleep, may be over. */
const LATE_MS = 10 * 60_000

type Lanes = Pick<UploadRecord, 'lanes'>

/** Whether somebody may be at work on the lane. A worker that is seen to be dead is not. */
export function isLeased({ lanes }: Lanes, lane: LaneName, nowMs: number): boolean {
  const claim = lanes[lane]?.claim
  if (claim === undefined) return false
  const life = lifeOf(claim.process ?? '')
  return life !== 'ended' && Date.parse(claim.until) + (life === 'alive' ? LATE_MS : 0) > nowMs
}

/** Whether the process that took the lane's lease is seen to live. It may have left the lease behind all the same. */
export function isHolderAlive({ lanes }: Lanes, lane: LaneName): boolean {
  return lifeOf(lanes[lane]?.claim?.process ?? '') === 'alive'
}

/** Another run has the lane: there may be work when it has ended. */
export class LaneHeld extends Error {
  override readonly name = 'LaneHeld'
  /** Token of a lease that may be taken over by who has waited for it; undefined: only its end counts. */
  readonly waitFor: string | undefined

  constructor(message: string, waitFor?: string) {
    super(message)
    this.waitFor = waitFor
  }
}

type Acquired = {
  generation: number
  run: number
  leaseMs?: number
  alone?: boolean
  waitedFor?: string | undefined
  trace?: string | undefined
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
   * A lease that has not run out is taken over at once from a worker that is seen to be dead, never from one that is seen to
   * live, and from one that cannot be seen only where its run has ended for the queue and it was waited for: the queue
   * takes a living worker for dead as well, where Redis was away, and then that worker lets go.
   * Taking over counts as a death, unless the holder is seen to live.
   *
   * @param run how many runs of the job are known to have ended
   * @param waitedFor the token of the lease that a LaneHeld named, after the wait
   * @throws {LaneHeld} somebody else is at work, or was until a moment ago
   */
  async acquire(
    id: string,
    lane: LaneName,
    { generation, run, leaseMs = LANE_LEASE_MS, alone = false, waitedFor, trace }: Acquired,
  ): Promise<LaneLease | undefined> {
    const token = newToken()
    const { record, committed } = await this.#records.commit(id, (current) => {
      if (current === undefined || !pendingLanes(current, Number.POSITIVE_INFINITY).includes(lane)) return undefined
      if ((current.lanes[lane]?.generation ?? generation) > generation) return undefined
      const { claim } = current.lanes[lane] ?? {}
      const holderLives = isHolderAlive(current, lane)
      if (claim !== undefined && isLeased(current, lane, this.#clock.now())) {
        const isOver = !holderLives && (claim.run ?? 0) < run
        if (!isOver || claim.token !== waitedFor)
          throw new LaneHeld(`${claim.worker} is at work until ${claim.until}`, isOver ? claim.token : undefined)
      }
      const own = this.#term({ token, run, leaseMs, alone })
      return { ...laneStarted(current, lane, { generation, claim: own, holderLives }), ...traceIn(trace) }
    })
    return committed && record !== undefined ? { lane, token, run, leaseMs, alone, trace, record } : undefined
  }

  #term({
    token,
    run,
    leaseMs,
    alone,
  }: Pick<LaneLease, 'token' | 'run' | 'leaseMs' | 'alone'>): NonNullable<LaneState['claim']> {
    const until = isoTime(this.#clock.now() + leaseMs)
    return { token, worker: this.#worker, until, run, process: processIdentity(), ...(alone ? { alone } : {}) }
  }

  /** Renews the lease. False: it is lost, stop. */
  async renew(lease: LaneLease): Promise<boolean> {
    const { lane } = lease
    return await this.commit(lease, (current) => laneRenewed(current, lane, this.#term(lease)))
  }

  /** Releases the lease of a run without a result. False: it was lost. */
  async release(lease: LaneLease, end: RunEnd = {}): Promise<boolean> {
    return await this.commit(lease, (current) => laneReleased(current, lease.lane, end))
  }

  /**
   * Releases the lease of a process for one job, on behalf of the worker that started it and saw its end.
   *
   * @param run of the process: how many had ended before
   * @returns false: it has left none, or another run has the lane. Throws REDIS_UNAVAILABLE, STORE_UNAVAILABLE.
   */
  async releaseAlone(
    id: string,
    lane: LaneName,
    { generation, run }: { generation: number; run: number },
    end: RunEnd,
  ): Promise<boolean> {
    const { committed } = await this.#records.commit(id, (current) => {
      const { claim, generation: now } = current?.lanes[lane] ?? {}
      if (current === undefined || !claim?.alone || now !== generation || claim.run !== run) return undefined
      return isPossible('lane at work', current) ? laneReleased(current, lane, end) : undefined
    })
    return committed
  }

  /** Commits the result of the lease holder. False: the lease is lost, the result does not count. */
  async commit(
    { record, lane, token, trace }: LaneLease,
    decide: (current: UploadRecord) => Promise<UploadDecision> | UploadDecision,
  ): Promise<boolean> {
    const { committed } = await this.#records.commit(record.id, async (current) => {
      if (current === undefined || current.lanes[lane]?.claim?.token !== token) return undefined
      const decided = isPossible('lane at work', current) ? await decide(current) : undefined
      return decided === undefined ? undefined : { ...decided, ...traceIn(trace) }
    })
    return committed
  }
}
