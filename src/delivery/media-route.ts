// `/media/{token}/{filename}`: the bytes behind a signed link, with ranges, so that a player can seek. The token is the
// credential; the name behind it is for people. Bytes are streamed from the object store, local or S3 alike.

import { createHash } from 'node:crypto'
import type { Readable } from 'node:stream'
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import type { Clock } from '../core/clock.ts'
import { AppError } from '../core/errors.ts'
import type { IdSecrets } from '../core/ids.ts'
import { matchesEtag } from '../http/conditional.ts'
import { parseRange, rangeStillHolds } from '../http/range.ts'
import type { UploadRecords } from '../records/upload-records.ts'
import type { ByteRange, ObjectStore } from '../storage/object-store.ts'
import { contentDisposition } from './file-names.ts'
import { removalOf } from './links.ts'
import { type MediaClaims, openMediaToken } from './media-token.ts'

export type MediaRouteDeps = {
  /** For S3 best one with connections of its own: a crowd of viewers must not use up those that records need. */
  store: Pick<ObjectStore, 'open' | 'head'>
  /** Asked only where the bytes are gone: the record tells why. */
  uploads: Pick<UploadRecords, 'latest'>
  secrets: IdSecrets
  clock: Clock
}

/** A paused player reads nothing for a while and comes back with a range; one that never does must not hold a file. */
const IDLE_MS = 5 * 60_000
const MAX_CACHE_SECONDS = 3600

/**
 * The bytes are a stranger's: no script, form or popup, nothing from elsewhere. A film opened in a tab of its own is a
 * page made by the browser, which needs its media, its style, and the same origin to load them from.
 */
const CSP = [
  "default-src 'none'",
  "media-src 'self'",
  "img-src 'self'",
  "style-src 'unsafe-inline'",
  'sandbox allow-same-origin',
].join('; ')
const WHOLE = { kind: 'whole' } as const

// A wildcard, since the router bounds the length of named parameters and a token may be longer.
const MEDIA = '/media/*'

export async function mediaRoute(app: FastifyInstance, deps: MediaRouteDeps): Promise<void> {
  app.route<{ Params: { '*': string } }>({
    method: ['GET', 'HEAD'],
    url: MEDIA,
    exposeHeadRoute: false,
    schema: {
      tags: ['media'],
      summary: 'The file behind a link',
      description: 'The wildcard is `{token}/{file name}`, as a link holds it. Ranges are honoured.',
      security: [],
    },
    handler: async (request, reply) => {
      const token = request.params['*'].split('/')[0] ?? ''
      return await serve(openMediaToken(token, deps.secrets, deps.clock.now()), request, reply, deps)
    },
  })
}

async function serve(
  claims: MediaClaims,
  request: FastifyRequest,
  reply: FastifyReply,
  { store, uploads, clock }: MediaRouteDeps,
): Promise<FastifyReply> {
  // Keys are fresh and objects never change: the key stands for the bytes.
  const etag = `"${createHash('sha256').update(claims.key).digest('base64url').slice(0, 27)}"`
  const headers = headersOf(claims, etag, clock.now())
  const { range, 'if-range': ifRange, 'if-none-match': ifNoneMatch } = request.headers
  if (matchesEtag(ifNoneMatch, etag)) return reply.code(304).headers(headers.always).send()
  // GET is the only method for which ranges are defined.
  const ranged = request.method === 'GET' && rangeStillHolds(first(ifRange), etag)
  const answer = ranged ? parseRange(range, claims.bytes) : WHOLE
  if (answer.kind === 'unsatisfiable')
    return reply.code(416).headers(headers.always).header('content-range', `bytes */${claims.bytes}`).send()
  const part = answer.kind === 'part' ? { start: answer.start, end: answer.end } : undefined

  // Asked before anything is said: a refusal has headers of its own.
  const how = request.method === 'HEAD' ? 'head' : 'open'
  const stream = await find(how, store, claims.key, part).catch(async (error: unknown) => {
    if (!(error instanceof AppError) || error.code !== 'UPLOAD_UNKNOWN') throw error
    const record = await uploads.latest(claims.uploadId)
    throw (record && removalOf(record)) ?? error
  })
  void reply.headers(headers.always).headers(headers.ofBytes)
  void reply.header('content-length', part === undefined ? claims.bytes : part.end - part.start + 1)
  if (part !== undefined)
    void reply.code(206).header('content-range', `bytes ${part.start}-${part.end}/${claims.bytes}`)
  if (stream === undefined) return reply.send()
  if (reply.raw.destroyed) {
    // The client left while the object was being opened: nobody else would close it.
    stream.destroy()
    return reply.hijack()
  }
  reply.raw.setTimeout(IDLE_MS, () => reply.raw.destroy())
  return reply.send(stream)
}

/** The bytes, or for `head` only the certainty that they are there. The link may be good for what has been removed. */
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
      // Players sit on the portal's pages.
      'cross-origin-resource-policy': 'cross-origin',
    },
    ofBytes: {
      'content-type': claims.contentType,
      'x-content-type-options': 'nosniff',
      'content-disposition': contentDisposition(claims.download ? 'attachment' : 'inline', claims.fileName),
    },
  }
}

/** Sent once; a second one makes the condition unreadable, and so not met. */
function first(header: string | string[] | undefined): string | undefined {
  return Array.isArray(header) ? header.join(',') : header
}
