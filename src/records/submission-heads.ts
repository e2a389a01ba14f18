// Records of submissions, with their sequence numbers and indexes.

import { type Clock, isoTime } from '../core/clock.ts'
import { AppError } from '../core/errors.ts'
import type { Logger } from '../core/logger.ts'
import type { ObjectStore } from '../storage/object-store.ts'
import { firstStepMs, movesSteps, nextStepMs } from './deadline-steps.ts'
import { submissionEvent } from './event-body.ts'
import { objectKeys } from './keys.ts'
import { isPublishedByAge, publishInOrder } from './publish-in-order.ts'
import type { RecordIndex, SubmissionsDue } from './record-index.ts'
import { SubmissionEventLog } from './submission-event-log.ts'
import type { SubmissionHead } from './submission-head.ts'
import { isYoungTombstone } from './tombstones.ts'
import type { UploadRecord } from './upload-record.ts'
import type { UploadRecords } from './upload-records.ts'
import { type NextVersion, VersionLog } from './version-log.ts'

export type HeadDecision = NextVersion<SubmissionHead> | undefined

/** Sequence numbers that may be in use by running commits. */
const SEQUENCE_ROOM = 256
/** So many of the newest versions are kept whole. */
const WHOLE_VERSIONS = 10
/** Below this, shortening saves nothing: a file takes a block. */
const LARGE_CHARS = 4096
/** How long Redis keeps a head that does not change. */
const HEAD_CACHE_MS = 86_400_000
/** Time for the work after a commit, before the reconciler repeats it. */
const LOOK_AFTER_MS = 60_000

/** A submission as the store has it. */
export type RestoredSubmission = { head: SubmissionHead | undefined; uploads: UploadRecord[] }

export class SubmissionHeads {
  readonly news: SubmissionEventLog
  readonly #index: RecordIndex
  readonly #uploads: UploadRecords
  readonly #clock: Clock
  readonly #logger: Logger
  readonly #log: VersionLog<SubmissionHead>

  constructor(deps: {
    store: ObjectStore
    index: RecordIndex
    uploads: UploadRecords
    clock: Clock
    logger: Logger
  }) {
    this.#index = deps.index
    this.#uploads = deps.uploads
    this.#clock = deps.clock
    this.#logger = deps.logger
    this.#log = new VersionLog(deps.store)
    this.news = new SubmissionEventLog({ ...deps, nextSequence: (owner, id) => this.nextSequence(owner, id) })
  }

  /** Newest version, or undefined if there is no such submission. */
  async latest(owner: string, id: string): Promise<SubmissionHead | undefined> {
    const cached = await this.#index.cached<SubmissionHead>(this.#index.keys.head(owner, id))
    if (cached !== undefined) return cached
    const head = await this.fromStore(owner, id)
    if (head !== undefined) await this.#apply(head)
    return head
  }

  async fromStore(owner: string, id: string): Promise<SubmissionHead | undefined> {
    return await this.#log.latest(objectKeys.submission(owner, id))
  }

  /** The version under a key; undefined: it was removed. */
  async at(key: string): Promise<SubmissionHead | undefined> {
    return await this.#log.at(key)
  }

  /** Like `latest`, but throws for an unknown or deleted submission. */
  async require(owner: string, id: string): Promise<SubmissionHead> {
    const head = await this.latest(owner, id)
    if (head === undefined) throw new AppError('SUBMISSION_UNKNOWN')
    if (head.state === 'deleted') throw new AppError('SUBMISSION_DELETED')
    return head
  }

  /** @param known a version to begin with, which need not be the newest; absent: the one that Redis has */
  async commit(
    owner: string,
    id: string,
    decide: (current: SubmissionHead | undefined) => Promise<HeadDecision> | HeadDecision,
    known?: SubmissionHead,
  ): Promise<{ record: SubmissionHead | undefined; committed: boolean }> {
    const { dueDates } = this.#index
    let moves = false
    let intent: string | undefined
    const outcome = await this.#log.commit(
      objectKeys.submission(owner, id),
      () => isoTime(this.#clock.now()),
      known ?? (await this.latest(owner, id)),
      () => this.fromStore(owner, id),
      async (current) => {
        const decided = await decide(current)
        // Before the commit: if this process dies after it, the reconciler tells its event, and goes on with what follows.
        if (decided !== undefined && (decided.event !== null || decided.state === 'deleted'))
          await this.#index.setSubmissionDue(owner, id, this.#clock.now() + LOOK_AFTER_MS, dueListOf(decided))
        moves = decided !== undefined && movesSteps(current, decided)
        // Where nothing is to be done any more, nobody has to look earlier.
        if (decided !== undefined && moves && nextStepMs(decided, this.#clock.now()) !== null)
          intent ??= await dueDates.intend(owner, id, this.#clock.now())
        return decided
      },
    )
    const head = outcome.record
    if (outcome.committed && head !== undefined) {
      // A new submission has no history: its counter starts here.
      if (head.version === 1) await this.#index.seedSequence(owner, id, head.sequence, [])
      if (moves) await this.#moveDueDate(head)
      await this.announce(head)
      await this.#shortenEarlier(head)
    } else if (head !== undefined) {
      // Nothing to commit, but the version may be newer than the cache: update the cache.
      await this.#apply(head)
    }
    if (intent !== undefined) await dueDates.takeBack(intent)
    return outcome
  }

  async #moveDueDate(head: SubmissionHead): Promise<void> {
    const { dueDates } = this.#index
    if (head.state === 'deleted') return await dueDates.forget(head.owner, head.id)
    const nextMs = nextStepMs(head, this.#clock.now())
    if (nextMs !== null) await dueDates.lower(head.owner, head.id, nextMs)
  }

  /**
   * Each version repeats all that the portal said, so a page that changes a word a second would fill the store. Of a large
   * head, an old version that stands for no event keeps everything but that. The first one, and those with events, stay.
   */
  async #shortenEarlier({ owner, id, version, metadata, slotMetadata }: SubmissionHead): Promise<void> {
    if (version <= WHOLE_VERSIONS + 1 || JSON.stringify([metadata, slotMetadata]).length < LARGE_CHARS) return
    const prefix = objectKeys.submission(owner, id)
    try {
      const old = await this.#log.version(prefix, version - WHOLE_VERSIONS)
      if (old === undefined || old.event !== null || old.shortened === true) return
      await this.#log.shorten(prefix, { ...old, metadata: {}, slotMetadata: {}, shortened: true })
    } catch (err) {
      this.#logger.warn({ err, owner, submissionId: id }, 'an old version of a submission was not shortened')
    }
  }

  async announce(head: SubmissionHead): Promise<void> {
    await publishInOrder(head, {
      publish: (version, earlierAnnounced) => this.#apply(version, { announce: true, earlierAnnounced }),
      show: (version) => this.#apply(version),
      before: async (version) => {
        const earlier = await this.#log.version(objectKeys.submission(head.owner, head.id), version.version - 1)
        // A shortened one has no event; readers must not see it for a whole one.
        return earlier?.shortened === true
          ? { ...version, version: earlier.version, committedAt: earlier.committedAt, event: null }
          : earlier
      },
      isComplete: () => this.#index.completeness.isComplete(),
      nowMs: this.#clock.now(),
    })
  }

  /** Next sequence number of the submission; after a loss of Redis the last one is read from the store. */
  async nextSequence(owner: string, id: string): Promise<number> {
    for (;;) {
      const next = await this.#index.nextSequence(owner, id)
      if (next !== undefined) return next
      await this.rebuild(owner, id)
    }
  }

  /** Makes the submission's indexes in Redis complete. */
  async ensureCurrent(owner: string, id: string): Promise<void> {
    if (!(await this.#index.isCurrent(owner, id))) await this.rebuild(owner, id)
  }

  /** Upload records of a submission, from the index, which is rebuilt from the store if needed. */
  async uploadsOf(owner: string, id: string): Promise<UploadRecord[]> {
    return await this.#uploads.latestMany(await this.uploadIds(owner, id))
  }

  /** All uploads of a submission that have a record or are known to Redis, oldest first. */
  async uploadIds(owner: string, id: string): Promise<string[]> {
    for (;;) {
      const ids = await this.#index.wholeUploadIds(owner, id)
      if (ids !== undefined) return ids
      await this.rebuild(owner, id)
    }
  }

  /**
   * Rebuilds index, cache and counter of one submission from the store. What it puts back beside these, and a quiet submission needs
   * too, must be in its ListEntry: a rebuild of everything does not read quiet ones.
   */
  async rebuild(owner: string, id: string): Promise<RestoredSubmission> {
    const head = await this.fromStore(owner, id)
    const uploads = await this.#uploads.ofSubmissionFromStore(owner, id)
    // The head first: changes of uploads move a submission in the list only if it is in the list.
    if (head !== undefined) {
      await this.#apply(head)
      const dueMs = firstStepMs(head, this.#clock.now())
      if (dueMs !== null) await this.#index.dueDates.lower(owner, id, dueMs)
    }
    for (const record of uploads) await this.#uploads.restore(record)
    const told = await this.news.restore(owner, id)
    const given = Math.max(0, head?.sequence ?? 0, told, ...uploads.map(({ sequence }) => sequence))
    await this.#index.seedSequence(owner, id, given + SEQUENCE_ROOM, uploads)
    this.#logger.debug({ owner, submissionId: id, uploads: uploads.length }, 'submission index rebuilt from the store')
    return { head, uploads }
  }

  /** Every version that the store still has, oldest first. */
  async versions(owner: string, id: string): Promise<SubmissionHead[]> {
    return await this.#log.all(objectKeys.submission(owner, id))
  }

  /** Removes all versions but the newest, which is the tombstone of a deleted submission. */
  async forgetEarlier(owner: string, id: string): Promise<void> {
    await this.#log.forgetEarlier(objectKeys.submission(owner, id))
  }

  /** Versions since a time, oldest first. */
  async history(owner: string, id: string, sinceMs: number): Promise<SubmissionHead[]> {
    return await this.#log.history(objectKeys.submission(owner, id), sinceMs)
  }

  /** Marks the events of this and all earlier versions as published. */
  async markAnnounced(head: SubmissionHead): Promise<void> {
    await this.#apply(head, { announcedNow: true })
  }

  async #apply(head: SubmissionHead, { announce = false, announcedNow = false, earlierAnnounced = false } = {}) {
    const event = submissionEvent(head)
    // The reconciler checks waiting seals, seals whose unfinished uploads may still have to be ended, and
    // deletions, whose process may have died before everything was removed. Of a version that is announced this was noted before its commit.
    const erasing = isErasureDue(head, this.#clock.now())
    if (!announce && (head.sealRequestedAt != null || (head.state === 'sealed' && head.event !== null) || erasing))
      await this.#index.setSubmissionDue(head.owner, head.id, this.#clock.now() + LOOK_AFTER_MS, dueListOf(head))
    return await this.#index.apply({
      cacheKey: this.#index.keys.head(head.owner, head.id),
      version: head.version,
      json: JSON.stringify(head),
      owner: head.owner,
      submissionId: head.id,
      committedAtMs: Date.parse(head.committedAt),
      cacheMs: HEAD_CACHE_MS,
      event: event === null ? null : JSON.stringify(event),
      announce,
      announcedNow,
      announcedBefore: isPublishedByAge(head, this.#clock.now()),
      earlierAnnounced,
      gone: head.state === 'deleted',
    })
  }
}

/** The list of the submissions on which something is due. */
export function dueListOf({ state }: Pick<SubmissionHead, 'state'>): SubmissionsDue {
  return state === 'deleted' ? 'due-erasures' : 'due-submissions'
}

/** Whether there may be something left of a deleted submission, or come late. */
export function isErasureDue(head: SubmissionHead, nowMs: number): boolean {
  if (head.state !== 'deleted') return false
  return head.erasedAt === undefined || isYoungTombstone(head, nowMs)
}
