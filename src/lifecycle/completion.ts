// Completion: from "the last byte is durable" to "validation is queued". One idempotent function on durable state,
// run by the request that stored the last byte, by any request that finds the upload complete, and by the reconciler.

import { type Clock, isoTime } from '../core/clock.ts'
import { AppError } from '../core/errors.ts'
import { faultPoint } from '../core/fault-points.ts'
import type { Logger } from '../core/logger.ts'
import { type Tracing, traced } from '../core/span.ts'
import { traceIn } from '../core/trace-context.ts'
import { objectKeys } from '../records/keys.ts'
import type { SubmissionHeads } from '../records/submission-heads.ts'
import { removeAllButRecords } from '../records/upload-objects.ts'
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

/** How long Redis keeps the session of a complete upload; later the record answers. */
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
  readonly #tracing: Tracing
  readonly #logger: Logger

  constructor(deps: {
    store: ObjectStore
    hot: UploadSessionStore
    uploads: UploadRecords
    heads: SubmissionHeads
    laneJobs: LaneJobs
    assemblies: AssemblyLeases
    clock: Clock
    tracing: Tracing
    logger: Logger
  }) {
    this.#store = deps.store
    this.#hot = deps.hot
    this.#records = deps.uploads
    this.#heads = deps.heads
    this.#laneJobs = deps.laneJobs
    this.#assemblies = deps.assemblies
    this.#clock = deps.clock
    this.#tracing = deps.tracing
    this.#logger = deps.logger
  }

  /** The record of a stored upload, from its draft and its object. */
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
    const before = current ?? receivingRecord(draft, object, sequence)
    return { ...storedRecord(before, { object, bytes, storedAt, late, sequence }), ...traceIn(draft.trace) }
  }

  /** Uploads outside of submissions have their own sequence. */
  async nextSequence(draft: UploadDraft, current: UploadRecord | undefined): Promise<number> {
    if (draft.submissionId === null) return (current?.sequence ?? 0) + 1
    return await this.#heads.nextSequence(draft.owner, draft.submissionId)
  }

  /**
   * Commits that all bytes are durable. Idempotent; throws UPLOAD_EXPIRED or UPLOAD_CANCELLED if the upload was
   * ended before.
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
    if (record === undefined) throw new Error(`${draft.id}: stored, but there is no record`)
    // The process that stored it may have died before publishing; after a newer version this one would never be published.
    if (!committed) await this.#records.announce(record)
    faultPoint('finish.record-stored')
    await this.#hot.end(draft.id, 'stored', STORED_KEEP_MS, record.receivedBytes)
    faultPoint('finish.hot-ended')
    return record
  }

  /** Commits the record of an upload whose session says that all bytes are durable. */
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

  /** Does everything that is due on a complete upload. Safe to call at any time and repeatedly. */
  async run(id: string): Promise<void> {
    const state = await this.#hot.read(id)
    if (state?.status === 'finishing') return await this.#followTraced(await this.commitFinishing(state))
    const record = await this.#records.latest(id)
    if (record !== undefined) await this.#follow(record)
  }

  /** @param trace of the span that the lanes' jobs belong to; absent: of the record */
  async #follow(record: UploadRecord, trace?: string): Promise<void> {
    if (!isStored(record.state)) return
    if (needsAssembly(record)) await this.assemble(record)
    await this.queueLanes({ ...record, ...traceIn(trace) })
  }

  /** For a record that was just committed. What others repeat, to be safe, is no part of the upload's trace. */
  async #followTraced(record: UploadRecord): Promise<void> {
    const attributes = { 'songngan.upload.id': record.id }
    const span = this.#tracing.start('complete upload', { kind: 'internal', parent: record.trace, attributes })
    await traced(span, () => this.#follow(record, span.traceparent))
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

  /** On S3 a partial must be one object before it can be copied. */
  async #assemblePartials(ids: string[]): Promise<void> {
    for (const id of ids) {
      const partial = await this.#records.latest(id)
      if (partial !== undefined && partial.state === 'stored' && needsAssembly(partial)) await this.assemble(partial)
    }
  }

  /** Expires a partial that was not joined in time. */
  async expirePartial({ id }: UploadRecord): Promise<void> {
    await this.#end(id, 'expired')
  }

  /** Ends the partials, whose bytes are now in the final upload: first the commit, then the bytes. */
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

  /** Removes the bytes of an ended upload; the record stays. Idempotent. */
  async removeBytes({ id, object }: UploadRecord, multipartId = object.multipartId): Promise<void> {
    if (multipartId !== undefined) await this.#store.abortMultipart(objectKeys.data(id), multipartId)
    await removeAllButRecords(this.#store, id)
  }

  /** Queues every pending lane; existing jobs are not changed. */
  async queueLanes(record: UploadRecord): Promise<void> {
    faultPoint('complete.before-enqueue')
    await this.#laneJobs.enqueueDue(record)
    faultPoint('complete.after-enqueue')
  }

  /** `run` after the response: the reconciler repeats what fails here. */
  runLater(id: string): void {
    this.#later(id, this.run(id))
  }

  /** The same for a record that was just committed. */
  followLater(record: UploadRecord): void {
    this.#later(record.id, this.#followTraced(record))
  }

  #later(id: string, work: Promise<void>): void {
    work.catch((err: unknown) => {
      this.#logger.warn({ err, uploadId: id }, 'completion failed; the reconciler will retry it')
    })
  }
}

/** If the tail completes the file, it is copied as the last part. */
function withTail(parts: StoredPart[], { offset, tailKey }: UploadSession): StoredPart[] {
  const stored = parts.reduce((sum, { bytes }) => sum + bytes, 0)
  if (tailKey === null || stored >= offset) return parts
  return [...parts, { number: parts.length + 1, offset: stored, bytes: offset - stored, key: tailKey }]
}
