// A checkpoint of the index in the store: of each shard in which nothing is going on, what the lists and due dates need of it, together with a
// digest of the shard's newest versions as the store lists them. A rebuild that finds the same digest reads none of these
// records. Nothing depends on it: a part that is missing, damaged, or of another version is as good as none, and
// of a shard that changed since, the digest differs. There is nothing about people in it but ids of submissions.

import { createHash } from 'node:crypto'
import { promisify } from 'node:util'
import { gunzip, gzip } from 'node:zlib'
import type { Logger } from '../core/logger.ts'
import { objectKeys } from '../records/keys.ts'
import type { ListEntry } from '../records/list-entries.ts'
import type { ObjectStore } from '../storage/object-store.ts'
import type { ListedShard } from './shards.ts'

/** Quiet: no job, seal, expiry or erasure is due in it. */
export type QuietShard = { digest: string; entries: QuietSubmission[] }
export type QuietSubmission = ListEntry & {
  removableSinceMs: number | null
  /** Of a closed one: from when on its files are to be removed. */
  keptUntilMs: number | null
}

type Entry = [
  owner: string,
  id: string,
  changedAtMs: number,
  isListed: 0 | 1,
  lookAtMs: number | null,
  removableSinceMs: number | null,
  keptUntilMs: number | null,
]
type Line = [shard: string, digest: string, ...entries: Entry[]]
/** Schema 2 since `keptUntilMs`: a part without it must not be trusted, for a closed submission is quiet for years. */
type Header = { schema: 2; part: string; digest: string }

const zip = promisify(gzip)
const unzip = promisify(gunzip)

/** Changes with every newer version, and with any other change of the objects that have the newest ones. */
export function digestOf({ submissions, uploads }: ListedShard): string {
  const lines = [...submissions, ...uploads].map(
    ({ newest: { key, bytes, modifiedAtMs } }) => `${key} ${bytes} ${Math.floor(modifiedAtMs)}`,
  )
  return createHash('sha256').update(lines.toSorted().join('\n')).digest('base64url').slice(0, 22)
}

export class Checkpoint {
  readonly #store: ObjectStore
  readonly #logger: Logger

  constructor(store: ObjectStore, logger: Logger) {
    this.#store = store
    this.#logger = logger
  }

  /** The shards of a part; none if there is no part that can be used. Throws STORE_UNAVAILABLE. */
  async read(part: string): Promise<Map<string, QuietShard>> {
    const body = await this.#store.read(objectKeys.checkpoint(part))
    if (body === undefined) return new Map()
    try {
      return decode(part, (await unzip(body)).toString('utf8'))
    } catch (err) {
      this.#logger.warn({ err, part }, 'a part of the checkpoint cannot be used; its records are read instead')
      return new Map()
    }
  }

  /** Writes a part over the one that is there. */
  async write(part: string, shards: ReadonlyMap<string, QuietShard>): Promise<void> {
    const body = await zip(encode(part, shards))
    const key = objectKeys.checkpoint(part)
    if (!(await this.#store.createIfAbsent(key, body))) await this.#store.replace(key, body)
  }
}

function encode(part: string, shards: ReadonlyMap<string, QuietShard>): string {
  const lines = [...shards].map(([shard, { digest, entries }]): string => {
    const told = entries.map(
      ({ owner, id, changedAtMs, isListed, lookAtMs, removableSinceMs, keptUntilMs }): Entry => [
        owner,
        id,
        changedAtMs,
        isListed ? 1 : 0,
        lookAtMs,
        removableSinceMs,
        keptUntilMs,
      ],
    )
    return JSON.stringify([shard, digest, ...told])
  })
  const text = lines.join('\n')
  const header: Header = { schema: 2, part, digest: sha256(text) }
  return `${JSON.stringify(header)}\n${text}`
}

function decode(part: string, text: string): Map<string, QuietShard> {
  const end = text.indexOf('\n')
  const header = JSON.parse(text.slice(0, end)) as Header
  const rest = text.slice(end + 1)
  if (header.schema !== 2 || header.part !== part || header.digest !== sha256(rest))
    throw new Error('damaged, or of another version')
  const lines = rest === '' ? [] : rest.split('\n').map((line) => JSON.parse(line) as Line)
  return new Map(
    lines.map(([shard, digest, ...told]) => {
      const entries = told.map(([owner, id, changedAtMs, listed, lookAtMs, removableSinceMs, keptUntilMs]) => ({
        owner,
        id,
        changedAtMs,
        isListed: listed === 1,
        lookAtMs,
        removableSinceMs,
        keptUntilMs,
      }))
      return [shard, { digest, entries }]
    }),
  )
}

function sha256(text: string): string {
  return createHash('sha256').update(text).digest('base64url')
}
