// tus termination: ends an upload that is still receiving. The commit comes before a byte is removed.

import { AppError } from '../core/errors.ts'
import { isStored } from '../records/upload-record.ts'
import type { UploadParts } from './parts.ts'

/** Redis answers 410 for this long; where a record exists, the store does afterwards. */
export const ENDED_KEEP_MS = 86_400_000

/** Throws UPLOAD_UNKNOWN, UPLOAD_FINISHED, UPLOAD_EXPIRED, UPLOAD_CANCELLED. */
export async function terminate(parts: UploadParts, id: string, place?: string): Promise<void> {
  const { hot, peers, locks, uploads, uploadStore, completion, metrics } = parts
  const seen = await locks.look(id, place)
  if ('record' in seen) {
    if (isStored(seen.record.state)) throw new AppError('UPLOAD_FINISHED')
    throw new AppError(seen.record.state === 'expired' ? 'UPLOAD_EXPIRED' : 'UPLOAD_CANCELLED')
  }
  const { state } = seen
  if (state.status !== 'receiving') throw new AppError('UPLOAD_FINISHED')
  if (state.holder !== null) await peers.ask('yield', id, state.holder.fence, state.holder.channel, 'ended')
  // Nothing stored: Redis alone knows it. Otherwise the record decides, against a last PATCH that may finish it.
  if (!(await hot.endUnstored(id, 'cancelled', ENDED_KEEP_MS))) {
    const { draft } = state
    await uploads.commit(id, async (current) => {
      if (current === undefined) return undefined
      if (current.state !== 'receiving')
        throw new AppError(isStored(current.state) ? 'UPLOAD_FINISHED' : 'UPLOAD_CANCELLED')
      return {
        ...current,
        state: 'cancelled',
        event: 'upload.cancelled',
        sequence: await completion.nextSequence(draft, current),
      }
    })
    await hot.end(id, 'cancelled', ENDED_KEEP_MS)
  }
  metrics.uploadsTerminated.inc()
  await uploadStore.discard(id, state.multipartId)
}
