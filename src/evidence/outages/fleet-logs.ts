// The logs of all services, as the store has them.

import type { Logger } from '../../core/logger.ts'
import { objectKeys } from '../../records/keys.ts'
import type { ObjectStore } from '../../storage/object-store.ts'
import { type AliveLog, decodeLog, moved } from './alive-log.ts'
import { aheadMs } from './fleet-outages.ts'

export type StoredLog = { key: string; writtenAtMs: number; log: AliveLog }

type Stores = { store: Pick<ObjectStore, 'list' | 'read'>; logger: Logger }

export class FleetLogs {
  readonly #deps: Stores
  /** Of services that are gone the logs don't change. */
  readonly #read = new Map<string, StoredLog>()

  constructor(deps: Stores) {
    this.#deps = deps
  }

  /** Where logs are, and when the store says they were written. */
  async list(): Promise<{ key: string; writtenAtMs: number }[]> {
    const found: { key: string; writtenAtMs: number }[] = []
    for await (const { key, modifiedAtMs } of this.#deps.store.list(objectKeys.heartbeats))
      found.push({ key, writtenAtMs: modifiedAtMs })
    return found
  }

  /**
   * All logs. One whose clock is ahead of that of `own` is moved back.
   *
   * @param own key of the log that the caller has just written; absent: it writes none
   */
  async all(own?: string): Promise<StoredLog[]> {
    const found = await this.list()
    const keys = new Set(found.map(({ key }) => key))
    for (const key of this.#read.keys()) if (!keys.has(key)) this.#read.delete(key)
    for (const { key, writtenAtMs } of found) {
      if (this.#read.get(key)?.writtenAtMs === writtenAtMs && key !== own) continue
      const log = await this.#readOne(key)
      if (log !== undefined) this.#read.set(key, { key, writtenAtMs, log })
    }
    const logs = [...this.#read.values()]
    const mine = logs.find(({ key }) => key === own)
    return mine === undefined ? logs : logs.map((one) => ({ ...one, log: aligned(one, mine) }))
  }

  async #readOne(key: string): Promise<AliveLog | undefined> {
    const body = await this.#deps.store.read(key)
    if (body === undefined) return undefined
    try {
      return decodeLog(body)
    } catch (err) {
      // Damaged: the others still tell when somebody was alive.
      this.#deps.logger.warn({ err, key }, 'a heartbeat in the store cannot be read; it is passed over')
      return undefined
    }
  }
}

function aligned(one: StoredLog, own: StoredLog): AliveLog {
  const [its, mine] = [lastMs(one.log), lastMs(own.log)]
  if (its === undefined || mine === undefined) return one.log
  const by = aheadMs({ toMs: its, writtenAtMs: one.writtenAtMs }, { toMs: mine, writtenAtMs: own.writtenAtMs })
  return by === 0 ? one.log : moved(one.log, -by)
}

export function lastMs({ stretches }: AliveLog): number | undefined {
  return stretches.at(-1)?.toMs
}
