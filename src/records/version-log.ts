// A record is a sequence of immutable numbered versions in the object store. Creating version n+1 is the commit:
// of several writers one wins, the others fetch the record again and retry. If the existing version has my nonce, my commit succeeded.

import { faultPoint } from '../core/fault-points.ts'
import { newToken } from '../core/ids.ts'
import type { ObjectStore } from '../storage/object-store.ts'

export type Versioned = { version: number; nonce: string; committedAt: string }

/** The next version without the fields that the log sets. */
export type NextVersion<T extends Versioned> = Omit<T, keyof Versioned>

const MAX_ROUNDS = 50

export class VersionLog<T extends Versioned> {
  readonly #store: ObjectStore

  constructor(store: ObjectStore) {
    this.#store = store
  }

  /** Newest version under `prefix` (ends with `/`), or undefined. */
  async latest(prefix: string): Promise<T | undefined> {
    let newest: string | undefined
    for await (const { key } of this.#store.list(prefix)) newest = key
    return newest === undefined ? undefined : await this.#read(newest)
  }

  /** Every version that is still there, oldest first. */
  async all(prefix: string): Promise<T[]> {
    return await this.history(prefix, 0)
  }

  /** Removes all versions but the newest. Later commits are not affected: they begin from that one. */
  async forgetEarlier(prefix: string): Promise<void> {
    const keys: string[] = []
    for await (const { key } of this.#store.list(prefix)) keys.push(key)
    for (const key of keys.slice(0, -1)) await this.#store.remove(key)
  }

  /** Removes a version and all before it; what was committed after it stays. */
  async forgetUpTo(prefix: string, version: number): Promise<void> {
    const keys: string[] = []
    for await (const { key } of this.#store.list(prefix)) if (key <= versionKey(prefix, version)) keys.push(key)
    for (const key of keys) await this.#store.remove(key)
  }

  /** One version by its number. */
  async version(prefix: string, version: number): Promise<T | undefined> {
    return await this.#read(versionKey(prefix, version))
  }

  /**
   * Writes a shorter form over an old version. Its key stays: a writer that was away for long must not find its number
   * free, and commit it again.
   */
  async shorten(prefix: string, version: T): Promise<void> {
    await this.#store.replace(versionKey(prefix, version.version), Buffer.from(JSON.stringify(version)))
  }

  /** Versions committed since a time, oldest first. */
  async history(prefix: string, sinceMs: number): Promise<T[]> {
    const keys: string[] = []
    for await (const { key } of this.#store.list(prefix)) keys.push(key)
    return await this.read(keys, sinceMs)
  }

  /** The same for known keys, in their order. */
  async read(keys: readonly string[], sinceMs: number): Promise<T[]> {
    const found: T[] = []
    for (const key of keys.toReversed()) {
      const version = await this.#read(key)
      if (version === undefined) continue
      if (Date.parse(version.committedAt) < sinceMs) break
      found.push(version)
    }
    return found.toReversed()
  }

  /** The version under a key that was listed. */
  async at(key: string): Promise<T | undefined> {
    return await this.#read(key)
  }

  async #read(key: string): Promise<T | undefined> {
    const body = await this.#store.read(key)
    return body === undefined ? undefined : (JSON.parse(body.toString('utf8')) as T)
  }

  /**
   * Commits the result of `decide` on the newest version; retried if another writer was first. `decide`
   * returns undefined to change nothing, or throws to refuse. `first` may be a cached, possibly older
   * version; `reread` reads the store.
   */
  async commit(
    prefix: string,
    nowIso: () => string,
    first: T | undefined,
    reread: () => Promise<T | undefined>,
    decide: (current: T | undefined) => Promise<NextVersion<T> | undefined> | NextVersion<T> | undefined,
  ): Promise<{ record: T | undefined; committed: boolean }> {
    let current = first
    for (let round = 0; round < MAX_ROUNDS; round++) {
      const decided = await decide(current)
      if (decided === undefined) return { record: current, committed: false }
      const next = {
        ...decided,
        version: (current?.version ?? 0) + 1,
        nonce: newToken(),
        committedAt: nowIso(),
      } as unknown as T
      if (await this.#create(versionKey(prefix, next.version), next)) {
        faultPoint('version.created')
        return { record: next, committed: true }
      }
      current = await reread()
    }
    throw new Error(`${prefix}: lost ${MAX_ROUNDS} commits in a row`)
  }

  async #create(key: string, next: T): Promise<boolean> {
    try {
      if (await this.#store.createIfAbsent(key, Buffer.from(JSON.stringify(next)))) return true
    } catch (error) {
      // The response was lost, but the write may have succeeded: check before failing.
      const found = await this.#read(key).catch(() => {
        throw error
      })
      if (found === undefined) throw error
      return found.nonce === next.nonce
    }
    return (await this.#read(key))?.nonce === next.nonce
  }
}

export function versionKey(prefix: string, version: number): string {
  return `${prefix}${String(version).padStart(6, '0')}.json`
}
