// The progress of one running upload: saved to Redis under the fence of its request and,
// if it must survive a loss of Redis, committed to the record. The order is: bytes, record, Redis, response.

import type { Clock } from '../core/clock.ts'
import { AppError } from '../core/errors.ts'
import { faultPoint } from '../core/fault-points.ts'
import { retryWhileUnavailable } from '../core/retry.ts'
import type { Completion } from '../lifecycle/completion.ts'
import { receivingRecord } from '../lifecycle/transitions.ts'
import { objectKeys } from '../records/keys.ts'
import type { StoredObject, StoredPart, UploadRecord } from '../records/upload-record.ts'
import type { UploadRecords } from '../records/upload-records.ts'
import type { UploadSession } from '../records/upload-session.ts'
import type { UploadSessionStore } from '../records/upload-session-store.ts'
import type { FinishedObject, Ledger, LedgerChange } from './stores/port.ts'

export type LedgerDeps = {
  hot: UploadSessionStore
  uploads: UploadRecords
  completion: Completion
  clock: Clock
  expiryMs: number
}

export class UploadLedger implements Ledger {
  readonly #deps: LedgerDeps
  readonly #state: UploadSession
  readonly #fence: string
  #version: number
  #multipartId: string | null
  expiresAtMs: number
  /** The record of the complete upload, once committed. */
  finished: UploadRecord | undefined

  constructor(deps: LedgerDeps, state: UploadSession, fence: string) {
    this.#deps = deps
    this.#state = state
    this.#fence = fence
    this.#version = state.version
    this.#multipartId = state.multipartId
    this.expiresAtMs = state.expiresAtMs
  }

  async advance(offset: number, change: LedgerChange = {}): Promise<void> {
    const { hot, clock, expiryMs } = this.#deps
    if (change.multipartId !== undefined) this.#multipartId = change.multipartId
    // An acknowledged offset must survive a loss of Redis: the first record is committed before the first offset is saved.
    if (this.#version === 0) await this.#commitReceiving()
    faultPoint('patch.first-record')
    this.expiresAtMs = clock.now() + expiryMs
    const { draft } = this.#state
    const mine = await hot.saveProgress(draft.id, this.#fence, {
      offset,
      expiresAtMs: this.expiresAtMs,
      version: this.#version,
      ...change,
    })
    if (!mine) throw await this.#lost()
    faultPoint('patch.offset-committed')
  }

  async markInFlight(partNumber: number): Promise<void> {
    if (!(await this.#deps.hot.markInFlight(this.#state.draft.id, this.#fence, partNumber))) throw await this.#lost()
  }

  async complete(finished: FinishedObject): Promise<void> {
    const { hot, completion, clock, uploads } = this.#deps
    const { draft, size } = this.#state
    const bytes = size ?? 0
    const single = finished.kind === 'single'
    const storedAtMs = single ? Date.parse(finished.record.storedAt ?? '') : clock.now()
    faultPoint('finish.bytes-durable')
    // After this no other request can take over the upload: it is complete.
    const mine = await hot.saveProgress(draft.id, this.#fence, {
      offset: bytes,
      expiresAtMs: this.expiresAtMs,
      status: 'finishing',
      storedAtMs,
      ...(finished.kind === 'multipart' ? { multipartId: finished.multipartId, parts: finished.parts } : {}),
      ...(finished.kind === 'pieces' ? { parts: finished.parts, tailKey: null } : {}),
      ...(finished.kind === 'object' && finished.key !== objectKeys.data(draft.id) ? { tailKey: finished.key } : {}),
      ...(single ? { version: 1 } : {}),
      clearInFlight: true,
    })
    // The single object is kept: the request that took over may have found and counted it. If not, it is
    // removed later.
    if (!mine) throw await this.#lost()
    faultPoint('finish.hot-finishing')
    if (single) {
      // The object with the bytes contains the record: it is already committed.
      await uploads.announce(finished.record)
      this.finished = finished.record
      faultPoint('finish.single-announced')
      await hot.end(draft.id, 'stored', this.#deps.expiryMs, bytes)
    } else {
      const object = storedObject(finished)
      const first = this.unrecorded
      this.finished = await retryWhileUnavailable(() =>
        completion.commitStored(draft, object, bytes, storedAtMs, first),
      )
    }
  }

  async parts(): Promise<StoredPart[]> {
    return await this.#deps.hot.parts(this.#state.draft.id)
  }

  async singleRecord(key: string): Promise<UploadRecord> {
    const { completion, clock, uploads } = this.#deps
    const { draft, size } = this.#state
    const now = clock.now()
    // The object is the commit. Whoever sent it may not come back, and an unfinished upload is due in days only.
    await uploads.markDue(draft.id)
    const next = await completion.stored(draft, undefined, { key }, size ?? 0, now)
    return { ...next, version: 1, nonce: this.#fence, committedAt: new Date(now).toISOString() }
  }

  get unrecorded(): boolean {
    return this.#version === 0
  }

  async #commitReceiving(): Promise<void> {
    const { uploads, completion } = this.#deps
    const { draft, partBytes } = this.#state
    const decide = async (current: UploadRecord | undefined) => {
      if (current !== undefined) return undefined
      const object: StoredObject = {
        key: objectKeys.data(draft.id),
        ...(this.#multipartId === null ? {} : { multipartId: this.#multipartId, partBytes }),
      }
      return receivingRecord(draft, object, await completion.nextSequence(draft, undefined))
    }
    const { record } = await retryWhileUnavailable(() => uploads.commit(draft.id, decide, true))
    if (record?.state === 'expired') throw new AppError('UPLOAD_EXPIRED')
    if (record?.state === 'cancelled') throw new AppError('UPLOAD_CANCELLED')
    this.#version = record?.version ?? 1
  }

  /** The reason why the fence is no longer valid. */
  async #lost(): Promise<AppError> {
    const state = await this.#deps.hot.read(this.#state.draft.id)
    if (state?.status === 'expired') return new AppError('UPLOAD_EXPIRED')
    if (state?.status === 'cancelled') return new AppError('UPLOAD_CANCELLED')
    // Redis lost the fence, nobody took it over: the client should ask for the offset and continue.
    // The same if another request found the upload complete and finished it.
    if (state === undefined || !state.trusted || state.restored === true || state.status === 'stored')
      return new AppError('UPLOAD_LOCKED', { retryAfterSeconds: 1 })
    return new AppError('UPLOAD_TAKEN_OVER')
  }
}

function storedObject(finished: Exclude<FinishedObject, { kind: 'single' }>): StoredObject {
  if (finished.kind === 'object') return { key: finished.key }
  if (finished.kind === 'pieces') return { key: finished.key, parts: finished.parts }
  const { key, multipartId, partBytes, parts } = finished
  return { key, multipartId, partBytes, parts }
}
