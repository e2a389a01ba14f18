// The store has lost the bytes: a lifecycle rule of the bucket, or an administrator, aborted the
// multipart upload. Retries cannot help, so the upload ends and the client starts again.

import { AppError } from '../core/errors.ts'
import { isPossible } from '../lifecycle/transition-table.ts'
import { expired } from '../lifecycle/transitions.ts'
import type { Held } from './lock.ts'
import { ENDED_KEEP_MS } from './terminate.ts'
import type { UploadDeps } from './upload-deps.ts'

/**
 * Ends an upload whose parts are gone, with its event and an error log. Resolves with the response for its
 * client: UPLOAD_EXPIRED, or UPLOAD_LOCKED if another request has stored or ended it, so that the client checks.
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
    'the bucket has aborted an unfinished multipart upload; check its lifecycle rules. The client must start again',
  )
  return new AppError('UPLOAD_EXPIRED', { cause })
}
