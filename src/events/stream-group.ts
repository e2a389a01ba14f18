// A Redis consumer group over several streams: every entry is handed to one consumer, stays pending until it is done,
// and is taken over from a consumer that died.

import type { RedisConnection } from '../core/redis.ts'

export type StreamEntry = {
  key: string
  id: string /** null: trimmed away while pending. */
  fields: string[] | null
}

/** The group of those who queue webhooks. */
export const WEBHOOK_GROUP = 'webhooks'
/** A consumer that has not been done with an entry for so long is taken for dead. */
export const TAKE_OVER_MS = 60_000
/** The names of consumers that are gone are kept so long for whoever looks at the group. */
const FORGET_CONSUMER_MS = 60 * 60_000
const COUNT = 64

type RawStream = [key: string, entries: [id: string, fields: string[] | null][]]

export class StreamGroup {
  readonly #commands: RedisConnection
  readonly #reader: RedisConnection
  readonly #group: string
  readonly #consumer: string
  readonly #known = new Set<string>()

  /** `reader` blocks and so must be a connection of its own. */
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

  /** Creates the group where it is missing, from the oldest entry on: what came before the first consumer counts too. */
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

  /** Forgets what `join` has seen: Redis may have come back without it. */
  forget(): void {
    this.#known.clear()
  }

  /** Entries of one stream, after an id, that this consumer was handed and is not done with. */
  async pending(key: string, after: string): Promise<StreamEntry[]> {
    const answer = await this.#commands.xreadgroup(
      ...(['GROUP', this.#group, this.#consumer] as const),
      ...(['COUNT', COUNT, 'STREAMS', key, after] as const),
    )
    return flatten(answer as RawStream[] | null)
  }

  /** New entries; waits up to `blockMs` for the first. */
  async next(keys: string[], blockMs: number): Promise<StreamEntry[]> {
    const answer = await this.#reader.xreadgroup(
      ...(['GROUP', this.#group, this.#consumer] as const),
      ...(['COUNT', COUNT, 'BLOCK', blockMs, 'STREAMS', ...keys, ...keys.map(() => '>')] as const),
    )
    return flatten(answer as RawStream[] | null)
  }

  async done({ key, id }: StreamEntry): Promise<void> {
    await this.#commands.xack(key, this.#group, id)
  }

  /** Makes entries of dead consumers pending here; true where there were any. */
  async takeOver(keys: string[], idleMs = TAKE_OVER_MS): Promise<boolean> {
    let any = false
    for (const key of keys) {
      const [, claimed] = (await this.#commands.xautoclaim(
        ...([key, this.#group, this.#consumer, idleMs, '0', 'COUNT', COUNT, 'JUSTID'] as const),
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
      // A live consumer asks every few seconds; one with pending entries is not lost before they are taken over.
      if (name === this.#consumer || value('pending') !== 0 || Number(value('idle')) < FORGET_CONSUMER_MS) continue
      await this.#commands.xgroup('DELCONSUMER', key, this.#group, name)
    }
  }
}

function flatten(answer: RawStream[] | null): StreamEntry[] {
  return (answer ?? []).flatMap(([key, entries]) => entries.map(([id, fields]) => ({ key, id, fields })))
}
