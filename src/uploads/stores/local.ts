// Receiving into a local directory: positional writes into one file per upload, fdatasync before anything is
// acknowledged. Writes are in order, so the file's length is always the length of the contiguous prefix.
//
// A holder that did not release the lock may still be writing. If its process has ended, it is not; if it
// may be alive (it hung), its successor continues in a new file, a segment, and the file before
// counts only up to the start of that segment: a late writer cannot damage the bytes of others.

import { constants } from 'node:fs'
import { readdir, rm } from 'node:fs/promises'
import { dirname } from 'node:path'
import { newToken } from '../../core/ids.ts'
import { objectKeys } from '../../records/keys.ts'
import type { StoredPart } from '../../records/upload-record.ts'
import type { UploadDraft, UploadSession } from '../../records/upload-session.ts'
import { closeFd, dataSyncFd, openFd, statFd, syncDirectory, withFd } from '../../storage/fd.ts'
import { type LocalObjectStore, makeDirectory, storeError } from '../../storage/local.ts'
import type { ByteBudget } from '../budget.ts'
import { mayBeAlive } from '../peers.ts'
import { LocalSink } from './local-sink.ts'
import type { Known, Ledger, Recovered, Sink, UploadStore } from './port.ts'

const SEGMENT = /^seg-(\d{14})-[0-9a-f]+$/

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

  async open(state: UploadSession, ledger: Ledger): Promise<Sink> {
    const { id } = state.draft
    const key = state.tailKey ?? objectKeys.data(id)
    const begin = beginOf(key)
    const path = this.#store.path(key)
    const fd = await openForWriting(path)
    const newFolder = state.offset === begin ? dirname(path) : undefined
    const pieces = begin === 0 ? [] : await ledger.parts()
    return new LocalSink({ fd, key, begin, newFolder, pieces, state, ledger, budget: this.#budget })
  }

  async recover(draft: UploadDraft, { formerHolder }: Known): Promise<Recovered> {
    const files = await this.#filesOf(draft.id)
    const parts: StoredPart[] = []
    let last = { key: objectKeys.data(draft.id), begin: 0, bytes: 0 }
    for (const [i, { key, begin }] of files.entries()) {
      last = { key, begin, bytes: await this.#syncedLength(key) }
      const next = files[i + 1]
      // Bytes beyond the start of the next segment are from a late writer.
      if (next !== undefined) parts.push({ number: i + 1, offset: begin, bytes: next.begin - begin, key })
    }
    const offset = last.begin + last.bytes
    const tailKey = last.begin === 0 ? null : last.key
    if (formerHolder === null || last.bytes === 0 || !mayBeAlive(formerHolder))
      return { offset, multipartId: null, tailKey, parts }
    const segment = objectKeys.segment(draft.id, offset, newToken())
    await closeFd(await openForWriting(this.#store.path(segment)))
    await syncDirectory(dirname(this.#store.path(segment)))
    const closed = { number: parts.length + 1, offset: last.begin, bytes: last.bytes, key: last.key }
    return { offset, multipartId: null, tailKey: segment, parts: [...parts, closed] }
  }

  /** The segments of an upload in order; of two with the same start the newer counts. */
  async #filesOf(id: string): Promise<{ key: string; begin: number }[]> {
    const prefix = objectKeys.upload(id)
    const names = await readdir(this.#store.path(prefix.slice(0, -1))).catch((error: unknown) => {
      if ((error as NodeJS.ErrnoException).code === 'ENOENT') return []
      throw storeError(error)
    })
    const files = names
      .filter((name) => name === 'data' || SEGMENT.test(name))
      .map((name) => ({ key: prefix + name, begin: beginOf(name) }))
    return files.sort((a, b) => a.begin - b.begin)
  }

  async #syncedLength(key: string): Promise<number> {
    try {
      return await withFd(this.#store.path(key), constants.O_RDWR, async (fd) => {
        await dataSyncFd(fd)
        return (await statFd(fd)).size
      })
    } catch (error) {
      throw storeError(error)
    }
  }

  async discard(id: string): Promise<void> {
    for (const { key } of await this.#filesOf(id)) await rm(this.#store.path(key), { force: true })
  }
}

/** The start offset of a segment, from its name. */
function beginOf(key: string): number {
  return Number(SEGMENT.exec(key.slice(key.lastIndexOf('/') + 1))?.[1] ?? 0)
}

async function openForWriting(path: string): Promise<number> {
  const flags = constants.O_WRONLY | constants.O_CREAT
  try {
    return await openFd(path, flags).catch(async (error: unknown) => {
      if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error
      await makeDirectory(dirname(path))
      return await openFd(path, flags)
    })
  } catch (error) {
    throw storeError(error)
  }
}
