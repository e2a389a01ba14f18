// Object store in a local directory, for one machine. Durable means fsync of the file and of its folders.

import { constants, createReadStream } from 'node:fs'
import { copyFile, link, mkdir, open, readdir, rename, rm, stat, statfs, unlink } from 'node:fs/promises'
import { dirname, join, resolve } from 'node:path'
import type { Readable } from 'node:stream'
import { AppError } from '../core/errors.ts'
import { newToken } from '../core/ids.ts'
import { closeFd, dataSyncFd, openFd, readWhole, syncDirectory, withFd, writeAll } from './fd.ts'
import type { ByteRange, ObjectInfo, ObjectStore, Piece } from './object-store.ts'

const isCode = (error: unknown, ...codes: string[]) => codes.includes((error as NodeJS.ErrnoException).code ?? '')

/** Retries of link(2) if the folder or the staged file was removed meanwhile. */
const MAX_ROUNDS = 5

/** mkdir -p with fsync of every new level. */
export async function makeDirectory(path: string): Promise<void> {
  const first = await mkdir(path, { recursive: true })
  if (first === undefined) return
  for (let level = path; level.length >= first.length; level = dirname(level)) await syncDirectory(dirname(level))
}

/** Converts file system errors into NO_SPACE or STORE_UNAVAILABLE. */
export function storeError(error: unknown): unknown {
  if (isCode(error, 'ENOSPC', 'EDQUOT')) return new AppError('NO_SPACE', { cause: error, retryAfterSeconds: 60 })
  if (isCode(error, 'EIO', 'EROFS', 'ENODEV', 'ESTALE', 'EMFILE', 'ENFILE'))
    return new AppError('STORE_UNAVAILABLE', { cause: error, retryAfterSeconds: 10 })
  return error
}

export class LocalObjectStore implements ObjectStore {
  readonly kind = 'local'
  readonly root: string
  readonly #staging: string

  /** `dataDir` holds `store/` (objects) and `staging/` (unfinished writes, on the same file system). */
  constructor(dataDir: string) {
    this.root = resolve(dataDir, 'store')
    this.#staging = resolve(dataDir, 'staging')
  }

  /** Absolute path of a key. A key outside the root is a programming error. */
  path(key: string): string {
    // `.` and `..` could leave the prefix; a prefix may end with a slash.
    if (
      key
        .replace(/\/$/, '')
        .split('/')
        .some((part) => ['', '.', '..'].includes(part)) ||
      key.includes('\0')
    )
      throw new Error(`key outside its prefix: ${key}`)
    return join(this.root, key)
  }

  async createIfAbsent(key: string, body: Buffer): Promise<boolean> {
    const target = this.path(key)
    const staged = join(this.#staging, newToken())
    try {
      await this.#write(staged, body)
      for (let round = 0; ; round++) {
        try {
          // link(2) fails if the name exists, and the name appears only with the complete content.
          await link(staged, target)
          break
        } catch (error) {
          if (isCode(error, 'EEXIST')) return false
          if (!isCode(error, 'ENOENT')) throw error
          if (round === MAX_ROUNDS) throw new AppError('STORE_UNAVAILABLE', { cause: error, retryAfterSeconds: 10 })
          await makeDirectory(dirname(target))
          // The staged file was removed by a process whose clock is ahead: write it again.
          if (round > 0) await this.#write(staged, body)
        }
      }
      await syncDirectory(dirname(target))
      return true
    } catch (error) {
      throw storeError(error)
    } finally {
      await unlink(staged).catch((error: unknown) => {
        // It may not exist; other leftovers are removed by the clean-up of the staging folder.
        if (!isCode(error, 'ENOENT')) return
      })
    }
  }

  async replace(key: string, body: Buffer): Promise<void> {
    const target = this.path(key)
    const staged = join(this.#staging, newToken())
    try {
      await this.#write(staged, body)
      await rename(staged, target)
      await syncDirectory(dirname(target))
    } catch (error) {
      throw storeError(error)
    }
  }

  async #write(path: string, body: Buffer): Promise<void> {
    const create = () => openFd(path, constants.O_WRONLY | constants.O_CREAT | constants.O_TRUNC)
    const fd = await create().catch(async (error: unknown) => {
      if (!isCode(error, 'ENOENT')) throw error
      await makeDirectory(this.#staging)
      return create()
    })
    try {
      await writeAll(fd, body)
      await dataSyncFd(fd)
    } finally {
      await closeFd(fd)
    }
  }

  async read(key: string): Promise<Buffer | undefined> {
    try {
      return await withFd(this.path(key), constants.O_RDONLY, readWhole)
    } catch (error) {
      if (isCode(error, 'ENOENT', 'ENOTDIR')) return undefined
      throw storeError(error)
    }
  }

  async head(key: string): Promise<{ bytes: number; metadata: Record<string, string> } | undefined> {
    try {
      return { bytes: (await stat(this.path(key))).size, metadata: {} }
    } catch (error) {
      if (isCode(error, 'ENOENT', 'ENOTDIR')) return undefined
      throw storeError(error)
    }
  }

  async open(key: string, range?: ByteRange): Promise<Readable> {
    const handle = await open(this.path(key), 'r').catch((error: unknown) => {
      throw isCode(error, 'ENOENT', 'ENOTDIR') ? new AppError('UPLOAD_UNKNOWN', { cause: error }) : storeError(error)
    })
    return createReadStream('', { fd: handle, highWaterMark: 256 * 1024, ...(range ?? {}) })
  }

  async readAt(key: string, position: number, length: number): Promise<Buffer> {
    const handle = await open(this.path(key), 'r').catch((error: unknown) => {
      throw isCode(error, 'ENOENT', 'ENOTDIR') ? new AppError('UPLOAD_UNKNOWN', { cause: error }) : storeError(error)
    })
    try {
      const buffer = Buffer.allocUnsafe(length)
      let filled = 0
      while (filled < length) {
        const { bytesRead } = await handle.read(buffer, filled, length - filled, position + filled)
        if (bytesRead === 0) break
        filled += bytesRead
      }
      return buffer.subarray(0, filled)
    } finally {
      await handle.close()
    }
  }

  async publish(key: string, path: string): Promise<void> {
    const target = this.path(key)
    try {
      await makeDirectory(dirname(target))
      const handle = await open(path, 'r+')
      await handle.sync()
      await handle.close()
      try {
        await rename(path, target)
      } catch (error) {
        if (!isCode(error, 'EXDEV')) throw error
        await copyFile(path, target, constants.COPYFILE_FICLONE)
        const copy = await open(target, 'r+')
        await copy.sync()
        await copy.close()
        await unlink(path)
      }
      await syncDirectory(dirname(target))
    } catch (error) {
      throw storeError(error)
    }
  }

  async *list(prefix: string, after = ''): AsyncIterable<ObjectInfo> {
    const folder = prefix.slice(0, -1)
    const entries = await readdir(this.path(folder), { withFileTypes: true }).catch((error: unknown) => {
      if (isCode(error, 'ENOENT', 'ENOTDIR')) return []
      throw storeError(error)
    })
    // Key order: folders sort by their name with the slash.
    const names = entries.map((entry) => (entry.isDirectory() ? `${entry.name}/` : entry.name)).sort()
    for (const name of names) {
      const key = prefix + name
      if (name.endsWith('/')) {
        if (key < after && !after.startsWith(key)) continue
        yield* this.list(key, after)
      } else if (key > after) {
        const info = await stat(this.path(key)).catch((error: unknown) => {
          if (isCode(error, 'ENOENT')) return undefined
          throw storeError(error)
        })
        if (info !== undefined) yield { key, bytes: info.size, modifiedAtMs: info.mtimeMs }
      }
    }
  }

  async assemble(key: string, pieces: Piece[]): Promise<void> {
    const bytes = pieces.reduce((sum, piece) => sum + piece.bytes, 0)
    if ((await this.head(key))?.bytes === bytes) return
    // Staged and renamed, so that readers never see an incomplete file.
    const staged = join(this.#staging, newToken())
    await makeDirectory(this.#staging)
    const out = await open(staged, 'w')
    try {
      for (const piece of pieces) {
        if (piece.key === undefined) throw new Error(`${key}: a piece has no file`)
        if (piece.bytes === 0) continue
        // A file may be longer than its counted bytes.
        const source = await this.open(piece.key, { start: 0, end: piece.bytes - 1 })
        for await (const chunk of source) await out.write(chunk as Buffer)
      }
    } catch (error) {
      await rm(staged, { force: true })
      // Whoever did it before may have removed the pieces, too.
      if ((await this.head(key))?.bytes === bytes) return
      if (isCode(error, 'UPLOAD_UNKNOWN')) throw new Error(`${key}: a piece of it is gone`, { cause: error })
      throw storeError(error)
    } finally {
      await out.close()
    }
    if ((await stat(staged)).size !== bytes) throw new Error(`${key}: the pieces do not have the recorded length`)
    await this.publish(key, staged)
  }

  abortMultipart(): Promise<void> {
    return Promise.resolve()
  }

  async *listMultipartUploads(): AsyncIterable<never> {}

  async remove(key: string): Promise<void> {
    await rm(this.path(key), { force: true })
  }

  async removeAll(prefix: string): Promise<void> {
    await rm(this.path(prefix.slice(0, -1)), { recursive: true, force: true })
  }

  localPath(key: string): string {
    return this.path(key)
  }

  async freeBytes(): Promise<number> {
    await mkdir(this.root, { recursive: true })
    const { bavail, bsize } = await statfs(this.root)
    return bavail * bsize
  }

  async probe(): Promise<string[]> {
    await makeDirectory(this.root)
    const key = `probe/${newToken()}`
    const results = await Promise.all([1, 2, 3, 4].map((n) => this.createIfAbsent(key, Buffer.from(`${n}`))))
    // Only its own file: other processes may start at the same time.
    await this.remove(key)
    if (results.filter(Boolean).length !== 1)
      throw new Error(
        `DATA_DIR ${this.root}: the file system lets two writers create the same file; it cannot be used for records`,
      )
    return []
  }

  close(): Promise<void> {
    return Promise.resolve()
  }
}
