// Disk for the beginnings of S3 parts that slow clients have sent: bounded, never counted in an offset, emptied at
// start. What is lost with it was not acknowledged.

import { mkdir, open, readdir, rm } from 'node:fs/promises'
import { basename, dirname, join } from 'node:path'
import { faultPoint } from '../../core/fault-points.ts'
import { newToken } from '../../core/ids.ts'
import { isProcessAlive } from '../../core/process-alive.ts'

export class Spool {
  readonly #folder: string
  readonly #maxBytes: number
  #used = 0

  /** `folder` belongs to this process alone and is named by its id. */
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

  /** Empties what earlier processes left behind; folders beside this one belong to processes by their id. */
  async start(): Promise<void> {
    await mkdir(this.#folder, { recursive: true })
    const all = dirname(this.#folder)
    for (const name of await readdir(all))
      if (name === basename(this.#folder) || !isProcessAlive(Number(name)))
        await rm(join(all, name), { recursive: true, force: true })
    await mkdir(this.#folder, { recursive: true })
  }

  /** False: full; what is to be relieved must go elsewhere. */
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

/** One part's beginning on disk; append only. */
export class SpoolFile {
  readonly #path: string
  readonly #spool: Spool
  bytes = 0

  constructor(path: string, spool: Spool) {
    this.#path = path
    this.#spool = spool
  }

  /** Appends; room must have been reserved. */
  async append(chunks: Buffer[], bytes: number): Promise<void> {
    const file = await open(this.#path, 'a')
    try {
      await file.writev(chunks)
    } finally {
      await file.close()
    }
    this.bytes += bytes
    faultPoint('spool.appended')
  }

  async readInto(target: Buffer): Promise<void> {
    const file = await open(this.#path, 'r')
    try {
      let filled = 0
      while (filled < this.bytes) {
        const { bytesRead } = await file.read(target, filled, this.bytes - filled, filled)
        if (bytesRead === 0) throw new Error('a spool file is shorter than what was written to it')
        filled += bytesRead
      }
    } finally {
      await file.close()
    }
  }

  async remove(): Promise<void> {
    this.#spool.release(this.bytes)
    this.bytes = 0
    await rm(this.#path, { force: true })
  }
}
