// A Redis consumer group over several streams: every entry is delivered to one consumer, is pending until it is done,
// and is taken over if its consumer dies.

import type { RedisConnection } from '../core/redis.ts'

export type StreamEntry = {
  key: string
  id: string /** null: trimmed while pending. */
  fields: string[] | null
}

/** The consumer group that queues webhooks. */
export const WEBHOOK_GROUP = 'webhooks'
/** A consumer with an entry pending for this time counts as dead. */
const TAKE_OVER_MS = 60_000
/** Dead consumers are removed from the group after this time. */
const FORGET_CONSUMER_MS = 60 * 60_000
const COUNT = 64

type RawStream = [key: string, entries: [id: string, fields: string[] | null][]]

export class StreamGroup {
  readonly #commands: RedisConnection
  readonly #reader: RedisConnection
  readonly #group: string
  readonly #consumer: string
  readonly #known = new Set<string>()

  /** `reader` blocks, so it must be a separate connection. */
  constructor(deps: {
    commands: RedisConnection
    reader: RedisConnection
    group: string
    consumer: string
  }) {
    this.#commands = deps.commands
    this.#reader = deps.reader
    this.#group = deps.group
    this.#consumer = deps.consumer
  }

  /** Creates the group if it is missing, from the oldest entry: earlier events count too. */
  async join(keys: string[]): Promise<void> {
    for (const key of keys) {
      if (this.#known.has(key)) continue
      try {
        await this.#commands.xgroup('CREATE', key, this.#group, '0', 'MKSTREAM')
      } catch (error) {
        if (!(error instanceof Error && error.message.startsWith('BUSYGROUP'))) throw error
      }
      this.#known.add(key)
    }
  }

  /** Resets `join`: after a restart Redis may not have the group. */
  forget(): void {
    this.#known.clear()
  }

  /** Pending entries of this consumer in one stream, after an id. */
  async pending(key: string, after: string): Promise<StreamEntry[]> {
    const answer = await this.#commands.xreadgroup(
      'GROUP',
      this.#group,
      this.#consumer,
      'COUNT',
      COUNT,
      'STREAMS',
      key,
      after,
    )
    return flatten(answer as RawStream[] | null)
  }

  /** New entries; waits up to `blockMs` for the first. */
  async next(keys: string[], blockMs: number): Promise<StreamEntry[]> {
    const answer = await this.#reader.xreadgroup(
      'GROUP',
      this.#group,
      this.#consumer,
      'COUNT',
      COUNT,
      'BLOCK',
      blockMs,
      'STREAMS',
      ...keys,
      ...keys.map(() => '>'),
    )
    return flatten(answer as RawStream[] | null)
  }

  async done({ key, id }: StreamEntry): Promise<void> {
    await this.#commands.xack(key, this.#group, id)
  }

  /** Takes over entries of dead consumers; true if there were any. */
  async takeOver(keys: string[], idleMs = TAKE_OVER_MS): Promise<boolean> {
    let any = false
    for (const key of keys) {
      const [, claimed] = (await this.#commands.xautoclaim(
        key,
        this.#group,
        this.#consumer,
        idleMs,
        '0',
        'COUNT',
        COUNT,
        'JUSTID',
      )) as [string, string[]]
      if (claimed.length > 0) any = true
      await this.#forgetConsumers(key)
    }
    return any
  }

  async #forgetConsumers(key: string): Promise<void> {
    const consumers = (await this.#commands.xinfo('CONSUMERS', key, this.#group)) as (string | number)[][]
    for (const fields of consumers) {
      const value = (name: string) => fields[fields.indexOf(name) + 1]
      const name = String(value('name'))
      // Live consumers read every few seconds; one with pending entries is kept until they are taken over.
      if (name === this.#consumer || value('pending') !== 0 || Number(value('idle')) < FORGET_CONSUMER_MS) continue
      await this.#commands.xgroup('DELCONSUMER', key, this.#group, name)
    }
  }
}

function flatten(answer: RawStream[] | null): StreamEntry[] {
  return (answer ?? []).flatMap(([key, entries]) => entries.map(([id, fields]) => ({ key, id, fields })))
}
