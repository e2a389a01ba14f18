// Receiving into a local directory: positional writes into one file per upload, fdatasync before anything is
// acknowledged. Writes are in order, so the file's length is always the length of the contiguous prefix.

import { constants, type WriteVResult, writev as writevCallback } from 'node:fs'
import { type FileHandle, open, rm } from 'node:fs/promises'
import { dirname } from 'node:path'
import { promisify } from 'node:util'
import type { HotUpload, UploadDraft } from '../../records/hot-upload.ts'
import { objectKeys } from '../../records/keys.ts'
import { type LocalObjectStore, makeDirectory, storeError, syncDirectory } from '../../storage/local.ts'
import type { ByteBudget } from '../budget.ts'
import type { Ledger, Recovered, Sink, UploadStore } from './port.ts'

const writev = promisify(writevCallback) as unknown as (
  fd: number,
  buffers: readonly NodeJS.ArrayBufferView[],
  position: number,
) => Promise<WriteVResult>

export class LocalUploadStore implements UploadStore {
  readonly kind = 'local'
  readonly #store: LocalObjectStore
  readonly #budget: ByteBudget

  constructor(store: LocalObjectStore, budget: ByteBudget) {
    this.#store = store
    this.#budget = budget
  }

  partBytes(): number {
    return 0
  }

  async open(state: HotUpload, ledger: Ledger): Promise<Sink> {
    const path = this.#store.path(objectKeys.data(state.draft.id))
    const handle = await openForWriting(path)
    return new LocalSink(handle, path, state, ledger, this.#budget)
  }

  async recover(draft: UploadDraft): Promise<Recovered> {
    const path = this.#store.path(objectKeys.data(draft.id))
    let offset = 0
    try {
      const handle = await open(path, 'r+')
      try {
        await handle.datasync()
        offset = (await handle.stat()).size
      } finally {
        await handle.close()
      }
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw storeError(error)
    }
    return { offset, multipartId: null, tailKey: null, parts: [] }
  }

  async discard(id: string): Promise<void> {
    await rm(this.#store.path(objectKeys.data(id)), { force: true })
  }
}

async function openForWriting(path: string): Promise<FileHandle> {
  const flags = constants.O_WRONLY | constants.O_CREAT
  try {
    return await open(path, flags).catch(async (error: unknown) => {
      if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error
      await makeDirectory(dirname(path))
      return await open(path, flags)
    })
  } catch (error) {
    throw storeError(error)
  }
}

class LocalSink implements Sink {
  readonly #file: FileHandle
  readonly #budget: ByteBudget
  readonly #ledger: Ledger
  readonly #id: string
  /** The folder whose entry for a new file is not durable yet. */
  #unsyncedFolder: string | undefined
  position: number
  durable: number

  constructor(file: FileHandle, path: string, state: HotUpload, ledger: Ledger, budget: ByteBudget) {
    this.#budget = budget
    this.#file = file
    this.#unsyncedFolder = state.offset === 0 ? dirname(path) : undefined
    this.#ledger = ledger
    this.#id = state.draft.id
    this.position = state.offset
    this.durable = state.offset
  }

  async write(chunks: Buffer[], bytes: number): Promise<void> {
    try {
      let rest = chunks
      let left = bytes
      while (left > 0) {
        const { bytesWritten } = await writev(this.#file.fd, rest, this.position)
        this.position += bytesWritten
        left -= bytesWritten
        // A short write (a full disk, a signal): go on behind what was taken.
        if (left > 0) rest = skip(rest, bytesWritten)
      }
    } catch (error) {
      throw storeError(error)
    } finally {
      this.#budget.give(bytes)
    }
  }

  async flush(): Promise<void> {
    const { position } = this
    if (position === this.durable) return
    await this.#sync()
    await this.#ledger.advance(position)
    this.durable = position
  }

  async complete(): Promise<void> {
    await this.#sync()
    await this.#ledger.complete({ kind: 'object', key: objectKeys.data(this.#id) })
    this.durable = this.position
  }

  async #sync(): Promise<void> {
    try {
      await this.#file.datasync()
      if (this.#unsyncedFolder !== undefined) await syncDirectory(this.#unsyncedFolder)
      this.#unsyncedFolder = undefined
    } catch (error) {
      throw storeError(error)
    }
  }

  async close(): Promise<void> {
    await this.#file.close()
  }
}

function skip(chunks: Buffer[], bytes: number): Buffer[] {
  let left = bytes
  for (const [i, chunk] of chunks.entries()) {
    if (left < chunk.length) return [chunk.subarray(left), ...chunks.slice(i + 1)]
    left -= chunk.length
  }
  return []
}
