// An upload as a reader sees it: its record, or while no byte has a record yet what Redis holds, and its progress.

import { type RedisConnection, viaRedis } from '../core/redis.ts'
import { redisKeys } from './keys.ts'
import type { RecordIndex } from './record-index.ts'
import type { SubmissionHeads } from './submission-heads.ts'
import type { LaneName, UploadRecord } from './upload-record.ts'
import type { UploadRecords } from './upload-records.ts'
import type { UploadSession } from './upload-session.ts'
import type { UploadSessionStore } from './upload-session-store.ts'

/** What a worker is doing with an upload just now; forgotten with Redis, made anew by the next step. */
export type JobProgress = {
  step: LaneName
  percent: number | null
  etaSeconds: number | null
  queuePosition: number | null
}

export type UploadView = {
  id: string
  record: UploadRecord | undefined
  /** Present while the upload is unfinished. */
  hot: UploadSession | undefined
  progress: JobProgress | null
}

const PROGRESS_TTL_SECONDS = 600

export class UploadViews {
  readonly #redis: RedisConnection
  readonly #records: UploadRecords
  readonly #heads: SubmissionHeads
  readonly #index: RecordIndex
  readonly #hot: UploadSessionStore

  constructor(deps: {
    redis: RedisConnection
    records: UploadRecords
    heads: SubmissionHeads
    index: RecordIndex
    hot: UploadSessionStore
  }) {
    this.#redis = deps.redis
    this.#records = deps.records
    this.#heads = deps.heads
    this.#index = deps.index
    this.#hot = deps.hot
  }

  /** One upload, or undefined where neither Redis nor the store knows the id. */
  async one(id: string): Promise<UploadView | undefined> {
    const [view] = await this.#views([id])
    return view
  }

  /** All uploads of a submission, oldest first, those without a stored byte too. */
  async ofSubmission(owner: string, submissionId: string): Promise<UploadView[]> {
    return await this.#views(await this.#heads.uploadIds(owner, submissionId))
  }

  async #views(ids: string[]): Promise<UploadView[]> {
    const [cached, hots, progress] = await Promise.all([
      this.#index.cachedMany<UploadRecord>(ids.map(redisKeys.record)),
      this.#hot.readMany(ids),
      this.#progressOf(ids),
    ])
    const views: UploadView[] = []
    for (const [i, id] of ids.entries()) {
      const hot = hots[i]
      // Redis that is trusted and says "no version yet" spares the store a question.
      const unrecorded = hot?.trusted === true && hot.version === 0 && hot.status !== 'stored'
      const record = cached[i] ?? (unrecorded ? undefined : await this.#records.latest(id))
      if (record === undefined && hot === undefined) continue
      views.push({
        id,
        record,
        hot: hot !== undefined && (record === undefined || record.state === 'receiving') ? hot : undefined,
        progress: progress[i] ?? null,
      })
    }
    return views
  }

  async setProgress(id: string, progress: JobProgress): Promise<void> {
    await viaRedis(this.#redis.set(redisKeys.progress(id), JSON.stringify(progress), 'EX', PROGRESS_TTL_SECONDS))
  }

  async clearProgress(id: string): Promise<void> {
    await viaRedis(this.#redis.del(redisKeys.progress(id)))
  }

  async #progressOf(ids: string[]): Promise<(JobProgress | null)[]> {
    if (ids.length === 0) return []
    const values = await viaRedis(this.#redis.mget(ids.map(redisKeys.progress)))
    return values.map((json) => (json === null ? null : (JSON.parse(json) as JobProgress)))
  }
}
