// A record is a sequence of immutable numbered versions in the object store. Creating version n+1 is the commit:
// of several writers one wins, the others read again and decide again. A refusal over my own nonce is my success.

import { newToken } from '../core/ids.ts'
import type { ObjectStore } from '../storage/object-store.ts'

export type Versioned = { version: number; nonce: string; committedAt: string }

/** What a decision returns: the next version without the fields that the log itself fills in. */
export type NextVersion<T extends Versioned> = Omit<T, keyof Versioned>

const MAX_ROUNDS = 50

export class VersionLog<T extends Versioned> {
  readonly #store: ObjectStore

  constructor(store: ObjectStore) {
    this.#store = store
  }

  /** Newest version under `prefix` (ends in `/`), or undefined where none exists. */
  async latest(prefix: string): Promise<T | undefined> {
    let newest: string | undefined
    for await (const { key } of this.#store.list(prefix)) newest = key
    return newest === undefined ? undefined : await this.#read(newest)
  }

  /** One version by its number. */
  async version(prefix: string, version: number): Promise<T | undefined> {
    return await this.#read(versionKey(prefix, version))
  }

  /** Versions that were committed since a moment, oldest first. */
  async history(prefix: string, sinceMs: number): Promise<T[]> {
    const keys: string[] = []
    for await (const { key } of this.#store.list(prefix)) keys.push(key)
    return await this.read(keys, sinceMs)
  }

  /** The same of versions whose keys are known, in their order. */
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

  async #read(key: string): Promise<T | undefined> {
    const body = await this.#store.read(key)
    return body === undefined ? undefined : (JSON.parse(body.toString('utf8')) as T)
  }

  /**
   * Commits what `decide` makes of the newest version; asked again whenever another writer was first. `decide`
   * returns undefined to leave things as they are, or throws to refuse. `first` may be a cached, possibly older
   * version; `reread` reads the truth.
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
      if (await this.#create(versionKey(prefix, next.version), next)) return { record: next, committed: true }
      current = await reread()
    }
    throw new Error(`${prefix}: lost ${MAX_ROUNDS} commits in a row`)
  }

  async #create(key: string, next: T): Promise<boolean> {
    try {
      if (await this.#store.createIfAbsent(key, Buffer.from(JSON.stringify(next)))) return true
    } catch (error) {
      // The answer was lost, perhaps not the write: look before reporting trouble.
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
