// `/portal`: the page that a session's `url` opens, where a teacher hands in files. It uses only the public API with the
// session in the address after `#`, and is an example for a portal's own page. `/verify`: the page that checks receipts, for
// everybody; QR codes on paper lead to it, so it is there also where the portal has a page of its own.

import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import staticFiles from '@fastify/static'
// Adds `hide` to the schema of routes.
import type {} from '@fastify/swagger'
import type { FastifyInstance } from 'fastify'
import type { Config } from '../core/config.ts'
import { AppError } from '../core/errors.ts'
import { pageHeaders } from './policy.ts'

/** Made by the build (`scripts/lib/page.mjs`): the page, its assets compressed beforehand, and their version. */
const BUILT = join(import.meta.dirname, '../../page')

const FOR_EVER = 'public, max-age=31536000, immutable'
const ASK_FIRST = 'no-cache'

/**
 * Registers `GET /portal` and its assets `GET /portal/{version}/…`, unless PORTAL_PAGE is false; `GET /verify` and its own.
 *
 * @throws if the pages were not built
 */
export async function portalRoutes(app: FastifyInstance, { config }: { config: Pick<Config, 'http'> }): Promise<void> {
  const version = await readFile(join(BUILT, 'version.txt'), 'utf8').catch((cause: unknown) => {
    throw new Error(`the page is not built: ${BUILT} is missing. Run npm run build`, { cause })
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
  if (config.http.portalPage) servePage('portal', 'index.html', () => true)
  servePage('verify', 'verify.html', (asset) => /^(verify\.(js|css)|icon\.svg)$/.test(asset))

  function servePage(name: string, html: string, isIts: (asset: string) => boolean): void {
    app.get(`/${name}`, { schema: { hide: true } }, (request, reply) => {
      // Asset URLs are relative, so that the page works behind any prefix of a proxy.
      if (/\/($|\?)/.test(request.url)) return reply.redirect(`../${name}`, 308)
      return reply.headers(headers).header('cache-control', ASK_FIRST).sendFile(html)
    })

    app.get<{ Params: { version: string; '*': string } }>(
      `/${name}/:version/*`,
      { schema: { hide: true } },
      (request, reply) => {
        const asset = request.params['*']
        if (!isIts(asset)) throw new AppError('NOT_FOUND')
        // During a rolling update, a page of one release may load assets from a process of the other.
        const cached = request.params.version === version ? FOR_EVER : ASK_FIRST
        return reply
          .header('cache-control', cached)
          .header('x-content-type-options', 'nosniff')
          .sendFile(asset, join(BUILT, 'assets'))
      },
    )
  }
}
