// Everything in Redis that matters, made again from the object store: after it was wiped, or came back older than it was.
// One process does so at a time, beside services and workers that go on; what they do meanwhile stays.

import { setTimeout } from 'node:timers/promises'
import type { Clock } from '../core/clock.ts'
import { AppError } from '../core/errors.ts'
import type { Logger } from '../core/logger.ts'
import { type EventEnvelope, submissionEvent, uploadEvent } from '../records/event-body.ts'
import type { Rebuilding } from '../records/index-completeness.ts'
import { objectKeys, submissionOfKey, uploadIdOfKey } from '../records/keys.ts'
import type { RecordIndex } from '../records/record-index.ts'
import type { SubmissionHead } from '../records/submission-head.ts'
import type { SubmissionHeads } from '../records/submission-heads.ts'
import type { UploadRecord } from '../records/upload-record.ts'
import { isSettled, type UploadRecords } from '../records/upload-records.ts'
import type { ObjectStore } from '../storage/object-store.ts'
import { inParallel } from './in-parallel.ts'
import type { Reconciler } from './reconcile.ts'

/** What was found in the store and put back. */
export type Rebuilt = {
  submissions: number
  uploads: number
  /** Events of the last days, in the log again. */
  events: number
  /** Queued again: lanes that are due, and webhooks that nobody has noted as delivered. */
  jobs: number
  ms: number
}

/** Where events go back to; see src/events/restore.ts. */
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
  /** `token`: of this rebuilding. */
  openStreams(token: string): EventStreams
  /** Queues the webhooks of a portal that were lost with the queue. @returns how many */
  requeueWebhooks(owner: string): Promise<number>
}

/** The part of what a process is made of that rebuilding needs; see createDeps. */
export type RebuildDeps = { rebuilder: Pick<Rebuilder, 'run'> }

/**
 * Rebuilds Redis from the store. Safe at any time, beside running services and workers, and any number of times; what is
 * there already stays as it is. Waits where another process is at it. Throws REDIS_UNAVAILABLE, STORE_UNAVAILABLE, and
 * INDEX_REBUILDING where another does not end.
 *
 * @param deps as createDeps makes them
 */
export async function rebuild({ rebuilder }: RebuildDeps): Promise<Rebuilt> {
  return await rebuilder.run()
}

/** Of the seven days that the log holds; a little less, so that what it has trimmed is not taken for lost. */
const EVENTS_MS = 7 * 86_400_000 - 60_000
/** How long after a change the news of it may come. */
const NEWS_MS = 86_400_000
const PARALLEL = 32
const KEEP_EVERY_MS = 5000
const WAIT_MS = 60_000
const LOOK_EVERY_MS = 200
/** A Redis that lost everything is noticed by asking it: one small question. */
const LOOK_FOR_LOSS_MS = 1000

type Name = { owner: string; id: string }
/** `recent`: submissions in which something happened that the event log still tells. */
type Found = Omit<Rebuilt, 'ms'> & { unsettled: UploadRecord[]; recent: Name[] }

export class Rebuilder {
  readonly #deps: RebuilderDeps

  constructor(deps: RebuilderDeps) {
    this.#deps = deps
  }

  /** Rebuilds where Redis is not whole and nobody else does; undefined: there was nothing to do. */
  async heal(): Promise<Rebuilt | undefined> {
    const { wholeness } = this.#deps.index
    if (await wholeness.isComplete()) {
      // Of a process that died between the two.
      await this.#requeue()
      return undefined
    }
    const mine = await wholeness.begin()
    return mine === undefined ? undefined : await this.#rebuild(mine)
  }

  /** Rebuilds in any case. */
  async run(): Promise<Rebuilt> {
    for (const deadlineMs = performance.now() + WAIT_MS; performance.now() < deadlineMs; ) {
      const mine = await this.#deps.index.wholeness.begin()
      if (mine !== undefined) return await this.#rebuild(mine)
      await setTimeout(LOOK_EVERY_MS)
    }
    throw new AppError('INDEX_REBUILDING', { retryAfterSeconds: 30 })
  }

  async #rebuild(mine: Rebuilding): Promise<Rebuilt> {
    const { index, logger, openStreams } = this.#deps
    const startedMs = performance.now()
    const keeping = setInterval(() => {
      index.wholeness.keep(mine).catch((err: unknown) => logger.warn({ err }, 'rebuild lease not renewed'))
    }, KEEP_EVERY_MS)
    try {
      const found: Found = { submissions: 0, uploads: 0, events: 0, jobs: 0, unsettled: [], recent: [] }
      await this.#strays(await this.#submissions(found), found)
      const lists = await index.wholeness.mark(mine, 'lists')
      const streams = openStreams(mine.token)
      await this.#events(streams, found)
      const events = await index.wholeness.mark(mine, 'events')
      if (!lists || !events) logger.warn('Redis was lost again while it was rebuilt: it is begun anew')
      await streams.tellReaders()
      await this.#resume(found)
      found.jobs += await this.#requeue()
      const { submissions, uploads, events: told, jobs } = found
      const rebuilt = {
        submissions,
        uploads,
        events: told,
        jobs,
        ms: Math.round(performance.now() - startedMs),
      }
      logger.info(rebuilt, 'Redis was rebuilt from the store')
      return rebuilt
    } finally {
      clearInterval(keeping)
      await index.wholeness.end(mine).catch((err: unknown) => {
        logger.warn({ err }, 'another may begin to rebuild only after a while')
      })
    }
  }

  /** Heads, uploads and numbers of all submissions. @returns ids of their uploads */
  async #submissions(found: Found): Promise<Set<string>> {
    const { heads, clock } = this.#deps
    const sinceMs = clock.now() - EVENTS_MS
    const seen = new Set<string>()
    await inParallel(PARALLEL, this.#submissionNames(), async (name) => {
      const { head, uploads } = await heads.rebuild(name.owner, name.id)
      found.submissions++
      found.uploads += uploads.length
      for (const record of uploads) {
        seen.add(record.id)
        if (!isSettled(record)) found.unsettled.push(record)
      }
      // News comes of a change of one of these, if not always in the same moment.
      const records = head === undefined ? uploads : [head, ...uploads]
      if (records.some(({ committedAt }) => Date.parse(committedAt) >= sinceMs - NEWS_MS)) found.recent.push(name)
    })
    return seen
  }

  /** The event log of the last days, of submissions and of portals. */
  async #events(streams: EventStreams, found: Found): Promise<void> {
    const { heads, uploads, index } = this.#deps
    await inParallel(PARALLEL, found.recent, async ({ owner, id }) => {
      const head = await heads.latest(owner, id)
      const records = await heads.uploadsOf(owner, id)
      found.events += await streams.submission(owner, id, await this.#eventsOf(owner, id, head, records))
      if (head !== undefined) await heads.markAnnounced(head)
      for (const record of records) await uploads.markAnnounced(record)
    })
    for (const owner of streams.owners) {
      // Before its events are in their place: from then on nobody else would queue them.
      await index.noteRequeue(owner)
      await streams.portal(owner)
    }
  }

  async *#submissionNames(): AsyncGenerator<Name> {
    let last = ''
    for await (const { key } of this.#deps.store.list(objectKeys.submissions)) {
      const name = submissionOfKey(key)
      if (name === undefined || `${name.owner}/${name.id}` === last) continue
      last = `${name.owner}/${name.id}`
      yield name
    }
  }

  /** Events of the last days, in the order of their commits. */
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

  /** Uploads that belong to no submission. */
  async #strays(seen: ReadonlySet<string>, found: Found): Promise<void> {
    const { uploads } = this.#deps
    await inParallel(PARALLEL, this.#uploadIds(seen), async (id) => {
      const record = await uploads.fromStore(id)
      if (record === undefined) return
      await uploads.restore(record)
      found.uploads++
      if (!isSettled(record)) found.unsettled.push(record)
    })
  }

  async *#uploadIds(seen: ReadonlySet<string>): AsyncGenerator<string> {
    let last: string | undefined
    for await (const { key } of this.#deps.store.list(objectKeys.uploads)) {
      const id = uploadIdOfKey(key)
      if (id === undefined || id === last || seen.has(id)) continue
      last = id
      yield id
    }
  }

  /** What was being done, and was lost with the queue or the hot state: received, judged, transcoded. */
  async #resume(found: Found): Promise<void> {
    const { reconciler, logger } = this.#deps
    await inParallel(PARALLEL, found.unsettled, async (record) => {
      try {
        found.jobs += await reconciler.resume(record)
      } catch (err) {
        logger.warn({ err, uploadId: record.id }, 'an upload could not be taken up again; it is tried in a minute')
      }
    })
  }

  /** Webhooks that were lost with the queue. @returns how many were queued */
  async #requeue(): Promise<number> {
    const { index, requeueWebhooks } = this.#deps
    let queued = 0
    for (const owner of await index.toRequeue()) {
      queued += await requeueWebhooks(owner)
      await index.noteRequeued(owner)
    }
    return queued
  }
}

/** Looks every second whether Redis has lost what the store has, and rebuilds it then. @returns what ends it */
export function startRebuildMonitor(rebuilder: Pick<Rebuilder, 'heal'>, logger: Logger): () => void {
  let running = false
  const heal = async () => {
    if (running) return
    running = true
    await rebuilder.heal().catch((err: unknown) => {
      logger.warn({ err }, 'Redis could not be rebuilt; it is tried again')
    })
    running = false
  }
  void heal()
  const timer = setInterval(() => void heal(), LOOK_FOR_LOSS_MS)
  return () => clearInterval(timer)
}
