// Entity tags of documents (RFC 9110 section 8.8.3), and If-None-Match for documents that pages poll.

import { createHash } from 'node:crypto'
import type { FastifyReply, FastifyRequest } from 'fastify'
import { AppError } from '../core/errors.ts'

/**
 * Sets a weak ETag on the response: the document's sequence, and a hash, since received bytes and progress
 * change a document without an event.
 *
 * @returns true if the client already has this document: answer 304 without a body
 */
export function isUnchanged(
  request: FastifyRequest,
  reply: FastifyReply,
  document: { sequence?: number } & object,
): boolean {
  const tag = tagOf(document)
  void reply.header('etag', `W/${tag}`).header('cache-control', 'private, no-cache')
  return matchesEtag(request.headers['if-none-match'], tag)
}

/** Throws PRECONDITION_FAILED; call it with the head that will be replaced. */
export function requireVersion(current: { version: number } | undefined, expected: number | undefined): void {
  if (expected !== undefined && (current?.version ?? 0) !== expected) throw new AppError('PRECONDITION_FAILED')
}

/** The entity tag of a document, without `W/`. */
export function tagOf(document: { sequence?: number } & object): string {
  const hash = createHash('sha256').update(JSON.stringify(document)).digest('base64url').slice(0, 16)
  return `"${document.sequence ?? 'd'}-${hash}"`
}

/** Whether If-Match or If-None-Match names a tag, by weak comparison (RFC 9110, 13.1.2); `*` is any representation. */
export function matchesEtag(header: string | undefined, etag: string): boolean {
  const candidates = header?.split(',').map((candidate) => candidate.trim().replace(/^W\//, '')) ?? []
  return candidates.includes('*') || candidates.includes(etag)
}
