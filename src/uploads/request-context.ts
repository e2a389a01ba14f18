// The DataStore for the library's handlers of POST, HEAD and DELETE, for one request. PATCH does not use
// the library (patch.ts).

import { DataStore, Upload } from '@tus/server'
import { AppError } from '../core/errors.ts'
import { faultPoint } from '../core/fault-points.ts'
import type { UploadRecord } from '../records/upload-record.ts'
import type { UploadDraft, UploadSession } from '../records/upload-session.ts'
import { type Creation, register, validateCreation } from './create.ts'
import { finishUpload } from './finish.ts'
import { UploadLedger } from './ledger.ts'
import { receiveBody } from './reception.ts'
import { terminate } from './terminate.ts'
import type { TusRequest } from './tus-request.ts'
import type { UploadDeps } from './upload-deps.ts'

export class TusRequestContext {
  readonly #deps: UploadDeps
  readonly #request: TusRequest
  #creation: Creation | undefined
  #finished: UploadRecord | undefined
  maxBytes: number
  readonly store: DataStore

  constructor(deps: UploadDeps, request: TusRequest) {
    this.#deps = deps
    this.#request = request
    this.maxBytes = deps.config.uploads.maxBytes
    this.store = new RequestContextStore(this)
  }

  /** The library's namingFunction: all checks of a creation, then its id. */
  async validate(): Promise<string> {
    this.#creation = await validateCreation(this.#deps, this.#request)
    this.maxBytes = this.#creation.draft.maxBytes
    return this.#creation.draft.id
  }

  /** POST: registers the upload, or resumes the unfinished one with the same fingerprint. Returns its id. */
  async create(): Promise<string> {
    const creation = this.#creation
    if (creation === undefined) throw new Error('create() was called before validateCreation()')
    const id = await register(this.#deps, creation, this.#request.bringsBytes)
    this.#request.noteExpiry(creation.expiresAtMs, creation.size === 0)
    this.#announce(creation, id)
    if (creation.joinedOffset !== undefined) this.#request.answer['Upload-Offset'] = String(creation.joinedOffset)
    // An empty file has no body that could complete it.
    if (creation.size === 0 && creation.joinedOffset === undefined) await this.#completeEmpty(id)
    faultPoint('create.before-answer')
    return id
  }

  /** To a client of the draft: the URL before the body, with which it goes on if the connection breaks. */
  #announce({ draft: { maxBytes } }: Creation, id: string): void {
    const { draft, res, baseUrl, answer, hasBody } = this.#request
    draft?.limit(maxBytes)
    if (hasBody) draft?.announce(res, `${baseUrl}/files/${id}`, answer)
  }

  /** The upload for HEAD and DELETE. */
  async upload(id: string): Promise<Upload> {
    const seen = await this.#deps.locks.getStatus(id, this.#request.ticketSlot)
    if ('state' in seen) {
      const { state, storing } = seen
      // With an offset lower than what is being stored, a client would send bytes again.
      if (storing) throw new AppError('UPLOAD_LOCKED', { retryAfterSeconds: 1 })
      this.#request.noteExpiry(state.expiresAtMs, state.size !== null && state.offset === state.size)
      this.#noteMetadata(state.draft)
      this.#request.draft?.limit(state.draft.maxBytes)
      return tusUpload(state)
    }
    const { record } = seen
    if (record.state === 'expired') throw new AppError('UPLOAD_EXPIRED')
    if (record.state === 'cancelled') throw new AppError('UPLOAD_CANCELLED')
    this.#noteMetadata(record)
    this.#request.draft?.limit(record.maxBytes)
    const size = record.declared.bytes ?? record.receivedBytes
    return new Upload({
      id,
      size,
      offset: record.receivedBytes,
      metadata: record.metadata,
      creation_date: record.createdAt,
    })
  }

  /** Receives the body that comes with a creation. Resolves with the new durable offset. */
  async receive(): Promise<number> {
    const creation = this.#creation
    if (creation === undefined) throw new Error('receive() was called before create()')
    if (creation.joinedOffset !== undefined) return creation.joinedOffset
    if (!this.#request.hasBody) return 0
    const held = creation.held ?? (await this.#deps.locks.acquire(creation.draft.id, { offset: 0 }))
    const { offset, finished } = await receiveBody(this.#deps, this.#request, held, creation.slot)
    this.#finished = finished
    return offset
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

  /** The library's onUploadFinish. */
  finished(): Promise<Record<string, never>> {
    const id = this.#creation?.draft.id
    if (id !== undefined) finishUpload(this.#deps, id, this.#finished)
    return Promise.resolve({})
  }

  async terminate(id: string): Promise<void> {
    await terminate(this.#deps, id, this.#request.ticketSlot)
  }

  /** "responses to HEAD requests MUST include the Upload-Metadata header and its value as specified by the Client". */
  #noteMetadata({ rawMetadata, concat }: Pick<UploadDraft, 'rawMetadata' | 'concat'>): void {
    if (rawMetadata !== undefined) this.#request.answer['Upload-Metadata'] = rawMetadata
    // "the response to a HEAD request … MUST include the Upload-Concat header and its value as received".
    if (concat !== null) this.#request.answer['Upload-Concat'] = concat.kind === 'partial' ? 'partial' : concat.header
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

/** The library's DataStore, backed by the request context. */
class RequestContextStore extends DataStore {
  readonly #context: TusRequestContext
  // Not the library's expiration, which counts from creation; ours is sliding and set by the context.
  override extensions: string[] = ['creation', 'creation-with-upload', 'creation-defer-length', 'termination']

  constructor(context: TusRequestContext) {
    super()
    this.#context = context
  }

  /** The library checks a misspelt name of the extension before it accepts a partial upload. */
  override hasExtension(extension: string): boolean {
    return extension === 'concatentation' || super.hasExtension(extension)
  }

  override async create(upload: Upload): Promise<Upload> {
    upload.id = await this.#context.create()
    return upload
  }

  override async getUpload(id: string): Promise<Upload> {
    return await this.#context.upload(id)
  }

  override async remove(id: string): Promise<void> {
    await this.#context.terminate(id)
  }
}
