// What the store holds, shard by shard, by listing it once: of each submission and upload the key of the newest version. A
// submission and its uploads are in one shard, so a shard is complete in itself.

import { shardOfSubmission } from '../core/ids.ts'
import { inParallel } from '../core/in-parallel.ts'
import { objectKeys, submissionOfKey, uploadIdOfKey } from '../records/keys.ts'
import type { ObjectInfo, ObjectStore } from '../storage/object-store.ts'

export type Name = { owner: string; id: string }
/** The newest version: its key and what the listing says of it. */
export type Newest = Pick<ObjectInfo, 'key' | 'bytes' | 'modifiedAtMs'>
export type ListedSubmission = Name & { newest: Newest }
/** `newest`: of its records; or else the object that has the first record in its metadata. */
export type ListedUpload = { id: string; newest: Newest }
export type ListedShard = { shard: string; submissions: ListedSubmission[]; uploads: ListedUpload[] }

/** The shards of one part of the checkpoint. */
export type ListedPart = { part: string; shards: ListedShard[] }

const DIGITS = '0123456789abcdef'
const HEAD_RANGES = 16
const RECORD = 'record-'
const SINGLE = 'one-'

export type ListedSubmissions = ReadonlyMap<string, ListedSubmission[]>

/**
 * Submissions by shard; each needs some 300 bytes of memory.
 *
 * @param sample some of the submissions as they once were, spread over all: it divides them into ranges that are listed at
 * the same time. Without it they are listed one page after the other
 */
export async function listSubmissionHeads(store: ObjectStore, sample: readonly Name[]): Promise<ListedSubmissions> {
  const shards = new Map<string, ListedSubmission[]>()
  const starts = ['', ...boundariesOf(sample)]
  const ranges = starts.map((after, i) => ({ after, end: starts[i + 1] }))
  await inParallel(ranges.length, ranges, async ({ after, end }) => {
    for await (const submission of headsOf(store, after, end)) {
      const shard = shardOfSubmission(submission.owner, submission.id)
      const others = shards.get(shard)
      if (others === undefined) shards.set(shard, [submission])
      else others.push(submission)
    }
  })
  return shards
}

/** Prefixes of heads, between which there are about as many submissions each. */
function boundariesOf(sample: readonly Name[]): string[] {
  const prefixes = [...new Set(sample.map(({ owner, id }) => objectKeys.submission(owner, id)))].toSorted()
  const wanted = Math.min(prefixes.length, HEAD_RANGES - 1)
  const places = Array.from({ length: wanted }, (_, i) => Math.floor(((i + 1) * prefixes.length) / (wanted + 1)))
  return [...new Set(places)].flatMap((place) => prefixes[place] ?? [])
}

/** Submissions whose keys come after `after` and not after `end`, in key order. */
async function* headsOf(store: ObjectStore, after: string, end: string | undefined): AsyncGenerator<ListedSubmission> {
  let last: ListedSubmission | undefined
  const all = store.list(objectKeys.submissions, after === '' ? undefined : after)
  for await (const { key, bytes, modifiedAtMs } of all) {
    if (end !== undefined && key > end) break
    const name = submissionOfKey(key)
    if (name === undefined) continue
    const newest = { key, bytes, modifiedAtMs }
    // The last key of a submission is its newest version.
    if (last?.owner === name.owner && last.id === name.id) last.newest = newest
    else {
      if (last !== undefined) yield last
      last = { ...name, newest }
    }
  }
  if (last !== undefined) yield last
}

/** Sixteen ranges of shards, which can be listed at the same time; each in the order of its shards. */
export function shardRanges(store: ObjectStore, heads: ListedSubmissions): AsyncIterable<ListedShard>[] {
  return [...DIGITS].map((digit) => {
    const mine = [...heads.keys()].filter((shard) => shard.startsWith(digit)).toSorted()
    return rangeOf(store, heads, mine, digit)
  })
}

/** The shards of a range, those of one part of the checkpoint together. */
export async function* byPart(range: AsyncIterable<ListedShard>): AsyncGenerator<ListedPart> {
  let current: ListedPart | undefined
  for await (const shard of range) {
    const part = partOf(shard.shard)
    if (current?.part !== part) {
      if (current !== undefined) yield current
      current = { part, shards: [] }
    }
    current.shards.push(shard)
  }
  if (current !== undefined) yield current
}

/** Two hex digits: 256 parts. */
function partOf(shard: string): string {
  return shard.slice(0, 2)
}

async function* rangeOf(
  store: ObjectStore,
  heads: ListedSubmissions,
  headShards: readonly string[],
  digit: string,
): AsyncGenerator<ListedShard> {
  const shardOf = (shard: string, uploads: ListedUpload[]) => ({ shard, uploads, submissions: heads.get(shard) ?? [] })
  let at = 0
  for await (const { shard, uploads } of uploadShards(store, digit)) {
    // Submissions without an upload.
    for (let before = headShards[at]; before !== undefined && before < shard; before = headShards[++at])
      yield shardOf(before, [])
    if (headShards[at] === shard) at++
    yield shardOf(shard, uploads)
  }
  for (const shard of headShards.slice(at)) yield shardOf(shard, [])
}

async function* uploadShards(
  store: ObjectStore,
  digit: string,
): AsyncGenerator<{ shard: string; uploads: ListedUpload[] }> {
  const all = objectKeys.uploads
  let current: { shard: string; uploads: ListedUpload[] } | undefined
  let upload = { id: '', prefix: '?' }
  for await (const { key, bytes, modifiedAtMs } of store.list(all, `${all}${digit}`)) {
    if (key.charAt(all.length) !== digit) break
    // An upload has a dozen keys, and there are millions: its id is read in the first one only.
    if (!key.startsWith(upload.prefix)) {
      const id = uploadIdOfKey(key)
      if (id === undefined) continue
      upload = { id, prefix: objectKeys.upload(id) }
    }
    const isRecord = key.startsWith(RECORD, upload.prefix.length)
    if (!isRecord && !key.startsWith(SINGLE, upload.prefix.length)) continue
    const shard = key.slice(all.length, key.indexOf('/', all.length))
    if (current?.shard !== shard) {
      if (current !== undefined) yield current
      current = { shard, uploads: [] }
    }
    const last = current.uploads.at(-1)
    const newest = { key, bytes, modifiedAtMs }
    // Keys come in order, `one-…` before `record-…`. Of several objects with a first record the first one counts.
    if (last?.id !== upload.id) current.uploads.push({ id: upload.id, newest })
    else if (isRecord) last.newest = newest
  }
  if (current !== undefined) yield current
}
