// Rebuilds Redis from the object store, after it was wiped or is an older copy.
// One process at a time does it, beside running services and workers, whose changes are kept.

import type { Clock } from '../core/clock.ts'
import { AppError, hasCode } from '../core/errors.ts'
import { runEvery } from '../core/every.ts'
import { inParallel } from '../core/in-parallel.ts'
import type { Logger } from '../core/logger.ts'
import { retry } from '../core/retry.ts'
import { type EventEnvelope, submissionEvent, uploadEvent } from '../records/event-body.ts'
import type { Rebuilding } from '../records/index-completeness.ts'
import type { RecordIndex } from '../records/record-index.ts'
import type { SubmissionHead } from '../records/submission-head.ts'
import type { SubmissionHeads } from '../records/submission-heads.ts'
import type { UploadRecord } from '../records/upload-record.ts'
import type { UploadRecords } from '../records/upload-records.ts'
import type { ObjectStore } from '../storage/object-store.ts'
import { IndexWalk, type Removable, type Walked } from './index-walk.ts'
import type { Reconciler } from './reconcile.ts'

/** Counts of a rebuild. */
export type Rebuilt = {
  submissions: number
  uploads: number
  /** Restored events of the last days. */
  events: number
  /** Re-queued: due lanes, and webhooks without a delivery note. */
  jobs: number
  ms: number
}

/** Restores event streams; see src/events/restore.ts. */
export type EventStreams = {
  submission(owner: string, id: string, events: readonly EventEnvelope[]): Promise<number>
  portal(owner: string): Promise<unknown>
  readonly owners: ReadonlySet<string>
  tellReaders(): Promise<void>
}

export type RebuilderDeps = {
  store: ObjectStore
  index: RecordIndex
  uploads: UploadRecords
  heads: SubmissionHeads
  reconciler: Reconciler
  clock: Clock
  logger: Logger
  /** `token`: identifies this rebuild. */
  openStreams(token: string): EventStreams
  /** Re-queues the lost webhooks of a portal. @returns how many */
  requeueWebhooks(owner: string): Promise<number>
}

/** The dependencies of `rebuild`; see createDeps. */
export type RebuildDeps = { rebuilder: Pick<Rebuilder, 'run'> }

/**
 * Rebuilds Redis from the store. Safe at any time, beside running services and workers, and repeatedly; existing
 * data is kept. Waits for a rebuild of another process. Throws REDIS_UNAVAILABLE, STORE_UNAVAILABLE, and
 * INDEX_REBUILDING if that does not end.
 *
 * @param deps as createDeps makes them
 */
export async function rebuild({ rebuilder }: RebuildDeps): Promise<Rebuilt> {
  return await rebuilder.run()
}

/** A little less than the seven days of the log, so that trimmed events are not restored. */
const EVENTS_MS = 7 * 86_400_000 - 60_000
/** How long after a change its event may be published. */
const NEWS_MS = 86_400_000
const PARALLEL = 32
const KEEP_EVERY_MS = 5000
const WHILE_ANOTHER_REBUILDS = {
  holdMs: 60_000,
  firstPauseMs: 200,
  longestPauseMs: 200,
  isPassing: (error: unknown) => hasCode(error, 'INDEX_REBUILDING'),
}
/** Interval of the check whether Redis has lost its data. */
const LOOK_FOR_LOSS_MS = 1000

/** `recent`: submissions with events that are still in the log. */
type Found = Walked & Pick<Rebuilt, 'events' | 'jobs'>

export class Rebuilder {
  readonly #deps: RebuilderDeps

  constructor(deps: RebuilderDeps) {
    this.#deps = deps
  }

  /** Rebuilds if the index is incomplete and no other process does; undefined: nothing to do. */
  async heal(): Promise<Rebuilt | undefined> {
    const { completeness } = this.#deps.index
    if (await completeness.isComplete()) {
      // Left by a process that died before re-queueing.
      await this.#requeue()
      return undefined
    }
    const mine = await completeness.begin()
    return mine === undefined ? undefined : await this.#rebuild(mine)
  }

  /** Rebuilds in any case. */
  async run(): Promise<Rebuilt> {
    const mine = await retry(async () => {
      const begun = await this.#deps.index.completeness.begin()
      if (begun === undefined) throw new AppError('INDEX_REBUILDING', { retryAfterSeconds: 30 })
      return begun
    }, WHILE_ANOTHER_REBUILDS)
    return await this.#rebuild(mine)
  }

  /**
   * Renews the checkpoint, so that the next rebuild reads less. Nothing in Redis is changed. Ends early where Redis is lost.
   *
   * @returns the submissions of which retention may have to remove something; undefined: another process rebuilds or does the same, or a
   * rebuild has to be done first
   */
  async writeCheckpoint(): Promise<Removable[] | undefined> {
    const mine = await this.#deps.index.completeness.begin()
    if (mine === undefined) return undefined
    return await this.#whileMine(mine, async () => {
      const startedMs = performance.now()
      const walked = await this.#walk(mine, false).catch((error: unknown) => {
        if (hasCode(error, 'INDEX_REBUILDING')) return undefined
        throw error
      })
      if (walked === undefined) return undefined
      const { submissions, uploads, removable } = walked
      const ms = Math.round(performance.now() - startedMs)
      this.#deps.logger.info({ submissions, uploads, ms }, 'the checkpoint of the index was renewed')
      return removable
    })
  }

  async #rebuild(mine: Rebuilding): Promise<Rebuilt> {
    const { index, logger, openStreams } = this.#deps
    return await this.#whileMine(mine, async () => {
      const startedMs = performance.now()
      const found: Found = { ...(await this.#walk(mine, true)), events: 0, jobs: 0 }
      const lists = await index.completeness.mark(mine, 'lists')
      const dates = await index.completeness.mark(mine, 'dates')
      const streams = openStreams(mine.token)
      await this.#events(streams, found)
      const events = await index.completeness.mark(mine, 'events')
      if (!lists || !dates || !events) logger.warn('Redis was lost again during the rebuild; starting over')
      await streams.tellReaders()
      await this.#resume(found)
      found.jobs += await this.#requeue()
      const { submissions, uploads, events: told, jobs } = found
      const ms = Math.round(performance.now() - startedMs)
      const rebuilt = { submissions, uploads, events: told, jobs, ms }
      logger.info(rebuilt, 'Redis was rebuilt from the store')
      return rebuilt
    })
  }

  async #walk(mine: Rebuilding, restores: boolean): Promise<Walked> {
    const { clock, index } = this.#deps
    const walk = new IndexWalk(this.#deps, {
      restores,
      recentSinceMs: clock.now() - EVENTS_MS - NEWS_MS,
      mayWrite: async () =>
        (await index.completeness.keep(mine)) && (restores || (await index.completeness.isComplete())),
    })
    return await walk.run()
  }

  async #whileMine<T>(mine: Rebuilding, work: () => Promise<T>): Promise<T> {
    const { index, logger } = this.#deps
    const keeping = setInterval(() => {
      index.completeness.keep(mine).catch((err: unknown) => logger.warn({ err }, 'rebuild lease not renewed'))
    }, KEEP_EVERY_MS)
    try {
      return await work()
    } finally {
      clearInterval(keeping)
      await index.completeness.end(mine).catch((err: unknown) => {
        logger.warn({ err }, 'the rebuild lease could not be released; another process must wait for its expiry')
      })
    }
  }

  /** Restores the event logs of submissions and portals. */
  async #events(streams: EventStreams, found: Found): Promise<void> {
    const { heads, uploads, index } = this.#deps
    await inParallel(PARALLEL, found.recent, async ({ owner, id }) => {
      const head = await heads.latest(owner, id)
      const records = await heads.uploadsOf(owner, id)
      found.events += await streams.submission(owner, id, await this.#eventsOf(owner, id, head, records))
      if (head !== undefined) await heads.markAnnounced(head)
      for (const record of records) await uploads.markAnnounced(record)
      await heads.news.markAnnounced(owner, id)
    })
    for (const owner of streams.owners) {
      // Before the swap: afterwards nobody else would queue these events.
      await index.requeueing.note(owner)
      await streams.portal(owner)
    }
  }

  /** Events of the last days, in commit order. */
  async #eventsOf(
    owner: string,
    id: string,
    head: SubmissionHead | undefined,
    uploads: readonly UploadRecord[],
  ): Promise<EventEnvelope[]> {
    const sinceMs = this.#deps.clock.now() - EVENTS_MS
    const recent = ({ committedAt }: { committedAt: string }) => Date.parse(committedAt) >= sinceMs
    const events: (EventEnvelope | null)[] = []
    if (head !== undefined && recent(head))
      events.push(...(await this.#deps.heads.history(owner, id, sinceMs)).map(submissionEvent))
    for (const record of uploads.filter(recent))
      events.push(...(await this.#deps.uploads.history(record.id, sinceMs)).map(uploadEvent))
    for (const { envelope } of await this.#deps.heads.news.history(owner, id, sinceMs)) events.push(envelope)
    return events
      .filter((event) => event !== null)
      .toSorted(
        (a, b) =>
          Date.parse(a.body.timestamp) - Date.parse(b.body.timestamp) || a.body.data.sequence - b.body.data.sequence,
      )
  }

  /** Resumes the work that was lost with the queue or the sessions. */
  async #resume(found: Found): Promise<void> {
    const { reconciler, logger } = this.#deps
    await inParallel(PARALLEL, found.unsettled, async (record) => {
      try {
        found.jobs += await reconciler.resume(record)
      } catch (err) {
        logger.warn({ err, uploadId: record.id }, 'an upload could not be resumed; retrying in a minute')
      }
    })
  }

  /** Re-queues lost webhooks. @returns how many */
  async #requeue(): Promise<number> {
    const { index, requeueWebhooks } = this.#deps
    let queued = 0
    for (const owner of await index.requeueing.portals()) {
      queued += await requeueWebhooks(owner)
      await index.requeueing.done(owner)
    }
    return queued
  }
}

/** Checks every second whether Redis has lost its data, and rebuilds it. @returns a function that stops it */
export function startRebuildMonitor(rebuilder: Pick<Rebuilder, 'heal'>, logger: Logger): () => void {
  return runEvery(
    LOOK_FOR_LOSS_MS,
    () => rebuilder.heal(),
    (err) => logger.warn({ err }, 'rebuilding Redis failed; retrying'),
  )
}
