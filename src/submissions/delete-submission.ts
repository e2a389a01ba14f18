// Deletion of a submission. What stays is a tombstone: the records of the submission and of its uploads (what was handed
// in and when, under which name, with which checksum), so that every later question is answered "deleted", not "unknown".
// What goes is all that was handed in or made of it. The head is committed first: from then on nothing may be created,
// and a deletion that a crash interrupts is finished by asking again.

import { type Clock, isoTime } from '../core/clock.ts'
import { AppError } from '../core/errors.ts'
import { type CancelDeps, cancelUpload } from '../lifecycle/cancel.ts'
import type { UploadViews } from '../records/upload-views.ts'
import type { UniqueKeys } from './unique-keys.ts'

export type EraseDeps = CancelDeps & { views: UploadViews }

export type DeleteDeps = EraseDeps & { uniqueKeys: UniqueKeys; clock: Clock }

/** Deletes a submission in whatever state, a sealed one too. Idempotent. Throws SUBMISSION_UNKNOWN. */
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
 * Ends every upload of a deleted submission and removes its bytes; also those that were being created meanwhile.
 *
 * @returns how many were ended now
 */
export async function eraseUploads(deps: EraseDeps, owner: string, id: string): Promise<number> {
  let ended = 0
  for (const view of await deps.views.ofSubmission(owner, id))
    if (await cancelUpload(deps, view, { force: true })) ended++
  return ended
}
