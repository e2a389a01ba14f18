// Bytes that the store has let go of by itself: a bucket's lifecycle rule, or somebody with a console, aborted the
// multipart upload. No retry brings them back, so the upload ends and its client begins anew.

import { AppError } from '../core/errors.ts'
import { isPossible } from '../lifecycle/transition-table.ts'
import { expired } from '../lifecycle/transitions.ts'
import type { Held } from './lock.ts'
import { ENDED_KEEP_MS } from './terminate.ts'
import type { UploadDeps } from './upload-deps.ts'

/**
 * Ends an upload whose parts are gone, with its event and a line for the operator. Resolves with the answer for its
 * client: UPLOAD_EXPIRED; UPLOAD_LOCKED where somebody else has stored or ended it meanwhile, so that the client looks.
 */
export async function endLost(deps: UploadDeps, { state }: Held, cause: unknown): Promise<AppError> {
  const { uploads, completion, hot, uploadStore, logger } = deps
  const { draft, multipartId, offset } = state
  const { record } = await uploads.commit(draft.id, async (current) => {
    if (current === undefined || !isPossible('expired', current)) return undefined
    return expired(current, await completion.nextSequence(draft, current))
  })
  if (record !== undefined && record.state !== 'expired')
    return new AppError('UPLOAD_LOCKED', { retryAfterSeconds: 1, cause })
  await hot.end(draft.id, 'expired', ENDED_KEEP_MS)
  await uploadStore.discard(draft.id, multipartId)
  await hot.setDue(draft.id, null)
  logger.error(
    { err: cause, uploadId: draft.id, multipartId, receivedBytes: offset },
    'the bucket has aborted an unfinished multipart upload: look for a lifecycle rule; the client begins anew',
  )
  return new AppError('UPLOAD_EXPIRED', { cause })
}
