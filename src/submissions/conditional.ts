// ETag and If-None-Match for documents that pages ask for again and again.

import { createHash } from 'node:crypto'
import type { FastifyReply, FastifyRequest } from 'fastify'

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
  const hash = createHash('sha256').update(JSON.stringify(document)).digest('base64url').slice(0, 16)
  const tag = `"${document.sequence ?? 'd'}-${hash}"`
  void reply.header('etag', `W/${tag}`).header('cache-control', 'private, no-cache')
  const given = request.headers['if-none-match']
  if (given === undefined) return false
  // RFC 9110 section 13.1.2: compared weakly; `*` is any representation.
  return given.split(',').some((item) => {
    const candidate = item.trim()
    return candidate === '*' || candidate.replace(/^W\//, '') === tag
  })
}
