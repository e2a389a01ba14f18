// The portal API: submissions, tickets, sessions, uploads and profiles under /v1.

import type { FastifyInstance } from 'fastify'
import { type ProfilesApiParts, profilesApi } from './profiles-api.ts'
import { type SessionsApiParts, sessionsApi } from './sessions-api.ts'
import { type SubmissionsApiParts, submissionsApi } from './submissions-api.ts'
import { type TicketsApiParts, ticketsApi } from './tickets-api.ts'
import { typedRoutes } from './typed-routes.ts'
import { type UploadsApiParts, uploadsApi } from './uploads-api.ts'

export type PortalApiParts = SubmissionsApiParts &
  TicketsApiParts &
  SessionsApiParts &
  UploadsApiParts &
  ProfilesApiParts

/** Registers the portal API in a scope of its own: its validation and body parsing are not the tus endpoint's. */
export async function portalApi(app: FastifyInstance, parts: PortalApiParts): Promise<void> {
  await app.register(async (scope) => {
    const api = typedRoutes(scope)
    submissionsApi(api, parts)
    ticketsApi(api, parts)
    sessionsApi(api, parts)
    uploadsApi(api, parts)
    profilesApi(api, parts)
  })
}
