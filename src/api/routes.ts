// The portal API: submissions, tickets, sessions, uploads and profiles under /v1.

import type { FastifyInstance } from 'fastify'
import type { Auth } from '../auth/authenticate.ts'
import type { RateLimiter } from '../auth/rate-limit.ts'
import { typedRoutes } from '../http/typed-routes.ts'
import { type ClaimsApiDeps, claimsApi } from './claimed-attempts.ts'
import { type PrintReceiptDeps, printLinkApi } from './print-receipt.ts'
import { type ProbeApiDeps, probeApi } from './probe-findings.ts'
import { type ProfilesApiDeps, profilesApi } from './profiles.ts'
import { type ReceiptsApiDeps, receiptsApi } from './receipts.ts'
import { type ReviewApiDeps, reviewApi } from './review.ts'
import { type SealApiDeps, sealApi } from './seal.ts'
import { type SessionsApiDeps, sessionsApi } from './sessions.ts'
import { type StatusApiDeps, statusApi } from './status.ts'
import { type SubmissionReceiptsApiDeps, submissionReceiptsApi } from './submission-receipts.ts'
import { type SubmissionsApiDeps, submissionsApi } from './submissions.ts'
import { type TicketsApiDeps, ticketsApi } from './tickets.ts'
import { type UploadsApiDeps, uploadsApi } from './uploads.ts'
import { type VerifyApiDeps, verifyApi } from './verify-receipts.ts'

export type PortalApiDeps = SubmissionsApiDeps &
  TicketsApiDeps &
  SessionsApiDeps &
  UploadsApiDeps &
  ProfilesApiDeps &
  ClaimsApiDeps &
  ProbeApiDeps &
  StatusApiDeps &
  SealApiDeps &
  ReviewApiDeps &
  ReceiptsApiDeps &
  SubmissionReceiptsApiDeps &
  PrintReceiptDeps &
  VerifyApiDeps & { rates: Pick<RateLimiter, 'check'> }

/** Registers the portal API in its own scope, with its own validation and body parsing. */
export async function portalApi(app: FastifyInstance, deps: PortalApiDeps): Promise<void> {
  await app.register(async (scope) => {
    limitSessions(scope, deps)
    tellTime(scope, deps)
    const api = typedRoutes(scope)
    submissionsApi(api, deps)
    ticketsApi(api, deps)
    sealApi(api, deps)
    reviewApi(api, deps)
    sessionsApi(api, deps)
    uploadsApi(api, deps)
    receiptsApi(api, deps)
    submissionReceiptsApi(api, deps)
    printLinkApi(api, deps)
    verifyApi(api, deps)
    profilesApi(api, deps)
    claimsApi(api, deps)
    probeApi(api, deps)
    statusApi(api, deps)
  })
}

/** A page counts the time that is left from the date of an answer: by the clock that decides, not by this machine's own. */
function tellTime(scope: FastifyInstance, { clock }: Pick<PortalApiDeps, 'clock'>): void {
  scope.addHook('onSend', (_request, reply, payload, done) => {
    void reply.header('date', new Date(clock.now()).toUTCString())
    done(null, payload)
  })
}

/**
 * A portal may change as much as it has teachers; a page's own changes are counted. Reads are counted by person, and a
 * portal's by submission; profiles are nobody's. After authentication, before the body.
 */
function limitSessions(
  scope: FastifyInstance,
  { auth, rates }: { auth: Auth; rates: Pick<RateLimiter, 'check'> },
): void {
  scope.addHook('preParsing', async (request) => {
    const caller = auth.known(request)
    if (caller === undefined) return
    if (request.method === 'GET' || request.method === 'HEAD') {
      const { id } = request.params as { id?: string }
      if (request.routeOptions.url?.startsWith('/v1/profiles') === true) return
      const reader = caller.kind === 'session' ? caller : { owner: caller.owner, submissionId: id, subject: null }
      if (reader.submissionId === undefined) return
      return await rates.check('read', { ...reader, submissionId: reader.submissionId })
    }
    // Ticket requests are attempts and are counted there.
    if (request.routeOptions.url?.endsWith('/tickets') === true) return
    if (caller.kind !== 'session') return
    const { owner, submissionId, subject } = caller
    await rates.check('session', { owner, submissionId, subject })
  })
}
