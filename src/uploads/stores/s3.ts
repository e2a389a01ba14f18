// Receiving into S3: parts of equal size, sent while the next one is filled; a file that fits into one part is one PutObject
// whose metadata is its first record. Bytes after the last complete part go to a separate object (a tail).

import { objectKeys } from '../../records/keys.ts'
import { removeAllButRecords } from '../../records/upload-objects.ts'
import type { StoredPart } from '../../records/upload-record.ts'
import type { UploadDraft, UploadSession } from '../../records/upload-session.ts'
import type { ObjectStore } from '../../storage/object-store.ts'
import type { ByteBudget } from '../budget.ts'
import type { Known, Ledger, Recovered, Sink, UploadStore } from './port.ts'
import type { S3Parts } from './s3-parts.ts'
import { S3Sink } from './s3-sink.ts'
import type { Spool } from './spool.ts'

export class S3UploadStore implements UploadStore {
  readonly kind = 's3'
  readonly #parts: S3Parts
  readonly #objects: ObjectStore
  readonly #memory: { budget: ByteBudget; spool: Spool }

  constructor(parts: S3Parts, objects: ObjectStore, memory: { budget: ByteBudget; spool: Spool }) {
    this.#memory = memory
    this.#parts = parts
    this.#objects = objects
  }

  partBytes(size: number | null, maxBytes: number): number {
    return this.#parts.sizeOfParts(size, maxBytes)
  }

  async open(state: UploadSession, ledger: Ledger): Promise<Sink> {
    const committed = state.multipartId === null ? [] : await ledger.parts()
    return new S3Sink({
      parts: this.#parts,
      objects: this.#objects,
      state,
      ledger,
      ...this.#memory,
      committed,
    })
  }

  async recover(draft: UploadDraft, known: Known): Promise<Recovered> {
    const key = objectKeys.data(draft.id)
    const candidates = known.multipartId === null ? await this.#parts.listMultipartUploads(key) : [known.multipartId]
    let best: { multipartId: string | null; parts: StoredPart[] } = {
      multipartId: known.multipartId,
      parts: [],
    }
    for (const multipartId of candidates) {
      const parts = await this.#parts.contiguous(key, multipartId, known.partBytes)
      if (parts.length >= best.parts.length) best = { multipartId, parts }
    }
    const stored = best.parts.reduce((sum, { bytes }) => sum + bytes, 0)
    const tail = await this.#tailAt(draft.id, stored, known.tailKey)
    return {
      offset: stored + (tail?.bytes ?? 0),
      multipartId: best.multipartId,
      tailKey: tail?.key ?? null,
      parts: best.parts,
    }
  }

  /**
   * The tail that starts at `offset`: the acknowledged one where it is known, since a holder that lost the upload may have
   * left a longer one with other bytes. Else the longest: an acknowledged tail is never shorter than earlier ones.
   */
  async #tailAt(id: string, offset: number, acknowledged: string | null | undefined) {
    const prefix = objectKeys.tail(id, offset, '')
    if (acknowledged === null) return undefined
    if (acknowledged !== undefined) {
      // One that begins before `offset` is in the parts.
      if (!acknowledged.startsWith(prefix)) return undefined
      const found = await this.#objects.head(acknowledged)
      if (found !== undefined) return { key: acknowledged, bytes: found.bytes }
    }
    let longest: { key: string; bytes: number } | undefined
    for await (const { key, bytes } of this.#objects.list(objectKeys.upload(id)))
      if (key.startsWith(prefix) && bytes > (longest?.bytes ?? 0)) longest = { key, bytes }
    return longest
  }

  async discard(id: string, multipartId: string | null): Promise<void> {
    const key = objectKeys.data(id)
    for (const begun of multipartId === null ? await this.#parts.listMultipartUploads(key) : [multipartId])
      await this.#objects.abortMultipart(key, begun)
    await removeAllButRecords(this.#objects, id)
  }
}
