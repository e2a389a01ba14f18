// The jobs of uploads on their way into the lanes' queues: each at its turn, which depends on how many files of the same
// person a lane has already.

import type { Clock } from '../core/clock.ts'
import { type RedisConnection, viaRedis } from '../core/redis.ts'
import type { Queues } from '../jobs/queues.ts'
import { redisKeysOf } from '../records/keys.ts'
import { personOf } from '../records/person.ts'
import type { SubmissionHeads } from '../records/submission-heads.ts'
import type { LaneName, UploadRecord } from '../records/upload-record.ts'
import { costSeconds } from './job-cost.ts'
import { jobPriority } from './job-priority.ts'
import { pendingLanes } from './pending-lanes.ts'

/** A file whose end nobody told is forgotten after this: it only put the same person's next ones back. */
const FORGET_MS = 86_400_000

export class LaneJobs {
  readonly #queues: Queues
  readonly #heads: SubmissionHeads
  readonly #redis: RedisConnection
  readonly #clock: Clock

  constructor(deps: { queues: Queues; heads: SubmissionHeads; redis: RedisConnection; clock: Clock }) {
    this.#queues = deps.queues
    this.#heads = deps.heads
    this.#redis = deps.redis
    this.#clock = deps.clock
  }

  /** Queues every lane that the record asks for; a job that exists already is left alone. Throws REDIS_UNAVAILABLE. */
  async enqueueDue(record: UploadRecord): Promise<void> {
    for (const lane of pendingLanes(record, this.#clock.now())) await this.enqueue(record, lane)
  }

  /**
   * Queues one lane, under the generation that the record names. Throws REDIS_UNAVAILABLE.
   *
   * @param how.anywhere false: not by the place for short work
   */
  async enqueue(record: UploadRecord, lane: LaneName, how: { anywhere: boolean } = { anywhere: true }): Promise<void> {
    const { owner, submissionId } = record
    const [ahead, head] = await Promise.all([
      this.#join(record, lane),
      submissionId === null ? undefined : this.#heads.latest(owner, submissionId),
    ])
    const seconds = costSeconds(record, lane)
    const deadline = head?.deadline ?? null
    const priority = jobPriority({ lane, ahead, deadline, costSeconds: seconds, nowMs: this.#clock.now() })
    const generation = record.lanes[lane]?.generation ?? 1
    const job = { uploadId: record.id, generation, ...(how.anywhere ? { seconds } : {}) }
    await this.#queues.enqueueUpload(lane, job, { priority, trace: record.trace })
  }

  /** The lane is through with this file: the same person's others come forward. Throws REDIS_UNAVAILABLE. */
  async leave(record: UploadRecord, lane: LaneName): Promise<void> {
    await viaRedis(this.#redis.zrem(this.#keyOf(record, lane), record.id))
  }

  /** @returns how many of the person's files came before */
  async #join(record: UploadRecord, lane: LaneName): Promise<number> {
    const key = this.#keyOf(record, lane)
    const nowMs = this.#clock.now()
    const commands = this.#redis
      .multi()
      .zremrangebyscore(key, '-inf', nowMs - FORGET_MS)
      .zadd(key, 'NX', nowMs, record.id)
      .pexpire(key, FORGET_MS)
      .zrank(key, record.id)
    const [error, rank] = (await viaRedis(commands.exec()))?.at(-1) ?? []
    if (error) throw error
    return Number(rank ?? 0)
  }

  #keyOf(record: UploadRecord, lane: LaneName): string {
    return redisKeysOf(this.#redis).inLane(lane, record.owner, personOf(record))
  }
}
