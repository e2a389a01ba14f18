// Which accepted files of a portal have the same bytes: an index of their SHA-256 in the store, and what reviewers are told of
// it. The index has hashes under a random key that lies in the store, so that names of objects, as in logs and lists of a
// bucket, tell nobody whether he has one of the files. It only proposes: the records of both sides decide on every read.

import { createHmac, randomBytes } from 'node:crypto'
import { AppError } from '../core/errors.ts'
import { objectKeys } from '../records/keys.ts'
import { isAccepted, isEnded, type UploadRecord } from '../records/upload-record.ts'
import type { UploadRecords } from '../records/upload-records.ts'
import type { ObjectStore } from '../storage/object-store.ts'

const KEY_BYTES = 32

export type ReadFile = Pick<UploadRecord, 'id' | 'owner' | 'sha256'>

export class SameContent {
  readonly #store: ObjectStore
  readonly #uploads: Pick<UploadRecords, 'latest' | 'fromStore'>
  #key: Promise<Buffer> | undefined

  constructor(deps: { store: ObjectStore; uploads: Pick<UploadRecords, 'latest' | 'fromStore'> }) {
    this.#store = deps.store
    this.#uploads = deps.uploads
  }

  /** Adds a file whose SHA-256 is on record. Idempotent. */
  async add(file: ReadFile): Promise<void> {
    const entry = await this.#entryOf(file)
    if (entry === undefined) return
    await this.#store.createIfAbsent(entry, Buffer.alloc(0))
    // It may have been cancelled, and its erasure may have been here before this was written.
    const now = await this.#uploads.fromStore(file.id)
    if (now === undefined || isEnded(now.state)) await this.#store.remove(entry)
  }

  /** Of a file that is to be erased, from its last record that has the SHA-256. Idempotent. */
  async forget(file: ReadFile): Promise<void> {
    const entry = await this.#entryOf(file)
    if (entry !== undefined) await this.#store.remove(entry)
  }

  /** Other accepted files with the same bytes, whosesoever they are. */
  async *others(file: ReadFile): AsyncGenerator<UploadRecord> {
    if (file.sha256 === null) return
    for await (const { key } of this.#store.list(await this.#folderOf(file.owner, file.sha256))) {
      const id = key.slice(key.lastIndexOf('/') + 1)
      if (id === file.id) continue
      const record = await this.#uploads.latest(id)
      if (record !== undefined && isAccepted(record.state) && record.sha256 === file.sha256) yield record
    }
  }

  async #entryOf({ id, owner, sha256 }: ReadFile): Promise<string | undefined> {
    return sha256 === null ? undefined : `${await this.#folderOf(owner, sha256)}${id}`
  }

  async #folderOf(owner: string, sha256: string): Promise<string> {
    this.#key ??= this.#loadKey()
    // What failed once must not fail for ever.
    const key = await this.#key.catch((error: unknown) => {
      this.#key = undefined
      throw error
    })
    const hash = createHmac('sha256', key)
      .update(JSON.stringify([owner, sha256]))
      .digest('base64url')
    return objectKeys.contents(owner, hash)
  }

  /** The same for all processes, and for good: whoever comes first makes it. */
  async #loadKey(): Promise<Buffer> {
    await this.#store.createIfAbsent(objectKeys.contentKey, randomBytes(KEY_BYTES))
    const key = await this.#store.read(objectKeys.contentKey)
    if (key?.length !== KEY_BYTES) throw new AppError('STORE_UNAVAILABLE')
    return key
  }
}
