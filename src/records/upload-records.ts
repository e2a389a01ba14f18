// Records of uploads: reads through the cache, commits to the store, then applies the version to Redis.

import { type Clock, isoTime } from '../core/clock.ts'
import type { Logger } from '../core/logger.ts'
import type { ObjectStore } from '../storage/object-store.ts'
import { uploadEvent } from './event-body.ts'
import { objectKeys, type RedisKeys, uploadIdOfKey } from './keys.ts'
import { isPublishedByAge, publishInOrder } from './publish-in-order.ts'
import type { RecordIndex } from './record-index.ts'
import { isYoungTombstone } from './tombstones.ts'
import { isEnded, isLaneDone, type NextUpload, type UploadRecord } from './upload-record.ts'
import { VersionLog } from './version-log.ts'

export type UploadDecision = NextUpload | undefined

/** User metadata key of a single-object upload: its first record, as base64 of JSON. */
export const RECORD_METADATA_KEY = 'record'

/** Keys of the versions of an upload in order, and of the object that contains the first one. */
type RecordKeys = { versions: string[]; single: string | undefined }

const RECHECK_MS = 60_000
/** How long Redis keeps a record on which nothing is due: it is read through from the store. */
const FINISHED_CACHE_MS = 3_600_000

export class UploadRecords {
  readonly #store: ObjectStore
  readonly #index: RecordIndex
  readonly #clock: Clock
  readonly #logger: Logger
  readonly #log: VersionLog<UploadRecord>

  constructor(deps: { store: ObjectStore; index: RecordIndex; clock: Clock; logger: Logger }) {
    this.#store = deps.store
    this.#index = deps.index
    this.#clock = deps.clock
    this.#logger = deps.logger
    this.#log = new VersionLog(deps.store)
  }

  /** Newest version, from the cache if trusted; undefined: the upload has no stored byte. */
  async latest(id: string): Promise<UploadRecord | undefined> {
    const cached = await this.#index.cached<UploadRecord>(this.#index.keys.record(id))
    if (cached !== undefined) return cached
    const record = await this.fromStore(id)
    // It was committed by another process, which publishes it (or the reconciler does).
    if (record !== undefined) await this.#apply(record)
    return record
  }

  /** Several at once, in the order of the ids; unknown ones are left out. */
  async latestMany(ids: string[]): Promise<UploadRecord[]> {
    const cached = await this.#index.cachedMany<UploadRecord>(ids.map(this.#index.keys.record))
    const records: UploadRecord[] = []
    for (const [i, id] of ids.entries()) {
      const record = cached[i] ?? (await this.latest(id))
      if (record !== undefined) records.push(record)
    }
    return records
  }

  /** Newest version, read from the store. */
  async fromStore(id: string): Promise<UploadRecord | undefined> {
    return await this.#newestOf(await this.#objectsOf(id))
  }

  /** The version under a key that was listed, of its own or of the object that has it in its metadata; undefined: it was removed. */
  async at(key: string): Promise<UploadRecord | undefined> {
    const isVersion = /\/record-\d+\.json$/.test(key)
    return isVersion ? await this.#log.at(key) : await this.#fromSingle(key)
  }

  async #newestOf({ versions, single }: RecordKeys): Promise<UploadRecord | undefined> {
    const newest = versions.at(-1)
    const body = newest === undefined ? undefined : await this.#store.read(newest)
    if (body !== undefined) return JSON.parse(body.toString('utf8')) as UploadRecord
    return single === undefined ? undefined : await this.#fromSingle(single)
  }

  async #objectsOf(id: string): Promise<RecordKeys> {
    const found = await this.#recordKeys(objectKeys.upload(id))
    return found.get(id) ?? { versions: [], single: undefined }
  }

  /** Record keys of all uploads under a prefix. */
  async #recordKeys(prefix: string): Promise<Map<string, RecordKeys>> {
    const found = new Map<string, RecordKeys>()
    for await (const { key } of this.#store.list(prefix)) {
      const id = uploadIdOfKey(key)
      if (id === undefined) continue
      const keys = found.get(id) ?? { versions: [], single: undefined }
      if (key.startsWith(objectKeys.uploadRecord(id))) keys.versions.push(key)
      else if (key.startsWith(`${objectKeys.upload(id)}one-`)) keys.single ??= key
      found.set(id, keys)
    }
    return found
  }

  async #fromSingle(key: string): Promise<UploadRecord | undefined> {
    const encoded = (await this.#store.head(key))?.metadata[RECORD_METADATA_KEY]
    if (encoded === undefined) return undefined
    const record = JSON.parse(Buffer.from(encoded, 'base64').toString('utf8')) as UploadRecord
    return { ...record, object: { key } }
  }

  /** An earlier version; undefined if it is not a separate object. */
  async version(id: string, version: number): Promise<UploadRecord | undefined> {
    return await this.#log.version(objectKeys.uploadRecord(id), version)
  }

  /** All records of a submission's uploads, read from the store. */
  async ofSubmissionFromStore(owner: string, submissionId: string): Promise<UploadRecord[]> {
    const records: UploadRecord[] = []
    for (const keys of (await this.#recordKeys(objectKeys.submissionUploads(owner, submissionId))).values()) {
      const record = await this.#newestOf(keys)
      // Shards are short: two submissions may share one.
      if (record?.owner === owner && record.submissionId === submissionId) records.push(record)
    }
    return records
  }

  /**
   * Commits the result of `decide` on the newest version (see VersionLog.commit), then applies it to Redis. A version
   * that could not be applied is applied by the reconciler: the commit has succeeded.
   */
  async commit(
    id: string,
    decide: (current: UploadRecord | undefined) => Promise<UploadDecision> | UploadDecision,
    /** True if it is certain that there is no record yet: saves reading the store. */
    first = false,
  ): Promise<{ record: UploadRecord | undefined; committed: boolean }> {
    const outcome = await this.#log.commit(
      objectKeys.uploadRecord(id),
      () => isoTime(this.#clock.now()),
      first ? undefined : await this.latest(id),
      () => this.fromStore(id),
      async (current) => {
        const decided = await decide(current)
        // Before the commit: if this process dies after it, or Redis does not answer, the reconciler tells what was
        // committed. The first bytes of an upload need no mark: it is due until the last one.
        if (decided !== undefined && !first)
          await this.#index.noteUploadCommit(id, (current?.version ?? 0) + 1, this.#recheckAt())
        return decided
      },
    )
    if (outcome.committed && outcome.record !== undefined) {
      await this.announce(outcome.record).catch((err: unknown) => {
        this.#logger.warn({ err, uploadId: id }, 'committed, but not applied to Redis; the reconciler will apply it')
      })
    }
    return outcome
  }

  /**
   * Newest versions by Redis alone, in the order of the ids; undefined where the store has to be asked, because a version
   * may have been committed of which Redis has not heard.
   */
  async confirmedMany(ids: string[]): Promise<(UploadRecord | undefined)[]> {
    return await this.#index.confirmedMany<UploadRecord>(ids.map(this.#index.keys.record))
  }

  /** The reconciler looks at the upload within a minute or so: for what is stored next, and Redis may never hear of. */
  async markDue(id: string): Promise<void> {
    await this.#index.setUploadDueBy(id, this.#recheckAt())
  }

  #recheckAt(): number {
    return this.#clock.now() + RECHECK_MS
  }

  /** Applies a durable version to Redis with its event, and all earlier ones that were not applied. */
  async announce(record: UploadRecord): Promise<void> {
    await publishInOrder(record, {
      publish: (version, earlierAnnounced) => this.#apply(version, { announce: true, earlierAnnounced }),
      show: (version) => this.#apply(version),
      before: ({ id, version }) => this.#before(id, version),
      isComplete: () => this.#index.completeness.isComplete(),
      nowMs: this.#clock.now(),
    })
  }

  async #before(id: string, version: number): Promise<UploadRecord | undefined> {
    const earlier = await this.version(id, version - 1)
    if (earlier !== undefined || version !== 2) return earlier
    const { single } = await this.#objectsOf(id)
    return single === undefined ? undefined : await this.#fromSingle(single)
  }

  /** Applies a version without its event, during a rebuild. */
  async restore(record: UploadRecord): Promise<void> {
    await this.#apply(record)
  }

  /** Marks the events of this and all earlier versions as published. */
  async markAnnounced(record: UploadRecord): Promise<void> {
    await this.#apply(record, { announcedNow: true })
  }

  /** Versions since a time, oldest first. */
  async history(id: string, sinceMs: number): Promise<UploadRecord[]> {
    const { versions, single } = await this.#objectsOf(id)
    const found = await this.#log.read(versions, sinceMs)
    if (found.length < versions.length || single === undefined || found[0]?.version === 1) return found
    // A single object contains its first version.
    const first = await this.#fromSingle(single)
    return first === undefined || Date.parse(first.committedAt) < sinceMs ? found : [first, ...found]
  }

  #isDue(record: UploadRecord, announce: boolean): boolean {
    // An ended upload is checked once more: its process may die before the bytes are removed.
    if (!isSettled(record) || (announce && isEnded(record.state))) return true
    return isYoungTombstone(record, this.#clock.now())
  }

  async #apply(record: UploadRecord, { announce = false, announcedNow = false, earlierAnnounced = false } = {}) {
    const event = uploadEvent(record)
    return await this.#index.apply({
      cacheKey: this.#index.keys.record(record.id),
      version: record.version,
      json: JSON.stringify(record),
      owner: record.owner,
      submissionId: record.submissionId,
      upload: {
        id: record.id,
        createdAtMs: Date.parse(record.createdAt),
        dueAtMs: this.#isDue(record, announce) ? this.#recheckAt() : null,
      },
      committedAtMs: Date.parse(record.committedAt),
      ...(isFinished(record) ? { cacheMs: FINISHED_CACHE_MS } : {}),
      ...fingerprintKeyOf(record, this.#index.keys),
      event: event === null ? null : JSON.stringify(event),
      announce,
      announcedNow,
      announcedBefore: isPublishedByAge(record, this.#clock.now()),
      earlierAnnounced,
    })
  }
}

function fingerprintKeyOf(record: UploadRecord, keys: RedisKeys): { fingerprintKey?: string } {
  const { owner, submissionId, slot, fingerprint, declared, concat } = record
  if (record.state !== 'receiving' || submissionId === null || slot === null) return {}
  if (fingerprint === null || concat !== null) return {}
  return {
    fingerprintKey: keys.fingerprint(owner, submissionId, slot, String(declared.bytes ?? ''), fingerprint),
  }
}

/** Every key under which Redis may know the fingerprint of an upload: its length may have been declared later. */
export function fingerprintKeysOf(
  record: Pick<UploadRecord, 'owner' | 'submissionId' | 'slot' | 'fingerprint' | 'declared'>,
  keys: RedisKeys,
) {
  const { owner, submissionId, slot, fingerprint, declared } = record
  if (submissionId === null || slot === null || fingerprint === null) return []
  const lengths = new Set([String(declared.bytes ?? ''), ''])
  return [...lengths].map((length) => keys.fingerprint(owner, submissionId, slot, length, fingerprint))
}

/** It was stored, and nothing is due on it; one that ended is looked at again. */
function isFinished(record: UploadRecord): boolean {
  return isSettled(record) && !isEnded(record.state)
}

/** True if nothing is due on an upload: no lane, no expiry. */
export function isSettled(record: UploadRecord): boolean {
  switch (record.state) {
    case 'expired':
    case 'cancelled':
      return record.erasing !== true
    case 'rejected':
      return record.object.parts === undefined
    // Stays accepted: a required rendition failed for good.
    case 'accepted':
      return isInspected(record) && isLaneDone(record.lanes.transcode)
    case 'ready':
      return isInspected(record) && !isRendering(record)
    default:
      return false
  }
}

function isInspected(record: UploadRecord): boolean {
  return record.object.parts === undefined && isLaneDone(record.lanes.inspect)
}

function isRendering(record: UploadRecord): boolean {
  return record.renditions.some(({ state }) => state === 'waiting' || state === 'running')
}
