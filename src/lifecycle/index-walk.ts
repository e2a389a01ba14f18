// Goes through the whole store, shard by shard, to put the lists in Redis back and to renew the checkpoint. Of a shard that has not
// changed since its checkpoint nothing is read. Of a quiet one that has, the newest records are read, and only its submissions' entries
// in the lists are put back: the rest is read from the store when somebody asks for it. What has work due is restored whole.

import type { Clock } from '../core/clock.ts'
import { AppError } from '../core/errors.ts'
import { inParallel } from '../core/in-parallel.ts'
import type { Logger } from '../core/logger.ts'
import { Pacer } from '../core/pacer.ts'
import { firstStepMs } from '../records/deadline-steps.ts'
import { restoreListEntries } from '../records/list-entries.ts'
import type { RecordIndex } from '../records/record-index.ts'
import { keptUntilMs, type SubmissionHead } from '../records/submission-head.ts'
import { isErasureDue, type SubmissionHeads } from '../records/submission-heads.ts'
import { isYoungTombstone } from '../records/tombstones.ts'
import type { UploadRecord } from '../records/upload-record.ts'
import { isSettled, type UploadRecords } from '../records/upload-records.ts'
import type { ObjectStore } from '../storage/object-store.ts'
import { Checkpoint, digestOf, type QuietShard, type QuietSubmission } from './checkpoint.ts'
import { removableSinceMs } from './removable-media.ts'
import { byPart, type ListedPart, type ListedShard, listSubmissionHeads, type Name, shardRanges } from './shards.ts'

/** Of S3's 5,500 GET and HEAD a second for each prefix, beside running services. Listings: sixteen at a time, a page after the other. */
const READS_PER_SECOND = 2000
/** Shards of each of the sixteen ranges that are read at the same time. */
const PARALLEL = 8
/** Any part: submissions are in the parts by a hash, so each is a sample of all. */
const SAMPLE_PART = '80'
/** Work after a commit is done by then, or has been found by the reconciler. */
const QUIET_AFTER_MS = 3_600_000

export type WalkDeps = {
  store: ObjectStore
  index: RecordIndex
  uploads: UploadRecords
  heads: SubmissionHeads
  clock: Clock
  logger: Logger
}

/** `sinceMs`: no period of retention began earlier, Unix milliseconds; 0: look at it now. */
export type Removable = Name & { sinceMs: number }
export type Walked = {
  submissions: number
  uploads: number
  unsettled: UploadRecord[]
  /** Submissions that changed since `recentSinceMs`. */
  recent: Name[]
  /** Submissions on which retention may have something to do; those in which something is going on too. */
  removable: Removable[]
}

export type WalkOptions = {
  /** False: Redis is left as it is. */
  restores: boolean
  recentSinceMs: number
  /** Whether the checkpoint is still this process's to write. Where nothing is restored the walk ends when it is not. */
  mayWrite(): Promise<boolean>
}

export class IndexWalk {
  readonly #deps: WalkDeps
  readonly #options: WalkOptions
  readonly #checkpoint: Checkpoint
  readonly #pacer = new Pacer(READS_PER_SECOND)
  readonly #walked: Walked = { submissions: 0, uploads: 0, unsettled: [], recent: [], removable: [] }
  #failed = false

  constructor(deps: WalkDeps, options: WalkOptions) {
    this.#deps = deps
    this.#options = options
    this.#checkpoint = new Checkpoint(deps.store, deps.logger)
  }

  /** Throws STORE_UNAVAILABLE, REDIS_UNAVAILABLE, and INDEX_REBUILDING if it ended early. */
  async run(): Promise<Walked> {
    const { store } = this.#deps
    const sample = [...(await this.#checkpoint.read(SAMPLE_PART)).values()].flatMap(({ entries }) => entries)
    const ranges = shardRanges(store, await listSubmissionHeads(store, sample))
    await inParallel(ranges.length, ranges, async (range) => {
      try {
        for await (const part of byPart(range)) {
          if (this.#failed) return
          await this.#part(part)
        }
      } catch (error) {
        this.#failed = true
        throw error
      }
    })
    return this.#walked
  }

  async #part({ part, shards }: ListedPart): Promise<void> {
    const { restores, mayWrite } = this.#options
    // Whoever rebuilds is not to wait for it.
    if (!restores && !(await mayWrite())) throw new AppError('INDEX_REBUILDING', { retryAfterSeconds: 30 })
    await this.#pacer.turn()
    const known = await this.#checkpoint.read(part)
    const quiet = new Map<string, QuietShard>()
    await inParallel(PARALLEL, shards, async (listed) => {
      const digest = digestOf(listed)
      const before = known.get(listed.shard)
      const now = before?.digest === digest ? before : await this.#read(listed, digest)
      if (now !== undefined) quiet.set(listed.shard, now)
      this.#walked.submissions += listed.submissions.length
      this.#walked.uploads += listed.uploads.length
    })
    const entries = [...quiet.values()].flatMap((shard) => shard.entries)
    this.#note(entries)
    if (restores) await restoreListEntries(this.#deps.index, entries)
    if (isOther(known, quiet) && (await mayWrite())) await this.#checkpoint.write(part, quiet)
  }

  /** Undefined: there is work due in it. */
  async #read(listed: ListedShard, digest: string): Promise<QuietShard | undefined> {
    const { heads, uploads } = this.#deps
    await this.#pacer.turn(listed.submissions.length + listed.uploads.length)
    const records = await Promise.all(listed.uploads.map(({ newest }) => uploads.at(newest.key)))
    const present = records.filter((record) => record !== undefined)
    const entries = await Promise.all(
      listed.submissions.map(async ({ owner, id, newest }) => {
        const head = await heads.at(newest.key)
        const own = present.filter((record) => record.owner === owner && record.submissionId === id)
        // Removed since it was listed: it changes just now.
        if (head === undefined || present.length < records.length || !this.#isQuiet(head, own))
          return await this.#restore({ owner, id }, head, own)
        const changedAtMs = Math.max(...[head, ...own].map(({ committedAt }) => Date.parse(committedAt)))
        const isListed = head.state !== 'deleted'
        const lookAtMs = firstStepMs(head, this.#deps.clock.now())
        return {
          owner,
          id,
          changedAtMs,
          isListed,
          lookAtMs,
          removableSinceMs: isListed ? removableSinceMs(own) : null,
          keptUntilMs: keptUntilMs(head),
        }
      }),
    )
    const strays = present.filter(
      (record) => !listed.submissions.some(({ owner, id }) => record.owner === owner && record.submissionId === id),
    )
    const moving = strays.filter((record) => !this.#isQuietUpload(record))
    if (this.#options.restores) await inParallel(PARALLEL, moving, (record) => this.#restoreStray(record))
    const quiet = entries.filter((entry) => entry !== undefined)
    if (quiet.length === entries.length && moving.length === 0 && present.length === records.length)
      return { digest, entries: quiet }
    if (this.#options.restores) await restoreListEntries(this.#deps.index, quiet)
    this.#note(quiet)
    return undefined
  }

  #note(entries: readonly QuietSubmission[]): void {
    const nowMs = this.#deps.clock.now()
    for (const entry of entries) {
      const { owner, id, changedAtMs } = entry
      if (changedAtMs >= this.#options.recentSinceMs) this.#walked.recent.push({ owner, id })
      const sinceMs = entry.keptUntilMs !== null && entry.keptUntilMs <= nowMs ? 0 : entry.removableSinceMs
      if (sinceMs !== null) this.#walked.removable.push({ owner, id, sinceMs })
    }
  }

  #isQuiet(head: SubmissionHead, records: readonly UploadRecord[]): boolean {
    const nowMs = this.#deps.clock.now()
    if (head.sealRequestedAt != null || isErasureDue(head, nowMs)) return false
    if (Date.parse(head.committedAt) > nowMs - QUIET_AFTER_MS) return false
    return records.every((record) => this.#isQuietUpload(record))
  }

  #isQuietUpload(record: UploadRecord): boolean {
    const nowMs = this.#deps.clock.now()
    if (!isSettled(record) || isYoungTombstone(record, nowMs)) return false
    return Date.parse(record.committedAt) <= nowMs - QUIET_AFTER_MS
  }

  /** Restores all that Redis has of a submission in which something is going on. */
  async #restore(name: Name, listedHead: SubmissionHead | undefined, listed: UploadRecord[]): Promise<undefined> {
    const { recentSinceMs, restores } = this.#options
    this.#walked.removable.push({ ...name, sinceMs: 0 })
    let records = listedHead === undefined ? listed : [listedHead, ...listed]
    if (restores) {
      // Three listings and the news, beside the records.
      await this.#pacer.turn(4 + records.length)
      const { head, uploads } = await this.#deps.heads.rebuild(name.owner, name.id)
      for (const record of uploads) if (!isSettled(record)) this.#walked.unsettled.push(record)
      records = head === undefined ? uploads : [head, ...uploads]
    }
    // Events come from changes of these, though not always at the same time.
    if (records.some(({ committedAt }) => Date.parse(committedAt) >= recentSinceMs)) this.#walked.recent.push(name)
  }

  async #restoreStray(record: UploadRecord): Promise<void> {
    await this.#deps.uploads.restore(record)
    if (!isSettled(record)) this.#walked.unsettled.push(record)
  }
}

function isOther(known: ReadonlyMap<string, QuietShard>, quiet: ReadonlyMap<string, QuietShard>): boolean {
  return known.size !== quiet.size || [...quiet].some(([shard, { digest }]) => known.get(shard)?.digest !== digest)
}
