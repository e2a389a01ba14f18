// The JSON side of the service: portal API, events, links and media, with the OpenAPI document they make up.

import swaggerUi from '@fastify/swagger-ui'
import type { FastifyInstance, FastifyRequest } from 'fastify'
import { loadTestApi } from './api/load-test.ts'
import { printReceiptRoute } from './api/print-receipt.ts'
import { portalApi } from './api/routes.ts'
import { uploadSnapshot } from './api/uploads.ts'
import { sessionIssued } from './auth/issued.ts'
import type { Session } from './auth/tokens.ts'
import { linkRoutes } from './delivery/link-routes.ts'
import { mediaRoute } from './delivery/media-route.ts'
import type { Deps } from './deps.ts'
import type { Caller } from './events/access.ts'
import { describedWebhooks } from './events/event-types.ts'
import { eventRoutes } from './events/routes.ts'
import { describeApi } from './http/openapi/document.ts'
import { publicUrl } from './http/public-url.ts'
import { clientRoutes } from './portal/client-routes.ts'
import { portalRoutes } from './portal/routes.ts'
import { loadSubmission } from './submissions/documents.ts'
import { tusPaths } from './uploads/openapi.ts'

export async function apiRoutes(app: FastifyInstance, deps: Deps): Promise<void> {
  const { config, clock, logger, store, heads, views } = deps
  await describe(app)
  await portalApi(app, deps)
  loadTestApi(app, deps)
  await eventRoutes(app, {
    heads,
    views,
    secrets: config.secrets.uploadId,
    revocations: deps.revocations,
    logger,
    live: deps.live,
    log: deps.eventLog,
    progress: deps.progressWatch,
    authorize: authorizer(deps),
    authorizeStream: authorizer(deps, { queryToken: true }),
    drain: deps.drain.signal,
    snapshots: {
      submission: async (owner, submissionId) => (await loadSubmission(deps, owner, submissionId)).document,
      upload: (uploadId) => uploadSnapshot(deps, uploadId),
    },
  })
  const { revocations, keyDerivation } = deps
  await linkRoutes(app, { authorize: authorizer(deps), views, config, clock, keyDerivation })
  await mediaRoute(app, { store, uploads: deps.uploads, secrets: config.secrets.link, clock, revocations })
  printReceiptRoute(app, deps)
  await portalRoutes(app, { config })
  await clientRoutes(app, { config })
  app.get('/', { schema: { hide: true } }, (request) => {
    const base = publicUrl(config, request)
    return {
      service: 'Songngan',
      reference: `${base}/docs`,
      openapi: `${base}/openapi.json`,
      api: `${base}/v1`,
      uploads: `${base}/files`,
      client: `${base}/client`,
    }
  })
}

/** Swagger UI needs inline styles and a data: icon; scripts are files. */
const DOCS_CSP = {
  'default-src': ["'none'"],
  'script-src': ["'self'"],
  'style-src': ["'self'", "'unsafe-inline'"],
  'img-src': ["'self'", 'data:'],
  'font-src': ["'self'"],
  'connect-src': ["'self'"],
  'base-uri': ["'none'"],
  'form-action': ["'none'"],
  'frame-ancestors': ["'none'"],
}

/** The authentication of portal and session routes, in the form that events and delivery need. */
function authorizer({ auth }: Deps, options: { queryToken?: boolean } = {}) {
  const read = auth.reader('read', options)
  return async (request: FastifyRequest): Promise<Caller> => {
    const caller = await read(request)
    return caller.kind === 'portal'
      ? { owner: caller.owner }
      : { owner: caller.owner, submissionId: caller.submissionId, session: sessionOf(caller.session) }
  }
}

function sessionOf(session: Session): NonNullable<Caller['session']> {
  return { issued: sessionIssued(session), subject: session.subject, expMs: session.expMs }
}

async function describe(app: FastifyInstance): Promise<void> {
  await describeApi(app, { paths: tusPaths(), webhooks: describedWebhooks() })
  await app.register(swaggerUi, { routePrefix: '/docs', staticCSP: DOCS_CSP })
  app.get('/openapi.json', { schema: { hide: true } }, () => app.swagger())
}
