// `/portal`: the page that a session's `url` opens, where a teacher hands in files. It uses the public API only, with the
// session that stands in the address after `#`, and is an example of how a portal's own page would do it.

import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import staticFiles from '@fastify/static'
// Adds `hide` to what a route's schema may say.
import type {} from '@fastify/swagger'
import type { FastifyInstance } from 'fastify'
import type { Config } from '../core/config.ts'
import { pageHeaders } from './policy.ts'

/** Made by the build (`scripts/lib/page.mjs`): the page, its assets compressed beforehand, and their version. */
const BUILT = join(import.meta.dirname, '../../page')

const FOR_EVER = 'public, max-age=31536000, immutable'
const ASK_FIRST = 'no-cache'

/**
 * Registers `GET /portal` and what the page loads, `GET /portal/{version}/…`; nothing where the page is switched off.
 *
 * @throws where the page was not built
 */
export async function portalRoutes(app: FastifyInstance, { config }: { config: Pick<Config, 'http'> }): Promise<void> {
  if (!config.http.portalPage) return
  const version = await readFile(join(BUILT, 'version.txt'), 'utf8').catch((cause: unknown) => {
    throw new Error(`the page is not built (npm run build): nothing in ${BUILT}`, { cause })
  })
  await app.register(staticFiles, {
    root: BUILT,
    serve: false,
    preCompressed: true,
    index: false,
    dotfiles: 'ignore',
    cacheControl: false,
  })
  const headers = pageHeaders(config.http)

  app.get('/portal', { schema: { hide: true } }, (request, reply) => {
    // The page names its assets relative to itself, so that it works below any prefix of a proxy.
    if (/\/($|\?)/.test(request.url)) return reply.redirect('../portal', 308)
    return reply.headers(headers).header('cache-control', ASK_FIRST).sendFile('index.html')
  })

  app.get<{ Params: { version: string; '*': string } }>(
    '/portal/:version/*',
    { schema: { hide: true } },
    (request, reply) => {
      // While a new release is rolled out, a page of the one may ask a process of the other.
      const cached = request.params.version === version ? FOR_EVER : ASK_FIRST
      return reply
        .header('cache-control', cached)
        .header('x-content-type-options', 'nosniff')
        .sendFile(request.params['*'], join(BUILT, 'assets'))
    },
  )
}
