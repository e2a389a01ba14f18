// Removes the media of one upload; its record stays. The commit comes before the first byte is removed, so that no link is
// given for removed media.

import { faultPoint } from '../../src/core/fault-points.ts'
import { isPossible } from '../../src/lifecycle/transition-table.ts'
import { mediaErased, mediaRemoved } from '../../src/lifecycle/transitions.ts'
import { removeAllButRecords } from '../../src/records/upload-objects.ts'
import type { WorkerContext } from '../worker-context.ts'

/** Idempotent. @returns whether this call began it */
export async function removeMedia(deps: WorkerContext, id: string): Promise<boolean> {
  const { committed } = await deps.uploads.commit(id, (current) => {
    if (current === undefined || current.mediaRemovedAt !== undefined) return undefined
    return isPossible('media removed', current) ? mediaRemoved(current, deps.clock.now()) : undefined
  })
  faultPoint('maintain.before-delete')
  await removeAllButRecords(deps.store, id)
  faultPoint('maintain.deleted')
  await deps.uploads.commit(id, (current) =>
    current === undefined || current.mediaErasedAt !== undefined || !isPossible('media removed', current)
      ? undefined
      : mediaErased(current, deps.clock.now()),
  )
  return committed
}
