// Disk for bytes that do not count yet: beginnings of S3 parts of slow clients, and bodies whose checksum
// is not verified. Bounded, never counted in an offset, emptied at start. Its bytes are never
// acknowledged, so they may be lost.

import { constants } from 'node:fs'
import { mkdir, readdir, rm, truncate } from 'node:fs/promises'
import { basename, dirname, join } from 'node:path'
import { AppError } from '../../core/errors.ts'
import { faultPoint } from '../../core/fault-points.ts'
import { newToken } from '../../core/ids.ts'
import { isProcessAlive } from '../../core/process-alive.ts'
import { readAll, withFd, writeChunks } from '../../storage/fd.ts'
import { storeError } from '../../storage/local.ts'

export class Spool {
  readonly #folder: string
  readonly #maxBytes: number
  #used = 0

  /** `folder` belongs to this process and is named by its process id. */
  constructor(folder: string, maxBytes: number) {
    this.#folder = folder
    this.#maxBytes = maxBytes
  }

  get maxBytes(): number {
    return this.#maxBytes
  }

  get used(): number {
    return this.#used
  }

  /** Removes the folders of dead processes; the names are process ids. */
  async start(): Promise<void> {
    await mkdir(this.#folder, { recursive: true })
    const all = dirname(this.#folder)
    for (const name of await readdir(all))
      if (name === basename(this.#folder) || !isProcessAlive(Number(name)))
        await rm(join(all, name), { recursive: true, force: true })
    await mkdir(this.#folder, { recursive: true })
  }

  /** False: the spool is full. */
  reserve(bytes: number): boolean {
    if (this.#used + bytes > this.#maxBytes) return false
    this.#used += bytes
    return true
  }

  release(bytes: number): void {
    this.#used -= bytes
  }

  create(): SpoolFile {
    return new SpoolFile(join(this.#folder, newToken()), this)
  }
}

/** The spool file of one request; append-only. */
export class SpoolFile {
  readonly #path: string
  readonly #spool: Spool
  bytes = 0

  constructor(path: string, spool: Spool) {
    this.#path = path
    this.#spool = spool
  }

  /** Appends. False: the spool or its disk is full, and nothing was taken. Throws STORE_UNAVAILABLE; nothing is kept then. */
  async append(chunks: Buffer[], bytes: number): Promise<boolean> {
    if (!this.#spool.reserve(bytes)) return false
    try {
      await withFd(this.#path, constants.O_WRONLY | constants.O_CREAT, (fd) => writeChunks(fd, chunks, this.bytes))
    } catch (error) {
      // A failed write leaves data only beyond `bytes`, where the next write starts.
      this.#spool.release(bytes)
      const failure = storeError(error)
      if (!(failure instanceof AppError) || failure.code !== 'NO_SPACE') throw failure
      // The disk is full before the spool is: the bytes go elsewhere, and what was written of them is given back.
      await truncate(this.#path, this.bytes).catch(() => undefined) // it may not exist yet
      return false
    }
    this.bytes += bytes
    faultPoint('spool.appended')
    return true
  }

  /** Fills `target` with the bytes from `position` on. */
  async readInto(target: Buffer, position = 0): Promise<void> {
    await withFd(this.#path, constants.O_RDONLY, async (fd) => {
      if ((await readAll(fd, target, position)) < target.length)
        throw new Error('spool file is shorter than the bytes written to it')
    })
  }

  async remove(): Promise<void> {
    this.#spool.release(this.bytes)
    this.bytes = 0
    await rm(this.#path, { force: true })
  }
}
