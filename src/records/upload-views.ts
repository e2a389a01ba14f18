// An upload for readers: its record, or its session while it has no record, and its progress.

import { LruCache } from '../core/lru.ts'
import { askAll } from '../core/lua-commands.ts'
import { type RedisConnection, viaRedis } from '../core/redis.ts'
import type { RecordIndex } from './record-index.ts'
import type { SubmissionHeads } from './submission-heads.ts'
import { isEnded, type LaneName, type UploadRecord } from './upload-record.ts'
import type { UploadRecords } from './upload-records.ts'
import type { UploadSession } from './upload-session.ts'
import type { UploadSessionStore } from './upload-session-store.ts'

/** The current work of a worker on an upload; lost with Redis, written again with the next step. */
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

/** How long an ended upload that another process has erased may still be shown as it was. */
const ENDED_FOR_MS = 5000
const PROGRESS_TTL_SECONDS = 600
/**
 * Uploads that are read at once. Submissions with more are read in pieces and one after the other: whoever reads the
 * largest ones without end must not keep the event loop from the others.
 */
const PIECE = 100
/** Uploads whose slot a process remembers. */
const SLOTS = 50_000

export class UploadViews {
  readonly #redis: RedisConnection
  readonly #records: UploadRecords
  readonly #heads: SubmissionHeads
  readonly #index: RecordIndex
  readonly #hot: UploadSessionStore
  /** By id; an upload never changes its slot. */
  readonly #slots = new LruCache<string, string>(SLOTS)
  /** Ends when the large reads that were asked for have ended. */
  #largeTurn: Promise<unknown> = Promise.resolve()

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

  /** One upload, or undefined if it is neither in Redis nor in the store. */
  async one(id: string): Promise<UploadView | undefined> {
    const [view] = await this.#views([id])
    return view
  }

  /** All uploads of a submission, oldest first, also those without stored bytes. */
  async ofSubmission(owner: string, submissionId: string): Promise<UploadView[]> {
    return await this.#views(await this.#heads.uploadIds(owner, submissionId))
  }

  /**
   * Uploads of one slot, oldest first, without reading those of other slots every time.
   *
   * @returns also how many uploads the whole submission has ever had
   */
  async ofSlot(owner: string, submissionId: string, slot: string): Promise<{ views: UploadView[]; all: number }> {
    const ids = await this.#heads.uploadIds(owner, submissionId)
    const views = await this.#views(ids.filter((id) => (this.#slots.get(id) ?? slot) === slot))
    for (const view of views) this.#slots.set(view.id, slotOf(view))
    return { views: views.filter((view) => slotOf(view) === slot), all: ids.length }
  }

  /**
   * What ended before it was stored is not read every time: it is erased at most. One that was stored may be put
   * back by a seal. What is stored whole has no session to ask for.
   */
  async #views(ids: string[]): Promise<UploadView[]> {
    if (ids.length <= PIECE) return await this.#read(ids)
    const mine = this.#largeTurn.then(async () => {
      const views: UploadView[] = []
      for (let at = 0; at < ids.length; at += PIECE) views.push(...(await this.#read(ids.slice(at, at + PIECE))))
      return views
    })
    // Its error is thrown to whoever asked, below; the next in the row only waits.
    this.#largeTurn = mine.catch(() => undefined)
    return await mine
  }

  async #read(ids: string[]): Promise<UploadView[]> {
    const keyed = ids.map((id) => [id, this.#index.keys.record(id)] as const)
    const before = new Map(keyed.map(([id, key]) => [id, this.#index.parsed<UploadRecord>(key)]))
    const over = new Map(
      keyed.flatMap(([id, key]) => {
        const record = this.#index.parsed<UploadRecord>(key, ENDED_FOR_MS)
        return record !== undefined && isEnded(record.state) && record.storedAt === null ? [[id, record]] : []
      }),
    )
    const isOpen = (id: string) => (before.get(id)?.state ?? 'receiving') === 'receiving'
    const living = await this.#ask(
      ids.filter((id) => !over.has(id)),
      isOpen,
    )
    const found = new Map(living.map((view) => [view.id, view]))
    return ids.flatMap((id) => {
      const record = over.get(id)
      const view = record === undefined ? found.get(id) : { id, record, hot: undefined, progress: null }
      return view === undefined ? [] : [view]
    })
  }

  async #ask(ids: string[], isOpen: (id: string) => boolean): Promise<UploadView[]> {
    const open = ids.filter(isOpen)
    const [cached, sessions, progress] = await Promise.all([
      this.#index.cachedMany<UploadRecord>(ids.map(this.#index.keys.record)),
      this.#hot.readMany(open),
      this.#progressOf(ids),
    ])
    const sessionOf = new Map(open.map((id, i) => [id, sessions[i]]))
    const views: UploadView[] = []
    for (const [i, id] of ids.entries()) {
      const hot = sessionOf.get(id)
      // A trusted session without a version: no need to read the store.
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
    await viaRedis(this.#redis.set(this.#index.keys.progress(id), JSON.stringify(progress), 'EX', PROGRESS_TTL_SECONDS))
  }

  async clearProgress(id: string): Promise<void> {
    await viaRedis(this.#redis.del(this.#index.keys.progress(id)))
  }

  async #progressOf(ids: string[]): Promise<(JobProgress | null)[]> {
    const values = (await askAll(
      this.#redis,
      ids.map((id) => (to) => to.get(this.#index.keys.progress(id))),
    )) as (string | null)[]
    return values.map((json) => (json === null ? null : (JSON.parse(json) as JobProgress)))
  }
}

function slotOf({ record, hot }: UploadView): string {
  return (record ?? hot?.draft)?.slot ?? ''
}
