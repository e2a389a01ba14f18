// The outage ledger in the store: immutable entries, each created once under a name that follows from its beginning, so
// that whoever finds the same outage writes the same entry.

import { isoTime } from '../../core/clock.ts'
import { objectKeys } from '../../records/keys.ts'
import type { ObjectStore } from '../../storage/object-store.ts'
import type { ToldClaims } from '../receipt-claims.ts'
import type { Affected } from './fleet-outages.ts'

export type Outage = {
  id: string
  from: string
  to: string
  affected: Affected
  /** Who found it: the services, by what they wrote into the store, or a probe on another host. */
  seenBy: 'service' | 'probe'
  /** Of a probe: its name, and what it got instead of an answer. */
  probe?: string
  reason?: string
}

type StoredOutage = Outage & { schema: 1 }

const ID = /^[A-Za-z0-9._-]{1,64}$/

export class OutageLedger {
  readonly #store: Pick<ObjectStore, 'createIfAbsent' | 'read' | 'list'>
  /** Entries never change. */
  readonly #known = new Map<string, Outage>()

  constructor({ store }: { store: Pick<ObjectStore, 'createIfAbsent' | 'read' | 'list'> }) {
    this.#store = store
  }

  /** Notes an outage once. @returns false: it is in the ledger already, as it was noted first */
  async note(outage: Outage): Promise<boolean> {
    const stored: StoredOutage = { schema: 1, ...outage }
    return await this.#store.createIfAbsent(objectKeys.outage(outage.id), Buffer.from(JSON.stringify(stored)))
  }

  /** All that lasted until a moment or longer, oldest first. */
  async list(sinceMs = 0): Promise<Outage[]> {
    const all: Outage[] = []
    for await (const { key } of this.#store.list(objectKeys.outages)) {
      const outage = await this.#at(key)
      if (outage !== undefined && Date.parse(outage.to) >= sinceMs) all.push(outage)
    }
    return all
  }

  async find(id: string): Promise<Outage | undefined> {
    return ID.test(id) ? await this.#at(objectKeys.outage(id)) : undefined
  }

  async #at(key: string): Promise<Outage | undefined> {
    const known = this.#known.get(key)
    if (known !== undefined) return known
    const body = await this.#store.read(key)
    if (body === undefined) return undefined
    const { schema: _schema, ...outage } = JSON.parse(body.toString('utf8')) as StoredOutage
    this.#known.set(key, outage)
    return outage
  }
}

/** `20260930T163005Z-all`. */
export function outageId(fromMs: number, what: string): string {
  return `${isoTime(fromMs).slice(0, 19).replaceAll(/[-:]/g, '')}Z-${what}`
}

/** What the signed form of an entry says. */
export function outageClaims({ id, from, to, ...told }: Outage): ToldClaims {
  return { kind: 'outage', portal: null, submission: null, slot: null, outage: id, from, to, ...told }
}
