// If-Match: a client that changes a submission must not overwrite a change that it has not seen.

import type { FastifyRequest } from 'fastify'
import { AppError } from '../core/errors.ts'
import { matchesEtag, tagOf } from '../http/conditional.ts'
import type { LoadedSubmission } from '../submissions/documents.ts'

/**
 * The version of a submission's head that a change may be made to: the one that was read with the document named by
 * If-Match, or 0 with `If-None-Match: *`, which asks to create; undefined: whatever there is. The tag names the whole
 * document, so it is compared also where a proxy has called it weak.
 *
 * @param load the submission as it is now; undefined where there is none
 * @throws PRECONDITION_FAILED {etag}: there is another document by now
 */
export async function expectedVersion(
  { headers }: FastifyRequest,
  load: () => Promise<LoadedSubmission | undefined>,
): Promise<number | undefined> {
  const { 'if-match': ifMatch, 'if-none-match': ifNoneMatch } = headers
  if (ifMatch === undefined) return ifNoneMatch?.trim() === '*' ? 0 : undefined
  const loaded = await load()
  const tag = loaded === undefined ? undefined : tagOf(loaded.document)
  if (loaded === undefined || tag === undefined || !matchesEtag(ifMatch, tag))
    throw new AppError('PRECONDITION_FAILED', { details: { etag: tag === undefined ? null : `W/${tag}` } })
  return loaded.head.version
}
