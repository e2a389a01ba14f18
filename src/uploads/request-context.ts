// One tus request's view of the world: its lock, its state, its body. The library's handlers ask it what they would
// ask a DataStore and a Locker.

import { DataStore, type Locker, Upload } from '@tus/server'
import { AppError } from '../core/errors.ts'
import { faultPoint } from '../core/fault-points.ts'
import type { UploadRecord } from '../records/upload-record.ts'
import type { UploadDraft, UploadSession } from '../records/upload-session.ts'
import { type Creation, register, validateCreation } from './create.ts'
import { UploadLedger } from './ledger.ts'
import type { Held } from './lock.ts'
import { measureFinished } from './measure.ts'
import { receiveBody } from './reception.ts'
import { terminate } from './terminate.ts'
import type { TusRequest } from './tus-request.ts'
import type { UploadDeps } from './upload-deps.ts'

export class TusRequestContext {
  readonly #deps: UploadDeps
  readonly #request: TusRequest
  #held: Held | undefined
  #creation: Creation | undefined
  #finished: UploadRecord | undefined
  /** Resolves when the lock has been let go. */
  #letGo: () => void = () => undefined
  readonly #released = new Promise<void>((resolve) => {
    this.#letGo = resolve
  })
  maxBytes: number
  readonly store: DataStore
  readonly locker: Locker

  constructor(deps: UploadDeps, request: TusRequest) {
    this.#deps = deps
    this.#request = request
    this.maxBytes = deps.config.uploads.maxBytes
    this.store = new ScopeStore(this)
    this.locker = { newLock: () => ({ lock: () => this.lock(), unlock: () => this.unlock() }) }
  }

  /** The library's namingFunction: everything that may refuse a creation, then its id. */
  async place(metadata: Record<string, string | null>): Promise<string> {
    this.#creation = await validateCreation(this.#deps, this.#request, metadata)
    this.maxBytes = this.#creation.draft.maxBytes
    return this.#creation.draft.id
  }

  /** POST: registers the upload, or joins the unfinished one of the same fingerprint. Returns the id that answers. */
  async create(): Promise<string> {
    const creation = this.#creation
    if (creation === undefined) throw new Error('created before it was placed')
    const id = await register(this.#deps, creation, this.#request.hasBody)
    this.#noteExpiry(creation.expiresAtMs, creation.size === 0)
    if (creation.joinedOffset !== undefined)
      this.#request.answer['Upload-Offset'] = String(creation.joinedOffset)
    // "creation-with-upload" of an empty file: there is no body that could finish it.
    if (creation.size === 0 && creation.joinedOffset === undefined) await this.#completeEmpty(id)
    faultPoint('create.before-answer')
    return id
  }

  async lock(): Promise<void> {
    const { method, id, headers } = this.#request
    // A new upload is nobody else's and is locked when its body arrives; HEAD never disturbs a holder; DELETE
    // ends it by a commit.
    if (method !== 'PATCH' || id === null) return
    const waited = this.#deps.metrics.lockWait.startTimer()
    try {
      this.#held = await this.#deps.locks.acquire(id, {
        offset: Number(headers.get('upload-offset')),
        ...(this.#request.place === undefined ? {} : { place: this.#request.place }),
      })
    } finally {
      waited()
    }
    faultPoint('patch.lock-taken')
  }

  async unlock(): Promise<void> {
    const held = this.#held
    this.#held = undefined
    try {
      // The end of an upload voids its lock.
      if (held !== undefined && this.#finished === undefined)
        await this.#deps.hot.release(held.state.draft.id, held.fence)
    } finally {
      this.#letGo()
    }
  }

  /** What the library sees of the upload; HEAD looks, PATCH has it from the lock. */
  async upload(id: string): Promise<Upload> {
    if (this.#held !== undefined) return tusUpload(this.#held.state)
    const seen = await this.#deps.locks.getStatus(id, this.#request.place)
    if ('state' in seen) {
      const { state, storing } = seen
      // A client that is told less than what is about to be stored sends it again, or begins anew.
      if (storing) throw new AppError('UPLOAD_LOCKED', { retryAfterSeconds: 1 })
      this.#noteExpiry(state.expiresAtMs, state.size !== null && state.offset === state.size)
      this.#noteMetadata(state.draft)
      return tusUpload(state)
    }
    const { record } = seen
    if (record.state === 'expired') throw new AppError('UPLOAD_EXPIRED')
    if (record.state === 'cancelled') throw new AppError('UPLOAD_CANCELLED')
    this.#noteMetadata(record)
    const size = record.declared.bytes ?? record.receivedBytes
    return new Upload({
      id,
      size,
      offset: record.receivedBytes,
      metadata: record.metadata,
      creation_date: record.createdAt,
    })
  }

  async declareLength(size: number): Promise<void> {
    const held = this.#held
    if (held === undefined) throw new Error('a length declared without the lock')
    if (size > held.state.draft.maxBytes)
      throw new AppError('UPLOAD_TOO_LARGE', { details: { limit: held.state.draft.maxBytes, actual: size } })
    if (!(await this.#deps.hot.declareLength(held.state.draft.id, held.fence, size)))
      throw new AppError('TUS_HEADER_INVALID', { details: { header: 'upload-length' } })
    held.state.size = size
  }

  /** Receives the body. Resolves with the new durable offset. */
  async receive(): Promise<number> {
    const joined = this.#creation?.joinedOffset
    if (joined !== undefined) return joined
    if (this.#request.method === 'POST' && !this.#request.hasBody) return 0
    if (this.#held === undefined) {
      // Creation with upload: the body of a POST goes on where nothing is.
      const id = this.#creation?.draft.id ?? ''
      this.#held = this.#creation?.held ?? (await this.#deps.locks.acquire(id, { offset: 0 }))
    }
    const held = this.#held
    try {
      const received = await receiveBody(this.#deps, this.#request, held, this.#released)
      const { offset, expiresAtMs } = received
      this.#finished = received.finished
      this.#noteExpiry(expiresAtMs, offset === held.state.size)
      faultPoint('patch.before-answer')
      return offset
    } catch (error) {
      // The client has waited for Redis once: the lock is left to its lease, or to whoever finds its holder silent.
      if (error instanceof AppError && error.code === 'REDIS_UNAVAILABLE') this.#held = undefined
      throw error
    } finally {
      // A POST's lock is not the library's to release.
      if (this.#request.method === 'POST') await this.unlock()
    }
  }

  async #completeEmpty(id: string): Promise<void> {
    const { locks, uploadStore, ledgerParts, hot } = this.#deps
    const { state, fence } = await locks.acquire(id, { offset: 0 })
    try {
      const sink = await uploadStore.open(state, new UploadLedger(ledgerParts, state, fence))
      await sink.complete().finally(() => sink.close())
    } finally {
      await hot.release(id, fence)
    }
  }

  /** The library's onUploadFinish: the answer does not wait for what follows. */
  finished(): Promise<Record<string, never>> {
    const { completion } = this.#deps
    faultPoint('finish.before-answer')
    const id = this.#request.id ?? this.#creation?.draft.id
    if (this.#finished !== undefined) completion.followLater(this.#finished)
    else if (id !== undefined) completion.runLater(id)
    measureFinished(this.#deps.metrics, this.#finished)
    return Promise.resolve({})
  }

  async terminate(id: string): Promise<void> {
    await terminate(this.#deps, id, this.#request.place)
  }

  /** "responses to HEAD requests MUST include the Upload-Metadata header and its value as specified by the Client". */
  #noteMetadata({ rawMetadata, concat }: Pick<UploadDraft, 'rawMetadata' | 'concat'>): void {
    if (rawMetadata !== undefined) this.#request.answer['Upload-Metadata'] = rawMetadata
    // "the response to a HEAD request … MUST include the Upload-Concat header and its value as received".
    if (concat !== null)
      this.#request.answer['Upload-Concat'] = concat.kind === 'partial' ? 'partial' : concat.header
  }

  /** "the Server MUST include the Upload-Expires header in the response" of every PATCH while it is unfinished. */
  #noteExpiry(expiresAtMs: number, finished: boolean): void {
    if (finished) delete this.#request.answer['Upload-Expires']
    else this.#request.answer['Upload-Expires'] = new Date(expiresAtMs).toUTCString()
  }
}

function tusUpload(state: UploadSession): Upload {
  const { draft, offset, size } = state
  return new Upload({
    id: draft.id,
    offset,
    ...(size === null ? {} : { size }),
    ...(Object.keys(draft.metadata).length === 0 ? {} : { metadata: draft.metadata }),
    creation_date: draft.createdAt,
  })
}

/** The library's store port, answered by the scope. */
class ScopeStore extends DataStore {
  readonly #scope: TusRequestContext
  // The library's expiration counts from creation; ours slides and is answered by the scope itself.
  override extensions: string[] = ['creation', 'creation-with-upload', 'creation-defer-length', 'termination']

  constructor(scope: TusRequestContext) {
    super()
    this.#scope = scope
  }

  /** The library looks for the extension under a misspelt name before it takes a partial upload. */
  override hasExtension(extension: string): boolean {
    return extension === 'concatentation' || super.hasExtension(extension)
  }

  override async create(upload: Upload): Promise<Upload> {
    upload.id = await this.#scope.create()
    return upload
  }

  override async getUpload(id: string): Promise<Upload> {
    return await this.#scope.upload(id)
  }

  override async declareUploadLength(_id: string, size: number): Promise<void> {
    await this.#scope.declareLength(size)
  }

  override async remove(id: string): Promise<void> {
    await this.#scope.terminate(id)
  }
}
