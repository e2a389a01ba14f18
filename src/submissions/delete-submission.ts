// Deletes a submission. The records of the submission and its uploads stay as a tombstone (what was handed
// in, when, with which name and checksum), so that later requests get "deleted", not "unknown".
// All files and renditions are removed. The head is committed first: after it nothing can be created,
// and repeating the call finishes an interrupted deletion.

import { type Clock, isoTime } from '../core/clock.ts'
import { AppError } from '../core/errors.ts'
import { type CancelDeps, cancelUpload } from '../lifecycle/cancel.ts'
import type { UploadViews } from '../records/upload-views.ts'
import type { UniqueKeys } from './unique-keys.ts'

export type EraseDeps = CancelDeps & { views: UploadViews }

export type DeleteDeps = EraseDeps & { uniqueKeys: UniqueKeys; clock: Clock }

/** Deletes a submission in any state. Idempotent. Throws SUBMISSION_UNKNOWN. */
export async function deleteSubmission(deps: DeleteDeps, owner: string, id: string): Promise<void> {
  const { heads, clock, uniqueKeys } = deps
  const { record } = await heads.commit(owner, id, async (current) => {
    if (current === undefined) throw new AppError('SUBMISSION_UNKNOWN')
    if (current.state === 'deleted') return undefined
    return {
      ...current,
      state: 'deleted',
      event: null,
      sequence: await heads.nextSequence(owner, id),
      updatedAt: isoTime(clock.now()),
    }
  })
  await eraseUploads(deps, owner, id)
  if (record != null && record.uniqueKey !== null) await uniqueKeys.release(owner, record.uniqueKey, id)
}

/**
 * Ends all uploads of a deleted submission and removes their bytes; also those created meanwhile.
 *
 * @returns how many were ended now
 */
export async function eraseUploads(deps: EraseDeps, owner: string, id: string): Promise<number> {
  let ended = 0
  for (const view of await deps.views.ofSubmission(owner, id))
    if (await cancelUpload(deps, view, { force: true })) ended++
  return ended
}
