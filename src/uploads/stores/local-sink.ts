// The sink of the local store: writes one request's bytes to a file.

import { faultPoint } from '../../core/fault-points.ts'
import { objectKeys } from '../../records/keys.ts'
import type { StoredPart } from '../../records/upload-record.ts'
import type { UploadSession } from '../../records/upload-session.ts'
import { closeFd, dataSyncFd, syncDirectory, writeChunks } from '../../storage/fd.ts'
import { storeError } from '../../storage/local.ts'
import type { ByteBudget } from '../budget.ts'
import type { Ledger, Sink } from './port.ts'

export type LocalSinkDeps = {
  fd: number
  key: string
  /** Offset in the upload of the file's first byte. */
  begin: number
  /** The folder to sync, if the file is new. */
  newFolder: string | undefined
  /** Earlier segments. */
  pieces: StoredPart[]
  state: UploadSession
  ledger: Ledger
  budget: ByteBudget
}

export class LocalSink implements Sink {
  readonly #deps: LocalSinkDeps
  #unsyncedFolder: string | undefined
  position: number
  durable: number

  constructor(deps: LocalSinkDeps) {
    this.#deps = deps
    this.#unsyncedFolder = deps.newFolder
    this.position = deps.state.offset
    this.durable = deps.state.offset
  }

  async write(chunks: Buffer[], bytes: number): Promise<void> {
    const { fd, begin, budget } = this.#deps
    try {
      await writeChunks(fd, chunks, this.position - begin)
      this.position += bytes
    } catch (error) {
      throw storeError(error)
    } finally {
      budget.releaseChunks(chunks, bytes)
    }
  }

  async flush(): Promise<void> {
    const { position } = this
    if (position === this.durable) return
    await this.#sync()
    faultPoint('patch.synced')
    await this.#deps.ledger.advance(position)
    this.durable = position
  }

  async complete(): Promise<void> {
    const { ledger, state, key, begin, pieces } = this.#deps
    await this.#sync()
    const data = objectKeys.data(state.draft.id)
    if (pieces.length === 0) await ledger.complete({ kind: 'object', key: data })
    else {
      const last = { number: pieces.length + 1, offset: begin, bytes: this.position - begin, key }
      await ledger.complete({ kind: 'pieces', key: `${data}-joined`, parts: [...pieces, last] })
    }
    this.durable = this.position
  }

  async #sync(): Promise<void> {
    try {
      await dataSyncFd(this.#deps.fd)
      // The first record is in the same folder, and syncs it before anything is acknowledged.
      if (this.#unsyncedFolder !== undefined && !this.#deps.ledger.unrecorded) await syncDirectory(this.#unsyncedFolder)
      this.#unsyncedFolder = undefined
    } catch (error) {
      throw storeError(error)
    }
  }

  async close(): Promise<void> {
    await closeFd(this.#deps.fd)
  }
}
