// ETag and its conditions: If-None-Match for documents that pages ask for again and again, If-Match for whoever changes a
// submission and must not overwrite what another has said meanwhile.

import { createHash } from 'node:crypto'
import type { FastifyReply, FastifyRequest } from 'fastify'
import { AppError } from '../core/errors.ts'
import type { LoadedSubmission } from './documents.ts'

/**
 * Sets a weak ETag on the answer: the document's sequence, and a hash, since bytes that arrive and workers' progress
 * change a document without an event.
 *
 * @returns true when the client has the same document already: answer 304 without a body
 */
export function isUnchanged(
  request: FastifyRequest,
  reply: FastifyReply,
  document: { sequence?: number } & object,
): boolean {
  const tag = tagOf(document)
  void reply.header('etag', `W/${tag}`).header('cache-control', 'private, no-cache')
  const given = request.headers['if-none-match']
  if (given === undefined) return false
  // RFC 9110 section 13.1.2: compared weakly; `*` is any representation.
  return names(given, tag)
}

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
  if (loaded === undefined || tag === undefined || !names(ifMatch, tag))
    throw new AppError('PRECONDITION_FAILED', { details: { etag: tag === undefined ? null : `W/${tag}` } })
  return loaded.head.version
}

/** Throws PRECONDITION_FAILED; to be asked with the head that is about to be replaced. */
export function requireVersion(current: { version: number } | undefined, expected: number | undefined): void {
  if (expected !== undefined && (current?.version ?? 0) !== expected)
    throw new AppError('PRECONDITION_FAILED')
}

function tagOf(document: { sequence?: number } & object): string {
  const hash = createHash('sha256').update(JSON.stringify(document)).digest('base64url').slice(0, 16)
  return `"${document.sequence ?? 'd'}-${hash}"`
}

function names(header: string, tag: string): boolean {
  return header.split(',').some((item) => {
    const candidate = item.trim()
    return candidate === '*' || candidate.replace(/^W\//, '') === tag
  })
}
