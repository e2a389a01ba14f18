// Sessions give a browser page access to one submission, with the permissions in `can`. A portal can revoke one, all of a
// person, and all, each with the tickets and links that they asked for.

import type { FastifyRequest } from 'fastify'
import Type from 'typebox'
import type { SecurityLog } from '../audit/security-log.ts'
import { type Auth, submissionOf } from '../auth/authenticate.ts'
import type { Revocations } from '../auth/revocations.ts'
import { PERMISSIONS } from '../auth/token-claims.ts'
import type { Tokens } from '../auth/tokens.ts'
import { type Clock, isoTime } from '../core/clock.ts'
import type { Config } from '../core/config.ts'
import { AppError } from '../core/errors.ts'
import { SESSION_ID } from '../core/ids.ts'
import { PORTAL_ONLY } from '../http/openapi/documented.ts'
import { BODY_CODES, noContent, problems } from '../http/openapi/responses.ts'
import { publicUrl } from '../http/public-url.ts'
import type { Api } from '../http/typed-routes.ts'
import { type Revocation, revocationsOf } from '../records/revocations.ts'
import type { SubmissionHeads } from '../records/submission-heads.ts'
import { SubmissionId } from './submission-schemas.ts'
import { ExpiresIn, Subject } from './tickets.ts'

export type SessionsApiDeps = {
  config: Pick<Config, 'http'>
  clock: Clock
  auth: Auth
  tokens: Tokens
  heads: SubmissionHeads
  revocations: Pick<Revocations, 'revoke'>
  securityLog: Pick<SecurityLog, 'record'>
}

/** Long enough for a page with a slow upload. */
const DEFAULT_SESSION_SECONDS = 12 * 3600

const SessionBody = Type.Object(
  {
    subject: Subject,
    can: Type.Array(Type.Enum([...PERMISSIONS]), {
      uniqueItems: true,
      default: ['read', 'upload'],
      description:
        '`read`: the submission, its uploads, links and events. `upload`: tickets, and metadata fields of slots. ' +
        '`seal`: hand it in; without it the page has no hand-in button. `review`: what only reviewers see; never for the person ' +
        'who hands in',
    }),
    expiresInSeconds: ExpiresIn,
  },
  {
    title: 'SessionRequest',
    examples: [{ subject: 'teacher-4711', can: ['read', 'upload', 'seal'] }],
    additionalProperties: false,
  },
)

const SessionAnswer = Type.Object(
  {
    id: Type.String({ description: 'For `DELETE …/sessions/{sid}`' }),
    token: Type.String({ description: 'For `Authorization: Bearer`; event streams also take `?access_token=`' }),
    url: Type.Optional(
      Type.String({
        description:
          'URL of the page. The token is in the fragment, which is not sent to servers. Absent if the page is switched off',
      }),
    ),
    expiresAt: Type.String({ format: 'date-time' }),
  },
  {
    title: 'Session',
    examples: [
      {
        id: 'q3f0cE1xTnKq',
        token: 'eyJhbGciOiJIUzI1NiJ9.e30.signature',
        url: 'https://files.example/portal#token=eyJhbGciOiJIUzI1NiJ9.e30.signature',
        expiresAt: '2026-09-30T21:00:00.000Z',
      },
    ],
    description: 'A session of one submission',
  },
)

const REVOKED = noContent('Revoked: new requests are refused within five seconds everywhere, open ones are ended')

export function sessionsApi(api: Api, deps: SessionsApiDeps): void {
  const { auth, tokens, clock, config, heads } = deps
  api.post(
    '/v1/submissions/:id/sessions',
    {
      onRequest: auth.requirePortal,
      schema: {
        tags: ['sessions'],
        operationId: 'createSession',
        security: PORTAL_ONLY,
        summary: 'Create a session for a browser',
        params: SubmissionId,
        body: SessionBody,
        response: {
          201: SessionAnswer,
          ...problems([...BODY_CODES, 'ID_INVALID', 'SUBMISSION_UNKNOWN', 'SUBMISSION_DELETED']),
        },
      },
    },
    async (request, reply) => {
      const { owner, id } = submissionOf(auth.caller(request), request.params.id)
      const head = await heads.require(owner, id)
      const { subject, can, expiresInSeconds } = request.body
      const signed = await tokens.signSession({
        owner,
        submission: id,
        can,
        subject: subject ?? null,
        revocations: revocationsOf(head),
        expMs: clock.now() + (expiresInSeconds ?? DEFAULT_SESSION_SECONDS) * 1000,
      })
      return await reply
        .code(201)
        .header('cache-control', 'no-store')
        .send({
          id: signed.session.id,
          token: signed.token,
          ...(config.http.portalPage ? { url: `${publicUrl(config, request)}/portal#token=${signed.token}` } : {}),
          expiresAt: isoTime(signed.session.expMs),
        })
    },
  )

  const revoking = problems([
    'BAD_REQUEST',
    'ID_INVALID',
    'SUBMISSION_UNKNOWN',
    'SUBMISSION_DELETED',
    'REVOCATIONS_LIMIT',
    'NO_SPACE',
  ])
  const revoke = async (request: FastifyRequest<{ Params: { id: string } }>, what: Revocation, inWords: string) => {
    const { owner, id } = submissionOf(auth.caller(request), request.params.id)
    await deps.revocations.revoke(owner, id, what)
    const actor = { by: `portal ${owner}`, from: request.ip }
    await deps.securityLog.record({ event: 'session.revoke', actor, on: `submission ${owner}/${id}`, what: inWords })
  }

  api.delete(
    '/v1/submissions/:id/sessions/:sid',
    {
      onRequest: auth.requirePortal,
      schema: {
        tags: ['sessions'],
        operationId: 'revokeSession',
        security: PORTAL_ONLY,
        summary: 'Revoke a session',
        description:
          'With the tickets and links that it asked for. Idempotent. An id that was never given is not told from one that was.',
        params: Type.Object({
          ...SubmissionId.properties,
          sid: Type.String({ description: 'The `id` that the session was given' }),
        }),
        response: { 204: REVOKED, ...revoking },
      },
    },
    async (request, reply) => {
      const { sid } = request.params
      if (!SESSION_ID.test(sid)) throw new AppError('BAD_REQUEST', { details: { sid: 'as the session was given it' } })
      await revoke(request, { session: sid }, `session ${sid} was revoked`)
      return await reply.code(204).send(null)
    },
  )

  api.delete(
    '/v1/submissions/:id/sessions',
    {
      onRequest: auth.requirePortal,
      schema: {
        tags: ['sessions'],
        operationId: 'revokeSessions',
        security: PORTAL_ONLY,
        summary: 'Revoke all sessions, or those of a person',
        description:
          'With all tickets, and the links that sessions asked for. ' +
          'What is issued afterwards is good. Tickets that the portal signs itself are told by `iat`; those without one are ' +
          'refused from then on.',
        params: SubmissionId,
        // A misspelt `subject` must not revoke everything.
        querystring: Type.Object({ subject: Subject }, { additionalProperties: false }),
        response: { 204: REVOKED, ...revoking },
      },
    },
    async (request, reply) => {
      const { subject } = request.query
      const what = subject === undefined ? 'all' : { subject }
      await revoke(
        request,
        what,
        subject === undefined ? 'all sessions were revoked' : 'sessions of a person were revoked',
      )
      return await reply.code(204).send(null)
    },
  )
}
