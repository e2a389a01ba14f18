// The portal API: submissions, tickets, sessions, uploads and profiles under /v1.

import type { FastifyInstance } from 'fastify'
import { Auth } from '../auth/authenticate.ts'
import type { Rates } from '../auth/rate-limit.ts'
import type { Config } from '../core/config.ts'
import { typedRoutes } from '../http/typed-routes.ts'
import { UniqueKeys } from '../submissions/unique-keys.ts'
import { type ProfilesApiParts, profilesApi } from './profiles.ts'
import { type ReceiptsApiParts, receiptsApi } from './receipts.ts'
import { type SealApiParts, sealApi } from './seal.ts'
import { type SessionsApiParts, sessionsApi } from './sessions.ts'
import { type SubmissionsApiParts, submissionsApi } from './submissions.ts'
import { type TicketsApiParts, ticketsApi } from './tickets.ts'
import { type UploadsApiParts, uploadsApi } from './uploads.ts'

/** What the deps of the service have; credentials and claims on keys are made of it here. */
export type PortalApiParts = Omit<
  SubmissionsApiParts &
    TicketsApiParts &
    SessionsApiParts &
    UploadsApiParts &
    ProfilesApiParts &
    SealApiParts &
    ReceiptsApiParts,
  'auth' | 'uniqueKeys'
> & { config: Pick<Config, 'apiKeys'>; rates: Pick<Rates, 'check'> }

/** Registers the portal API in a scope of its own: its validation and body parsing are not the tus endpoint's. */
export async function portalApi(app: FastifyInstance, deps: PortalApiParts): Promise<void> {
  const parts = { ...deps, auth: new Auth(deps), uniqueKeys: new UniqueKeys(deps) }
  await app.register(async (scope) => {
    limitSessions(scope, parts)
    const api = typedRoutes(scope)
    submissionsApi(api, parts)
    ticketsApi(api, parts)
    sealApi(api, parts)
    sessionsApi(api, parts)
    uploadsApi(api, parts)
    receiptsApi(api, parts)
    profilesApi(api, parts)
  })
}

/** A portal may do as much as it has teachers; a page's own changes are counted. After authentication, before the body. */
function limitSessions(
  scope: FastifyInstance,
  { auth, rates }: { auth: Auth; rates: Pick<Rates, 'check'> },
): void {
  scope.addHook('preParsing', async (request) => {
    if (request.method === 'GET' || request.method === 'HEAD') return
    // Asking for a ticket is an attempt: it is counted where attempts are noted.
    if (request.routeOptions.url?.endsWith('/tickets') === true) return
    const caller = auth.known(request)
    if (caller?.kind !== 'session') return
    const { owner, submissionId, subject } = caller
    await rates.check('session', { owner, submission: submissionId, subject })
  })
}
