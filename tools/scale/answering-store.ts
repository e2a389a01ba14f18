// An object store in memory that answers at once, so that only the service's own work is measured, and that counts its calls as
// S3 would. Contents are made when they are read: a million records would not fit otherwise.

import { Readable } from 'node:stream'
import type { ObjectInfo, ObjectStore } from '../../src/storage/object-store.ts'
import { SortedKeys } from './sorted-keys.ts'

type Content = { bytes: number; read(): Buffer }

/** Keys that S3 tells at once. */
const PAGE = 1000

export class AnsweringStore implements ObjectStore {
  readonly kind = 's3'
  readonly calls = { list: 0, read: 0, write: 0 }
  readonly #contents = new Map<string, Content>()
  readonly #keys = new SortedKeys()

  /** Puts an object there before anything is measured. */
  seed(key: string, content: Content): void {
    if (!this.#contents.has(key)) this.#keys.add(key)
    this.#contents.set(key, content)
  }

  createIfAbsent(key: string, body: Buffer): Promise<boolean> {
    this.calls.write++
    if (this.#contents.has(key)) return Promise.resolve(false)
    this.seed(key, { bytes: body.length, read: () => body })
    return Promise.resolve(true)
  }

  replace(key: string, body: Buffer): Promise<void> {
    this.calls.write++
    this.seed(key, { bytes: body.length, read: () => body })
    return Promise.resolve()
  }

  read(key: string): Promise<Buffer | undefined> {
    this.calls.read++
    return Promise.resolve(this.#contents.get(key)?.read())
  }

  head(key: string): Promise<{ bytes: number; metadata: Record<string, string> } | undefined> {
    this.calls.read++
    const content = this.#contents.get(key)
    return Promise.resolve(content && { bytes: content.bytes, metadata: {} })
  }

  async open(key: string): Promise<Readable> {
    return Readable.from([(await this.read(key)) ?? Buffer.alloc(0)])
  }

  async readAt(key: string, position: number, length: number): Promise<Buffer> {
    return ((await this.read(key)) ?? Buffer.alloc(0)).subarray(position, position + length)
  }

  async *list(prefix: string, after = ''): AsyncIterable<ObjectInfo> {
    let told = 0
    // A page is one call; the end of the list is told with the last one.
    const countCall = async () => {
      if (told++ % PAGE > 0) return
      this.calls.list++
      await Promise.resolve()
    }
    for (const key of this.#keys.from(after > prefix ? after : prefix)) {
      await countCall()
      if (!key.startsWith(prefix)) return
      const content = this.#contents.get(key)
      if (key !== after && content !== undefined) yield { key, bytes: content.bytes, modifiedAtMs: 0 }
    }
    await countCall()
  }

  remove(key: string): Promise<void> {
    if (this.#contents.delete(key)) this.#keys.remove(key)
    return Promise.resolve()
  }

  async removeAll(prefix: string): Promise<void> {
    for await (const { key } of this.list(prefix)) await this.remove(key)
  }

  publish(): Promise<void> {
    return Promise.reject(new Error('nothing is published here'))
  }

  assemble(): Promise<void> {
    return Promise.reject(new Error('nothing is joined here'))
  }

  abortMultipart(): Promise<void> {
    return Promise.resolve()
  }

  async *listMultipartUploads(): AsyncIterable<never> {}

  localPath(): undefined {
    return undefined
  }

  freeBytes(): Promise<undefined> {
    return Promise.resolve(undefined)
  }

  probe(): Promise<string[]> {
    return Promise.resolve([])
  }

  close(): Promise<void> {
    return Promise.resolve()
  }
}
