// If-Match: a client must not overwrite changes that it has not seen.

import type { FastifyRequest } from 'fastify'
import { AppError } from '../core/errors.ts'
import { matchesEtag, tagOf } from '../http/conditional.ts'
import type { LoadedSubmission } from '../submissions/documents.ts'

/**
 * The version of a submission's head to which a change applies: the one of the document named by
 * If-Match, or 0 with `If-None-Match: *` (create only); undefined: any. The tag is of the whole
 * document, and is compared even if a proxy marked it weak.
 *
 * @param load loads the current submission; undefined if there is none
 * @throws PRECONDITION_FAILED {etag}: the document has changed
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
