// Removes orphaned objects that no record lists: outputs of runs that died or lost their lease before the commit, and
// tails and single objects of requests that died.

import { objectKeys } from '../../src/records/keys.ts'
import type { UploadRecord } from '../../src/records/upload-record.ts'
import type { ObjectStore } from '../../src/storage/object-store.ts'

/** For an upload whose last lane is done: whoever may still be writing one will not be able to commit it. */
export async function removeOrphans(store: ObjectStore, { id, object, renditions }: UploadRecord): Promise<number> {
  const records = objectKeys.uploadRecord(id)
  const pieces = (object.parts ?? []).map(({ key }) => key)
  const named = new Set([object.key, ...pieces, ...renditions.map(({ key }) => key)])
  let removed = 0
  for await (const { key } of store.list(objectKeys.upload(id))) {
    if (key.startsWith(records) || named.has(key)) continue
    await store.remove(key)
    removed++
  }
  return removed
}
