// Duplicate files: the later one is the duplicate. It may have been inspected before the hash of the earlier
// one was known; then it is compared again.

import { isPossible } from '../../src/lifecycle/transition-table.ts'
import { comparisonDue } from '../../src/lifecycle/transitions.ts'
import type { UploadRecord } from '../../src/records/upload-record.ts'
import type { WorkerContext } from '../worker-context.ts'
import { siblingFiles, slotContextOf } from './slot-context.ts'

/** Queues later copies of this file for another inspection, unless they are marked as copies already. */
export async function reinspectCopies(deps: WorkerContext, record: UploadRecord): Promise<void> {
  if (record.sha256 === null || record.state === 'rejected') return
  const siblings = await siblingFiles(deps, record.id, await slotContextOf(deps, record))
  for (const { record: other } of siblings) {
    if (other.sha256 !== record.sha256 || (other.storedAt ?? '') <= (record.storedAt ?? '')) continue
    if (other.problems.some(({ code }) => code === 'DUPLICATE_IN_SUBMISSION')) continue
    const again = await deps.uploads.commit(other.id, (current) => {
      // Its inspection is still due, and will find this file.
      if (current?.lanes.inspect?.doneAt === undefined) return undefined
      return isPossible('lane queued again', current) ? comparisonDue(current) : undefined
    })
    if (again.committed && again.record !== undefined) await deps.completion.queueLanes(again.record)
  }
}
