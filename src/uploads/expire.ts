// Unfinished uploads that were left alone too long. Before anything is taken away the store is asked whether the
// upload is whole after all: a request may have died between its last byte and its answer.

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

/** 'kept': its time has not come, or somebody is sending. 'finished': it was whole. 'expired': its bytes are removed. */
export async function expireUpload(deps: ExpiryDeps, id: string): Promise<'kept' | 'finished' | 'expired'> {
  const { hot, locks, uploads, uploadStore, completion, clock, metrics, logger } = deps
  const state = await hot.read(id)
  if (state !== undefined && (state.holder !== null || state.expiresAtMs > clock.now())) return 'kept'
  try {
    // Redis no longer knows when its time is over, or knew it under another run: it begins again.
    if (state === undefined || !state.trusted) {
      await locks.restore(id)
      return 'kept'
    }
    // Not trusted on purpose: the store itself is asked where the upload stands.
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
    // It turned out to be whole (its completion has run), or to have ended before.
    if (error instanceof AppError && error.status < 500 && error.code !== 'UPLOAD_LOCKED') return 'finished'
    throw error
  }
}
