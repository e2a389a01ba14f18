// A part of a store for one test, whose writes can fail and whose times are those of the test.

import { randomBytes } from 'node:crypto'
import type { ObjectStore } from '../../src/storage/object-store.ts'

type PartOptions = {
  /** Before each write; what it throws the writer gets. */
  beforeWrite?: (key: string) => Promise<void>
  /** When the store says that an object was written. */
  modifiedAtMs?: (key: string, realMs: number) => number
}

export type StorePart = Pick<ObjectStore, 'createIfAbsent' | 'replace' | 'read' | 'list' | 'remove' | 'removeAll'>

/** Small objects of a store, under a prefix that nobody else has. */
export function partOf(store: ObjectStore, { beforeWrite, modifiedAtMs }: PartOptions = {}): StorePart {
  const prefix = `part-${randomBytes(6).toString('hex')}/`
  return {
    async createIfAbsent(key, body) {
      await beforeWrite?.(key)
      return await store.createIfAbsent(prefix + key, body)
    },
    async replace(key, body) {
      await beforeWrite?.(key)
      await store.replace(prefix + key, body)
    },
    read: (key) => store.read(prefix + key),
    async *list(under, after) {
      for await (const info of store.list(prefix + under, after === undefined ? undefined : prefix + after)) {
        const key = info.key.slice(prefix.length)
        yield { ...info, key, modifiedAtMs: modifiedAtMs?.(key, info.modifiedAtMs) ?? info.modifiedAtMs }
      }
    },
    remove: (key) => store.remove(prefix + key),
    removeAll: (under) => store.removeAll(prefix + under),
  }
}
