// Expires unfinished uploads. Before bytes are removed, the store is checked: the
// upload may be complete, if a request died between its last byte and its response.

import { AppError } from '../core/errors.ts'
import { faultPoint } from '../core/fault-points.ts'
import { isPossible } from '../lifecycle/transition-table.ts'
import { expired } from '../lifecycle/transitions.ts'
import { ENDED_KEEP_MS } from './terminate.ts'
import type { UploadDeps } from './upload-deps.ts'

export type ExpiryDeps = Pick<
  UploadDeps,
  'hot' | 'locks' | 'uploads' | 'uploadStore' | 'completion' | 'clock' | 'metrics' | 'logger'
>

/** 'kept': not expired yet, or somebody is sending. 'finished': it was complete. 'expired': its bytes are removed. */
export async function expireUpload(deps: ExpiryDeps, id: string): Promise<'kept' | 'finished' | 'expired'> {
  const { hot, locks, uploads, uploadStore, completion, clock, metrics, logger } = deps
  const state = await hot.read(id)
  if (state !== undefined && (state.holder !== null || state.expiresAtMs > clock.now())) return 'kept'
  try {
    // Redis does not know its expiry, or it is of another run: the expiry starts again.
    if (state === undefined || !state.trusted) {
      await locks.restore(id)
      return 'kept'
    }
    // `verify`: the offset is read from the store.
    const held = await locks.acquire(id, { verify: true })
    await uploads.commit(id, async (current) => {
      if (current === undefined || !isPossible('expired', current)) return undefined
      return expired(current, await completion.nextSequence(held.state.draft, current))
    })
    faultPoint('expire.committed')
    await hot.end(id, 'expired', ENDED_KEEP_MS)
    faultPoint('expire.hot-ended')
    await uploadStore.discard(id, held.state.multipartId)
    await hot.setDue(id, null)
    metrics.uploadsExpired.inc()
    logger.info({ uploadId: id, receivedBytes: held.state.offset }, 'unfinished upload expired')
    return 'expired'
  } catch (error) {
    // It was complete (its completion has run), or it had ended.
    if (error instanceof AppError && error.status < 500 && error.code !== 'UPLOAD_LOCKED') return 'finished'
    throw error
  }
}
