// Entries of the lists of submissions, and of their due dates, put back during a rebuild without the records that they were made of.

import { type RedisConnection, viaRedis } from '../core/redis.ts'
import { redisKeysOf } from './keys.ts'
import type { RecordIndex } from './record-index.ts'

export type ListEntry = {
  owner: string
  id: string
  /** Of the newest change of the submission or its uploads, Unix milliseconds. */
  changedAtMs: number
  /** False: it was deleted. */
  isListed: boolean
  /** By when to look at it because of its dates, or before; null: never. */
  lookAtMs: number | null
}

/** Adds submissions to the lists of their portals, and takes deleted ones out. A later change that is known stays. */
export async function restoreListEntries(
  { redis, dueDates }: Pick<RecordIndex, 'redis' | 'dueDates'>,
  entries: readonly ListEntry[],
): Promise<void> {
  const owners = new Map<string, ListEntry[]>()
  for (const entry of entries) owners.set(entry.owner, [...(owners.get(entry.owner) ?? []), entry])
  await Promise.all([...owners].map(([owner, some]) => restoreList(redis, owner, some)))
  await Promise.all(
    entries.flatMap(({ owner, id, lookAtMs }) => (lookAtMs === null ? [] : dueDates.lower(owner, id, lookAtMs))),
  )
}

async function restoreList(redis: RedisConnection, owner: string, entries: readonly ListEntry[]): Promise<void> {
  const key = redisKeysOf(redis).submissionsOf(owner)
  const listed = entries.filter(({ isListed }) => isListed).flatMap(({ id, changedAtMs }) => [changedAtMs, id])
  const deleted = entries.filter(({ isListed }) => !isListed).map(({ id }) => id)
  await viaRedis(redis.sadd(redisKeysOf(redis).owners, owner))
  if (listed.length > 0) await viaRedis(redis.zadd(key, 'GT', ...listed))
  if (deleted.length > 0) await viaRedis(redis.zrem(key, ...deleted))
}
