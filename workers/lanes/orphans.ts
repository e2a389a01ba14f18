// Outputs that no record names: of runs that died, or lost their claim, between writing and committing.

import { objectKeys } from '../../src/records/keys.ts'
import type { UploadRecord } from '../../src/records/upload-record.ts'
import type { ObjectStore } from '../../src/storage/object-store.ts'

/** Whoever may still be writing one will not be able to commit it: the lane is done. */
export async function removeOrphans(store: ObjectStore, { id, renditions }: UploadRecord): Promise<number> {
  const named = new Set(renditions.map(({ key }) => key))
  let removed = 0
  for await (const { key } of store.list(`${objectKeys.upload(id)}out/`)) {
    if (named.has(key)) continue
    await store.remove(key)
    removed++
  }
  return removed
}
