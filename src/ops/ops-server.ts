// The operations listener: health, metrics, console, control settings and queue dashboard, on a separate address that no
// public balancer reaches. Both the service and the worker have one.

import Fastify, { type FastifyBaseLogger, type FastifyInstance, LogController } from 'fastify'
import { limitBodyTime } from '../http/request-bodies.ts'
import { registerSecurityHeaders } from '../http/security-headers.ts'
import { queueBoard } from './board.ts'
import { consoleRoutes } from './console/routes.ts'
import { controlRoutes } from './control-routes.ts'
import { FRONT_PAGE } from './front-page.ts'
import { collectOnScrape } from './gauges.ts'
import { healthRoutes } from './health.ts'
import { loadTestObjects } from './load-test-objects.ts'
import type { OpsDeps } from './ops-deps.ts'
import { checkOwnNames } from './own-names.ts'
import { useRefusals } from './refusals.ts'

export type { OpsDeps, ProcessState } from './ops-deps.ts'

const MAX_BODY_BYTES = 64 * 1024
const BODY_MS = 10_000

/** Pages of this listener load only from this listener; Bull Board needs inline styles. */
const PAGES_CSP = [
  "default-src 'self'",
  "style-src 'self' 'unsafe-inline'",
  "img-src 'self' data:",
  "object-src 'none'",
  "base-uri 'self'",
  "form-action 'self'",
  "frame-ancestors 'none'",
].join('; ')

/**
 * Builds the app of the listener, without listening.
 *
 * @param options.onRoute is called for every route, for tests
 */
export async function buildOpsServer(
  deps: OpsDeps,
  options: { onRoute?: (method: string, url: string) => void } = {},
): Promise<FastifyInstance> {
  const { metrics, logger, siblings } = deps
  const app = Fastify({
    loggerInstance: logger as FastifyBaseLogger,
    logController: new LogController({ disableRequestLogging: true }),
    forceCloseConnections: true,
    bodyLimit: MAX_BODY_BYTES,
    // A draining process still answers its health checks.
    return503OnClosing: false,
  })
  const { onRoute } = options
  if (onRoute !== undefined)
    app.addHook('onRoute', ({ method, url }) => {
      for (const one of [method].flat()) onRoute(one, url)
    })
  useRefusals(app)
  limitBodyTime(app, BODY_MS)
  checkOwnNames(app, deps.config)
  registerSecurityHeaders(app, { tls: false, csp: PAGES_CSP })
  collectOnScrape(deps)
  healthRoutes(app, deps)

  loadTestObjects(app, deps)

  app.get('/metrics', async (_request, reply) => {
    const others = siblings === undefined ? [] : await siblings()
    return await reply.type(metrics.registry.contentType).send(await metrics.text(others))
  })

  app.get('/', (_request, reply) =>
    reply
      .type('text/html; charset=utf-8')
      .header('content-security-policy', "default-src 'none'; frame-ancestors 'none'")
      .send(FRONT_PAGE),
  )

  await app.register((scope) => consoleRoutes(scope, deps))
  await app.register((scope) => controlRoutes(scope, deps))
  await app.register((scope) => queueBoard(scope, deps))
  return app
}
