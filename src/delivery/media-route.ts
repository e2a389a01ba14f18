// `/media/{token}/{filename}`: the file of a signed link, with Range support for players. The token is the
// credential; the file name is only for people. Bytes are streamed from the object store.

import { createHash } from 'node:crypto'
import type { Readable } from 'node:stream'
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import Type from 'typebox'
import { linkIssued } from '../auth/link-session.ts'
import type { Revocations } from '../auth/revocations.ts'
import type { Clock } from '../core/clock.ts'
import type { Secrets } from '../core/derive-key.ts'
import { AppError, hasCode } from '../core/errors.ts'
import { matchesEtag } from '../http/conditional.ts'
import { documented } from '../http/openapi/documented.ts'
import { noContent, publicProblems } from '../http/openapi/responses.ts'
import { parseRange, rangeStillHolds } from '../http/range.ts'
import type { UploadRecords } from '../records/upload-records.ts'
import type { ByteRange, ObjectStore } from '../storage/object-store.ts'
import { contentDisposition } from './file-names.ts'
import { removalOf } from './links.ts'
import { type MediaClaims, openMediaToken } from './media-token.ts'

export type MediaRouteDeps = {
  /** On S3 with connections of its own, so that viewers do not use up those for records. */
  store: Pick<ObjectStore, 'open' | 'head'>
  /** Read only if the object is gone: the record has the reason. */
  uploads: Pick<UploadRecords, 'latest'>
  secrets: Secrets
  clock: Clock
  revocations: Pick<Revocations, 'isRevoked' | 'watch'>
}

/** Time-out for paused players, which continue later with a range request. */
const IDLE_MS = 5 * 60_000
const MAX_CACHE_SECONDS = 3600

/**
 * The bytes are untrusted: no script, form, popup or external resource. For a video in its own tab the browser makes a
 * page, which needs media, style and the same origin.
 */
const CSP = [
  "default-src 'none'",
  "media-src 'self'",
  "img-src 'self'",
  "style-src 'unsafe-inline'",
  'sandbox allow-same-origin',
].join('; ')
const WHOLE = { kind: 'whole' } as const

const file = (description: string) => ({
  description,
  content: { '*/*': { schema: Type.String({ format: 'binary' }) } },
})
/** Only told: streams are not serialized by them. */
const ANSWERS = {
  200: file('The file'),
  206: file('The part that `Range` asked for'),
  304: noContent('Not changed'),
  416: noContent('The file has no such part'),
  ...publicProblems([
    'LINK_INVALID',
    'LINK_EXPIRED',
    'LINK_REVOKED',
    'UPLOAD_UNKNOWN',
    'MEDIA_REMOVED',
    'REDIS_UNAVAILABLE',
  ]),
}
const LinkParts = Type.Object({
  token: Type.String({ description: 'As in a link of `createLinks`' }),
  name: Type.String({ description: 'A file name, for people' }),
})
const REQUEST_HEADERS = {
  Range: 'A part of the file (RFC 9110)',
  'If-Range': 'The `ETag` that the part must be of',
  'If-None-Match': 'The `ETag` that the caller has',
}

// A wildcard: the router limits the length of named parameters, and tokens can be longer.
const MEDIA = '/media/*'

export async function mediaRoute(app: FastifyInstance, deps: MediaRouteDeps): Promise<void> {
  app.route<{ Params: { '*': string } }>({
    method: ['GET', 'HEAD'],
    url: MEDIA,
    exposeHeadRoute: false,
    schema: {
      tags: ['media'],
      operationId: 'getMedia',
      summary: 'Read the file behind a link',
      description: 'The link is the credential. Range requests are supported.',
      security: [],
      response: ANSWERS,
    },
    config: {
      swaggerTransform: documented({ url: '/media/:token/:name', params: LinkParts, headers: REQUEST_HEADERS }),
    },
    handler: async (request, reply) => {
      const token = request.params['*'].split('/')[0] ?? ''
      const claims = openMediaToken(token, deps.secrets, deps.clock.now())
      const issued = claims.session === null ? undefined : linkIssued(claims.session, deps.secrets)
      if (issued !== undefined) {
        if (await deps.revocations.isRevoked(issued)) throw new AppError('LINK_REVOKED')
        // Players that seek hang up at any time; what is closed already does not close again.
        if (!reply.raw.destroyed)
          reply.raw.once(
            'close',
            deps.revocations.watch(issued, () => reply.raw.destroy()),
          )
      }
      return await serve(claims, request, reply, deps)
    },
  })
}

async function serve(
  claims: MediaClaims,
  request: FastifyRequest,
  reply: FastifyReply,
  { store, uploads, clock }: MediaRouteDeps,
): Promise<FastifyReply> {
  // Objects never change, so the key identifies the bytes.
  const etag = `"${createHash('sha256').update(claims.key).digest('base64url').slice(0, 27)}"`
  const headers = headersOf(claims, etag, clock.now())
  const { range, 'if-range': ifRange, 'if-none-match': ifNoneMatch } = request.headers
  if (matchesEtag(ifNoneMatch, etag)) return reply.code(304).headers(headers.always).send()
  // Ranges are defined only for GET.
  const ranged = request.method === 'GET' && rangeStillHolds(first(ifRange), etag)
  const answer = ranged ? parseRange(range, claims.bytes) : WHOLE
  if (answer.kind === 'unsatisfiable')
    return reply.code(416).headers(headers.always).header('content-range', `bytes */${claims.bytes}`).send()
  const part = answer.kind === 'part' ? { start: answer.start, end: answer.end } : undefined

  // Before any header is set: a refusal has its own headers.
  const how = request.method === 'HEAD' ? 'head' : 'open'
  const stream = await find(how, store, claims.key, part).catch(async (error: unknown) => {
    if (!hasCode(error, 'UPLOAD_UNKNOWN')) throw error
    const record = await uploads.latest(claims.uploadId)
    throw (record && removalOf(record)) ?? error
  })
  void reply.headers(headers.always).headers(headers.ofBytes)
  void reply.header('content-length', part === undefined ? claims.bytes : part.end - part.start + 1)
  if (part !== undefined)
    void reply.code(206).header('content-range', `bytes ${part.start}-${part.end}/${claims.bytes}`)
  if (stream === undefined) return reply.send()
  if (reply.raw.destroyed) {
    // The client disconnected while the object was being opened: close it here.
    stream.destroy()
    return reply.hijack()
  }
  reply.raw.setTimeout(IDLE_MS, () => reply.raw.destroy())
  return reply.send(stream)
}

/** Opens the object, or for `head` checks that it exists. A valid link may point to removed media. */
async function find(
  how: 'head' | 'open',
  store: MediaRouteDeps['store'],
  key: string,
  part: ByteRange | undefined,
): Promise<Readable | undefined> {
  if (how === 'open') return await store.open(key, part)
  if ((await store.head(key)) === undefined) throw new AppError('UPLOAD_UNKNOWN')
  return undefined
}

function headersOf(claims: MediaClaims, etag: string, nowMs: number) {
  const secondsLeft = claims.expiresAtSeconds - Math.floor(nowMs / 1000)
  return {
    always: {
      'accept-ranges': 'bytes',
      etag,
      'cache-control': `private, max-age=${Math.min(MAX_CACHE_SECONDS, secondsLeft)}`,
      'content-security-policy': CSP,
      'referrer-policy': 'no-referrer',
      // Players are on pages of the portal.
      'cross-origin-resource-policy': 'cross-origin',
    },
    ofBytes: {
      'content-type': claims.contentType,
      'x-content-type-options': 'nosniff',
      'content-disposition': contentDisposition(claims.download ? 'attachment' : 'inline', claims.fileName),
    },
  }
}

/** The header if it was sent once; a repeated one counts as not met. */
function first(header: string | string[] | undefined): string | undefined {
  return Array.isArray(header) ? header.join(',') : header
}
