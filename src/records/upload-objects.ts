// What lies in the store under an upload's prefix beside its record.

import type { ObjectStore } from '../storage/object-store.ts'
import { objectKeys } from './keys.ts'

/**
 * Removes everything of an upload but its record, which is the tombstone. Idempotent.
 *
 * @param isKept of a key that is no record's
 * @returns how many objects were removed
 */
export async function removeAllButRecords(
  store: Pick<ObjectStore, 'list' | 'remove'>,
  id: string,
  isKept: (key: string) => boolean = () => false,
): Promise<number> {
  const records = objectKeys.uploadRecord(id)
  let removed = 0
  for await (const { key } of store.list(objectKeys.upload(id))) {
    if (key.startsWith(records) || isKept(key)) continue
    await store.remove(key)
    removed++
  }
  return removed
}

/** Removes everything of an upload but the newest version of its record. Idempotent. @returns how many objects */
export async function removeAllButTombstone(store: Pick<ObjectStore, 'list' | 'remove'>, id: string): Promise<number> {
  const records = objectKeys.uploadRecord(id)
  const keys: string[] = []
  for await (const { key } of store.list(objectKeys.upload(id))) keys.push(key)
  const tombstone = keys.filter((key) => key.startsWith(records)).at(-1)
  const removed = keys.filter((key) => key !== tombstone)
  for (const key of removed) await store.remove(key)
  return removed.length
}
