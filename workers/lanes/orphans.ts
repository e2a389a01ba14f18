// Removes orphaned objects that no record lists: outputs of runs that died or lost their lease before the commit, and
// tails and single objects of requests that died.

import { removeAllButRecords } from '../../src/records/upload-objects.ts'
import type { UploadRecord } from '../../src/records/upload-record.ts'
import type { ObjectStore } from '../../src/storage/object-store.ts'

/** For an upload whose last lane is done: a process that still writes an output cannot commit it. */
export async function removeOrphans(store: ObjectStore, { id, object, renditions }: UploadRecord): Promise<number> {
  const pieces = (object.parts ?? []).map(({ key }) => key)
  const named = new Set([object.key, ...pieces, ...renditions.map(({ key }) => key)])
  return await removeAllButRecords(store, id, (key) => named.has(key))
}
