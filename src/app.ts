// The service's HTTP side, as a table of contents: what is registered, in which order, under which policy.

import { randomBytes } from 'node:crypto'
import Fastify, { type FastifyBaseLogger, type FastifyInstance, type FastifyRequest, LogController } from 'fastify'
import { apiRoutes } from './api-routes.ts'
import type { Deps } from './deps.ts'
import { allowOrigin, registerCors } from './http/cors.ts'
import { announceClose } from './http/drain.ts'
import { errorHandler, useHttpErrors } from './http/errors.ts'
import { checkHost } from './http/public-url.ts'
import { limitBodyTime } from './http/request-bodies.ts'
import { registerSecurityHeaders, setSecurityHeaders } from './http/security-headers.ts'
import { acceptBody, holdContinue, refuseClient } from './http/server-answers.ts'
import { uploadRoutes } from './uploads/routes.ts'

/**
 * Builds the app, without listening.
 *
 * @param options.onRoute is called for every route, for tests
 */
export async function buildApp(
  deps: Deps,
  options: { onRoute?: (method: string, url: string) => void } = {},
): Promise<FastifyInstance> {
  const { config, logger } = deps
  const security = { tls: config.http.publicUrl?.startsWith('https:') === true }
  const app = Fastify({
    loggerInstance: logger as FastifyBaseLogger,
    trustProxy: config.http.trustProxy,
    genReqId: (request) => requestId(request.headers['x-request-id']),
    // A PATCH may take hours; the receiver ends idle bodies, `limitBodyTime` those of documents, Node slow headers.
    requestTimeout: 0,
    connectionTimeout: 0,
    http: { headersTimeout: 30_000, keepAliveTimeout: config.http.keepAliveMs },
    clientErrorHandler: refuseClient,
    // A 503 from here would make tus clients start again from byte 0; routes handle draining.
    return503OnClosing: false,
    forceCloseConnections: 'idle',
    // Called for URLs that cannot be decoded, before any hook.
    frameworkErrors: (error, request, reply) => {
      allowOrigin(request, reply, config.http.corsOrigins)
      setSecurityHeaders(request, reply.raw, security)
      errorHandler(error, request, reply)
    },
    exposeHeadRoutes: false,
    // `observe` logs one line per request.
    logController: new LogController({ disableRequestLogging: true }),
    routerOptions: { ignoreTrailingSlash: true, maxParamLength: 300 },
  })
  const { onRoute } = options
  if (onRoute !== undefined)
    app.addHook('onRoute', ({ method, url }) => {
      for (const one of [method].flat()) onRoute(one, url)
    })
  holdContinue(app.server)
  announceClose(app, () => deps.admission.draining)
  app.addHook('onListen', async () => deps.admission.watchLoop())
  useHttpErrors(app)
  registerSecurityHeaders(app, security)
  registerCors(app, config.http.corsOrigins, config.uploads.speaksDraft)
  observe(app, deps)
  admitRequests(app)
  keepNothing(app)
  limitBodyTime(app, config.uploads.idleTimeoutMs, isUpload)

  await apiRoutes(app, deps)
  await app.register(async (scope) => uploadRoutes(scope, deps))
  return app
}

/** One log line and one measurement per request; aborted requests are marked. */
function observe(app: FastifyInstance, { metrics, logger }: Deps): void {
  metrics.onScrape('connections', async () => {
    const open = await new Promise<number>((resolve, reject) =>
      app.server.getConnections((error, count) => (error === null ? resolve(count) : reject(error))),
    )
    metrics.connectionsOpen.set(open)
  })
  app.addHook('onRequest', (request, reply, done) => {
    reply.raw.setHeader('X-Request-Id', request.id)
    const startedAtMs = performance.now()
    reply.raw.once('close', () => {
      const seconds = (performance.now() - startedAtMs) / 1000
      const { method } = request
      const route = request.routeOptions.url ?? 'none'
      const aborted = !reply.raw.writableFinished
      const status = aborted ? 'aborted' : String(reply.raw.statusCode)
      // The duration of an event stream is not a latency.
      if (!route.endsWith('/events') || seconds < 5)
        metrics.httpRequestDuration.observe({ method, route, status }, seconds)
      logger.debug({ reqId: request.id, method, url: loggedUrl(request), status, seconds }, 'request')
    })
    done()
  })
}

/** Answers without a word on caching have names of people in them: no proxy and no browser keeps them. */
function keepNothing(app: FastifyInstance): void {
  app.addHook('onSend', (_request, reply, payload, done) => {
    if (!reply.hasHeader('cache-control')) void reply.header('cache-control', 'no-store')
    done(null, payload)
  })
}

/** Checks of every request before its route, and before its body is sent. */
function admitRequests(app: FastifyInstance): void {
  app.addHook('onRequest', (request, _reply, done) => {
    checkHost(request)
    done()
  })
  app.addHook('preParsing', (request, reply, payload, done) => {
    const { bodyLimit } = request.routeOptions
    const tooLarge = Number(request.headers['content-length'] ?? 0) > (bodyLimit ?? Number.POSITIVE_INFINITY)
    // The data path accepts upload bodies.
    if (!tooLarge && !isUpload(request)) acceptBody(request.raw, reply.raw)
    done(null, payload)
  })
}

/**
 * What of an address may be logged. Credentials travel in queries and in paths of links, spelled in many ways: of an
 * address nothing is kept but the path of a route that takes none.
 */
function loggedUrl({ url, routeOptions }: FastifyRequest): string {
  const route = routeOptions.url ?? 'none'
  return route === 'none' || route.startsWith('/media') || route.startsWith('/receipts')
    ? route
    : (url.split(/[?#;]/)[0] ?? '')
}

function isUpload({ routeOptions }: FastifyRequest): boolean {
  return routeOptions.url?.startsWith('/files') === true
}

function requestId(given: string | string[] | undefined): string {
  return typeof given === 'string' && /^[\w.:-]{1,64}$/.test(given) ? given : randomBytes(8).toString('hex')
}
