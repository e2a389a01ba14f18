// Progress of running uploads for pages: received bytes and the work of a worker. It is not
// published; one poller per process reads it from Redis once a second, only for uploads with listeners.

import type { Logger } from '../core/logger.ts'
import { askAll } from '../core/lua-commands.ts'
import type { RedisConnection } from '../core/redis.ts'
import { redisKeysOf } from '../records/keys.ts'
import type { RecordIndex } from '../records/record-index.ts'
import type { UploadSession } from '../records/upload-session.ts'
import type { UploadSessionStore } from '../records/upload-session-store.ts'
import type { JobProgress } from '../records/upload-views.ts'

/** Data of a `progress` event. Unknown fields are left out. */
export type UploadProgress = {
  uploadId: string
  /** Length of the durable prefix. */
  receivedBytes?: number
  /** null while the length is deferred. */
  bytes?: number | null
  progress: JobProgress | null
}

/** What to watch: all uploads of a submission, or one upload (which need not belong to any). */
export type ProgressTarget =
  | { owner: string; submissionId: string; uploadId?: undefined }
  | { uploadId: string; submissionId?: undefined }

type Watched = {
  target: ProgressTarget
  listener: (progress: UploadProgress) => void
  /** Ids with progress at the last full reading. */
  active: string[]
  refreshAtMs: number
  last: Map<string, string>
}

const TICK_MS = 1000
/** Interval of full readings, which include idle ids. */
const REFRESH_MS = 5000
const AFTER_TROUBLE_MS = 5000
/** Ids per command, so that many readers do not block Redis. */
const CHUNK = 500

export class ProgressWatch {
  readonly #redis: RedisConnection
  readonly #hot: UploadSessionStore
  readonly #index: RecordIndex
  readonly #logger: Logger
  readonly #watched = new Set<Watched>()
  #timer: NodeJS.Timeout | undefined

  constructor(deps: { redis: RedisConnection; hot: UploadSessionStore; index: RecordIndex; logger: Logger }) {
    this.#redis = deps.redis
    this.#hot = deps.hot
    this.#index = deps.index
    this.#logger = deps.logger
  }

  /** Calls `listener` with changes until stopped. `refresh` causes a full reading at the next tick. */
  watch(target: ProgressTarget, listener: (progress: UploadProgress) => void): { refresh(): void; stop(): void } {
    const watched: Watched = { target, listener, active: [], refreshAtMs: 0, last: new Map() }
    this.#watched.add(watched)
    this.#timer ??= setTimeout(() => void this.#tick(), TICK_MS).unref()
    return {
      refresh: () => {
        watched.refreshAtMs = 0
      },
      stop: () => void this.#watched.delete(watched),
    }
  }

  async #tick(): Promise<void> {
    let pauseMs = TICK_MS
    try {
      await this.#look(performance.now())
    } catch (err) {
      this.#logger.warn({ err }, 'progress could not be read')
      pauseMs = AFTER_TROUBLE_MS
    }
    this.#timer = this.#watched.size === 0 ? undefined : setTimeout(() => void this.#tick(), pauseMs).unref()
  }

  async #look(nowMs: number): Promise<void> {
    const round = [...this.#watched]
    const ids = await Promise.all(round.map((watched) => this.#idsOf(watched, nowMs)))
    const found = await this.#read([...new Set(ids.flat())])
    for (const [i, watched] of round.entries()) {
      const active: string[] = []
      for (const id of ids[i] ?? []) {
        const progress = found.get(id)
        if (progress === undefined) continue
        active.push(id)
        const text = JSON.stringify(progress)
        if (watched.last.get(id) === text) continue
        watched.last.set(id, text)
        if (this.#watched.has(watched)) watched.listener(progress)
      }
      watched.active = active
    }
  }

  async #idsOf(watched: Watched, nowMs: number): Promise<string[]> {
    if (watched.refreshAtMs > nowMs) return watched.active
    watched.refreshAtMs = nowMs + REFRESH_MS
    const { target } = watched
    return target.uploadId !== undefined
      ? [target.uploadId]
      : await this.#index.uploadIds(target.owner, target.submissionId)
  }

  async #read(ids: string[]): Promise<Map<string, UploadProgress>> {
    const found = new Map<string, UploadProgress>()
    for (let i = 0; i < ids.length; i += CHUNK) {
      const chunk = ids.slice(i, i + CHUNK)
      const [hots, works] = await Promise.all([
        this.#hot.readMany(chunk),
        askAll(
          this.#redis,
          chunk.map((id) => (to) => to.get(redisKeysOf(this.#redis).progress(id))),
        ) as Promise<(string | null)[]>,
      ])
      for (const [j, id] of chunk.entries()) {
        const progress = describe(id, hots[j], works[j] ?? null)
        if (progress !== undefined) found.set(id, progress)
      }
    }
    return found
  }
}

function describe(id: string, hot: UploadSession | undefined, work: string | null): UploadProgress | undefined {
  // An offset of another Redis run may be wrong: it is not shown until it is verified.
  const believed = hot?.trusted === true ? hot : undefined
  const receiving = believed?.status === 'receiving' || believed?.status === 'finishing'
  if (!receiving && work === null) return undefined
  return {
    uploadId: id,
    ...(believed === undefined ? {} : { receivedBytes: believed.offset, bytes: believed.size }),
    progress: work === null ? null : (JSON.parse(work) as JobProgress),
  }
}
