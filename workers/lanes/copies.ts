// The same bytes handed in twice: the later file is the copy. It may have been inspected before the hash of the earlier
// one was known; then it is inspected once more.

import type { UploadRecord } from '../../src/records/upload-record.ts'
import type { Kit } from './kit.ts'
import { placeOf, siblingFiles } from './place.ts'

/** Has later copies of this file looked at again, unless they are known as copies already. */
export async function reinspectCopies(kit: Kit, record: UploadRecord): Promise<void> {
  if (record.sha256 === null || record.state === 'rejected') return
  const siblings = await siblingFiles(kit, record.id, await placeOf(kit, record))
  for (const { record: other } of siblings) {
    if (other.sha256 !== record.sha256 || (other.storedAt ?? '') <= (record.storedAt ?? '')) continue
    if (other.problems.some(({ code }) => code === 'DUPLICATE_IN_SUBMISSION')) continue
    const again = await kit.uploads.commit(other.id, (current) => {
      const inspect = current?.lanes.inspect
      // Still to be inspected, or again already: it will see this file by itself.
      if (current === undefined || inspect?.doneAt === undefined) return undefined
      const next = { generation: inspect.generation + 1, attempts: 0 }
      return { ...current, event: null, lanes: { ...current.lanes, inspect: next } }
    })
    if (again.committed && again.record !== undefined) await kit.completion.queueLanes(again.record)
  }
}
