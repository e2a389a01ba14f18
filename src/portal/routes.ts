// `/portal`: the page that a session's `url` opens, where a teacher hands in files. It uses the public API only, with the
// session that stands in the address after `#`, and is an example of how a portal's own page would do it.

// Adds `hide` to what a route's schema may say.
import type {} from '@fastify/swagger'
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import type { Config } from '../core/config.ts'
import { AppError } from '../core/errors.ts'
import { type Asset, type Encoding, loadPortalAssets } from './assets.ts'
import { pageHeaders } from './policy.ts'

const FOR_EVER = 'public, max-age=31536000, immutable'
const ASK_FIRST = 'no-cache'

/** Registers `GET /portal` and what the page loads, `GET /portal/{version}/…`; nothing where the page is switched off. */
export async function portalRoutes(
  app: FastifyInstance,
  { config }: { config: Pick<Config, 'http'> },
): Promise<void> {
  if (!config.http.portalPage) return
  const { version, page, files } = await loadPortalAssets()
  const headers = pageHeaders(config.http)

  app.get('/portal', { schema: { hide: true } }, (request, reply) => {
    // The page names its parts relative to itself, so that it works below any prefix of a proxy.
    if (/\/($|\?)/.test(request.url)) return reply.redirect('../portal', 308)
    return send(page, request, reply.headers(headers).header('cache-control', ASK_FIRST))
  })

  app.get<{ Params: { version: string; '*': string } }>(
    '/portal/:version/*',
    { schema: { hide: true } },
    (request, reply) => {
      const file = files.get(request.params['*'])
      if (file === undefined) throw new AppError('NOT_FOUND')
      // While a new release is rolled out, a page of the one may ask a process of the other.
      const cached = request.params.version === version ? FOR_EVER : ASK_FIRST
      return send(file, request, reply.header('cache-control', cached))
    },
  )
}

function send(asset: Asset, request: FastifyRequest, reply: FastifyReply): FastifyReply {
  const encoding = encodingFor(request.headers['accept-encoding'])
  void reply
    .header('etag', asset.etag)
    .header('vary', 'accept-encoding')
    .header('x-content-type-options', 'nosniff')
  if (request.headers['if-none-match'] === asset.etag) return reply.code(304).send()
  if (encoding !== 'identity') void reply.header('content-encoding', encoding)
  return reply.type(asset.contentType).send(asset.bodies[encoding])
}

/** `q=0` refuses; between the others the smaller body wins. */
function encodingFor(accepted: string | string[] | undefined): Encoding {
  const words = String(accepted ?? '')
    .toLowerCase()
    .split(',')
    .filter((word) => !/;\s*q=0(\.0*)?\s*$/.test(word))
    .map((word) => word.split(';')[0]?.trim())
  if (words.includes('br')) return 'br'
  return words.includes('gzip') ? 'gzip' : 'identity'
}
