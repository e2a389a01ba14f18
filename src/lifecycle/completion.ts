// Completion: from "the last byte is durable" to "its verdict is queued". One idempotent function over what is durable,
// run by the request that stored the last byte, by any request that finds the upload so, and by the reconciler.

import { type Clock, isoTime } from '../core/clock.ts'
import { AppError } from '../core/errors.ts'
import { faultPoint } from '../core/fault-points.ts'
import type { Logger } from '../core/logger.ts'
import { objectKeys } from '../records/keys.ts'
import type { SubmissionHeads } from '../records/submission-heads.ts'
import { isStored, type StoredObject, type StoredPart, type UploadRecord } from '../records/upload-record.ts'
import type { UploadRecords } from '../records/upload-records.ts'
import type { UploadDraft, UploadSession } from '../records/upload-session.ts'
import type { UploadSessionStore } from '../records/upload-session-store.ts'
import { type ObjectStore, PiecesLost } from '../storage/object-store.ts'
import type { AssemblyLeases } from './assembly-leases.ts'
import type { LaneJobs } from './lane-jobs.ts'
import { needsAssembly } from './pending-lanes.ts'
import { isPossible } from './transition-table.ts'
import { bytesLost, partialEnded, receivingRecord, storedRecord } from './transitions.ts'

/** How long Redis answers for a finished upload; afterwards the record in the store does. */
export const STORED_KEEP_MS = 7 * 86_400_000

/**
 * Parts that are not to be found for so long are gone for good. Until then somebody may still be joining them: a process
 * that died over it leaves its call to an S3 server, and a large object takes minutes.
 */
const LOST_AFTER_MS = 15 * 60_000

export class Completion {
  readonly #store: ObjectStore
  readonly #hot: UploadSessionStore
  readonly #records: UploadRecords
  readonly #heads: SubmissionHeads
  readonly #laneJobs: LaneJobs
  readonly #assemblies: AssemblyLeases
  readonly #clock: Clock
  readonly #logger: Logger

  constructor(deps: {
    store: ObjectStore
    hot: UploadSessionStore
    uploads: UploadRecords
    heads: SubmissionHeads
    laneJobs: LaneJobs
    assemblies: AssemblyLeases
    clock: Clock
    logger: Logger
  }) {
    this.#store = deps.store
    this.#hot = deps.hot
    this.#records = deps.uploads
    this.#heads = deps.heads
    this.#laneJobs = deps.laneJobs
    this.#assemblies = deps.assemblies
    this.#clock = deps.clock
    this.#logger = deps.logger
  }

  /** What the record of a stored upload says, from its draft and where its bytes lie. */
  async stored(
    draft: UploadDraft,
    current: UploadRecord | undefined,
    object: StoredObject,
    bytes: number,
    storedAtMs: number,
  ) {
    const storedAt = isoTime(storedAtMs)
    const sequence = await this.nextSequence(draft, current)
    const head = draft.submissionId === null ? undefined : await this.#heads.latest(draft.owner, draft.submissionId)
    const late = head?.deadline != null && storedAtMs > Date.parse(head.deadline)
    return storedRecord(current ?? receivingRecord(draft, object, sequence), {
      object,
      bytes,
      storedAt,
      late,
      sequence,
    })
  }

  /** Uploads outside of submissions count their own versions. */
  async nextSequence(draft: UploadDraft, current: UploadRecord | undefined): Promise<number> {
    if (draft.submissionId === null) return (current?.sequence ?? 0) + 1
    return await this.#heads.nextSequence(draft.owner, draft.submissionId)
  }

  /**
   * Commits that all bytes are durable. Idempotent; throws UPLOAD_EXPIRED or UPLOAD_CANCELLED when the upload was
   * taken away first.
   */
  async commitStored(
    draft: UploadDraft,
    object: StoredObject,
    bytes: number,
    storedAtMs: number,
    first = false,
  ): Promise<UploadRecord> {
    const { record, committed } = await this.#records.commit(
      draft.id,
      async (current) => {
        if (current !== undefined && isStored(current.state)) return undefined
        if (current?.state === 'expired') throw new AppError('UPLOAD_EXPIRED')
        if (current?.state === 'cancelled') throw new AppError('UPLOAD_CANCELLED')
        return await this.stored(draft, current, object, bytes, storedAtMs)
      },
      first,
    )
    if (record === undefined) throw new Error(`${draft.id}: stored, yet no record`)
    // Whoever stored it may have died before anybody was told; once a younger version is told, this one never would be.
    if (!committed) await this.#records.announce(record)
    faultPoint('finish.record-stored')
    await this.#hot.end(draft.id, 'stored', STORED_KEEP_MS, record.receivedBytes)
    faultPoint('finish.hot-ended')
    return record
  }

  /** Finishes what a request began: the hot state says that all bytes are durable, the record not yet. */
  async commitFinishing(state: UploadSession): Promise<UploadRecord> {
    const { draft, multipartId } = state
    const key = objectKeys.data(draft.id)
    const pieces = multipartId === null && this.#store.kind === 'local' ? await this.#hot.parts(draft.id) : []
    const object: StoredObject =
      multipartId === null
        ? pieces.length > 0
          ? { key: `${key}-joined`, parts: withTail(pieces, state) }
          : { key: state.tailKey ?? key }
        : {
            key,
            multipartId,
            partBytes: state.partBytes,
            parts: withTail(await this.#hot.parts(draft.id), state),
          }
    return await this.commitStored(draft, object, state.offset, state.storedAtMs ?? this.#clock.now())
  }

  /** Everything that is due on an upload whose bytes are all there. Safe to call at any time, any number of times. */
  async run(id: string): Promise<void> {
    const state = await this.#hot.read(id)
    const record = state?.status === 'finishing' ? await this.commitFinishing(state) : await this.#records.latest(id)
    if (record !== undefined) await this.follow(record)
  }

  /** What is due on a record that was just committed. */
  async follow(record: UploadRecord): Promise<void> {
    if (!isStored(record.state)) return
    if (needsAssembly(record)) await this.assemble(record)
    await this.queueLanes(record)
  }

  /**
   * Makes one object of the parts, or waits for whoever does. The record keeps naming them until a worker has seen the
   * object. Throws UPLOAD_EXPIRED where the bucket has aborted them (the upload has ended by it), STORE_UNAVAILABLE while
   * that is not certain.
   */
  async assemble(record: UploadRecord): Promise<void> {
    if (record.object.parts === undefined) return
    try {
      await this.#assemblies.once(record.id, () => this.#assemble(record))
    } catch (error) {
      throw error instanceof PiecesLost ? await this.#lost(record, error) : error
    }
  }

  async #lost({ id, object, receivedBytes }: UploadRecord, cause: PiecesLost): Promise<AppError> {
    const since = await this.#assemblies.lostSince(id, this.#clock.now())
    if (this.#clock.now() < since + LOST_AFTER_MS)
      return new AppError('STORE_UNAVAILABLE', { cause, retryAfterSeconds: 60 })
    const { record } = await this.#records.commit(id, async (current) => {
      if (current === undefined || !isPossible('bytes lost', current)) return undefined
      return bytesLost(current, await this.nextSequence(current, current))
    })
    if (record?.state !== 'expired') return new AppError('STORE_UNAVAILABLE', { cause, retryAfterSeconds: 60 })
    await this.#hot.end(id, 'expired', STORED_KEEP_MS)
    await this.removeBytes(record)
    this.#logger.error(
      { err: cause, uploadId: id, multipartId: object.multipartId, receivedBytes, storedAt: record.storedAt },
      'the bucket has aborted the multipart upload of a stored file: look for a lifecycle rule; it has to be uploaded again',
    )
    return new AppError('UPLOAD_EXPIRED', { cause })
  }

  async #assemble({ id, object, concat }: UploadRecord): Promise<void> {
    if (object.parts === undefined) return
    faultPoint('complete.before-assembly')
    if (concat?.kind === 'final') await this.#assemblePartials(concat.partials)
    await this.#store.assemble(object.key, object.parts, object.multipartId)
    faultPoint('complete.assembled')
    if (concat?.kind === 'final') faultPoint('concat.joined')
    if (concat?.kind === 'final') await this.#releasePartials(concat.partials)
    this.#logger.debug({ uploadId: id, parts: object.parts.length }, 'parts joined')
  }

  /** A partial that is still in parts on S3 must be an object before it can be copied. */
  async #assemblePartials(ids: string[]): Promise<void> {
    for (const id of ids) {
      const partial = await this.#records.latest(id)
      if (partial !== undefined && partial.state === 'stored' && needsAssembly(partial)) await this.assemble(partial)
    }
  }

  /** Nobody joined it in time. */
  async expirePartial({ id }: UploadRecord): Promise<void> {
    await this.#end(id, 'expired')
  }

  /** The final holds their bytes now: partials end, the commit before their bytes. */
  async #releasePartials(ids: string[]): Promise<void> {
    for (const id of ids) await this.#end(id, 'cancelled')
  }

  async #end(id: string, state: 'cancelled' | 'expired'): Promise<void> {
    const { record } = await this.#records.commit(id, (current) =>
      current !== undefined && isPossible('partial ended', current) ? partialEnded(current, state) : undefined,
    )
    faultPoint('concat.partial-ended')
    await this.#hot.end(id, state, STORED_KEEP_MS)
    if (record !== undefined) await this.removeBytes(record)
  }

  /** What is left of an upload that has ended: all but its record. Idempotent. */
  async removeBytes({ id, object }: UploadRecord, multipartId = object.multipartId): Promise<void> {
    if (multipartId !== undefined) await this.#store.abortMultipart(objectKeys.data(id), multipartId)
    const records = objectKeys.uploadRecord(id)
    for await (const { key } of this.#store.list(objectKeys.upload(id)))
      if (!key.startsWith(records)) await this.#store.remove(key)
  }

  /** Queues every lane the record asks for; a job that exists already is left alone. */
  async queueLanes(record: UploadRecord): Promise<void> {
    faultPoint('complete.before-enqueue')
    await this.#laneJobs.enqueueDue(record)
    faultPoint('complete.after-enqueue')
  }

  /** `run` after an answer has been sent: what fails here is found again by the reconciler. */
  runLater(id: string): void {
    this.#later(id, this.run(id))
  }

  /** `follow` after an answer has been sent. */
  followLater(record: UploadRecord): void {
    this.#later(record.id, this.follow(record))
  }

  #later(id: string, work: Promise<void>): void {
    work.catch((err: unknown) => {
      this.#logger.warn({ err, uploadId: id }, 'completion did not finish; the reconciler will')
    })
  }
}

/** A tail that makes the file whole is its last part, to be copied in. */
function withTail(parts: StoredPart[], { offset, tailKey }: UploadSession): StoredPart[] {
  const stored = parts.reduce((sum, { bytes }) => sum + bytes, 0)
  if (tailKey === null || stored >= offset) return parts
  return [...parts, { number: parts.length + 1, offset: stored, bytes: offset - stored, key: tailKey }]
}
