// POST /v1/submissions/:id/sessions: gives a browser page access to one submission, with the permissions in `can`.

import Type from 'typebox'
import { type Auth, submissionOf } from '../auth/authenticate.ts'
import { PERMISSIONS } from '../auth/token-claims.ts'
import type { Tokens } from '../auth/tokens.ts'
import { type Clock, isoTime } from '../core/clock.ts'
import type { Config } from '../core/config.ts'
import { publicUrl } from '../http/public-url.ts'
import { type Api, problems } from '../http/typed-routes.ts'
import type { SubmissionHeads } from '../records/submission-heads.ts'
import { ExpiresIn, Subject } from './tickets.ts'

export type SessionsApiDeps = {
  config: Pick<Config, 'http'>
  clock: Clock
  auth: Auth
  tokens: Tokens
  heads: SubmissionHeads
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
        '`seal`: hand it in; without it the page has no hand-in button',
    }),
    expiresInSeconds: ExpiresIn,
  },
  { additionalProperties: false },
)

const SessionAnswer = Type.Object({
  token: Type.String({ description: 'For `Authorization: Bearer`; event routes also take `?access_token=`' }),
  url: Type.Optional(
    Type.String({
      description:
        'URL of the page. The token is in the fragment, which is not sent to servers. Absent if the page is switched off',
    }),
  ),
  expiresAt: Type.String({ format: 'date-time' }),
})

export function sessionsApi(api: Api, { auth, tokens, clock, config, heads }: SessionsApiDeps): void {
  api.post(
    '/v1/submissions/:id/sessions',
    {
      onRequest: auth.requirePortal,
      schema: {
        tags: ['sessions'],
        summary: 'Create a session for a browser',
        params: Type.Object({ id: Type.String() }),
        body: SessionBody,
        response: {
          201: SessionAnswer,
          ...problems([
            'BAD_REQUEST',
            'BODY_NOT_JSON',
            'ID_INVALID',
            'SESSION_SCOPE',
            'SUBMISSION_UNKNOWN',
            'SUBMISSION_DELETED',
          ]),
        },
      },
    },
    async (request, reply) => {
      const { owner, id } = submissionOf(auth.caller(request), request.params.id)
      await heads.require(owner, id)
      const { subject, can, expiresInSeconds } = request.body
      const signed = await tokens.signSession({
        owner,
        submission: id,
        can,
        subject: subject ?? null,
        expMs: clock.now() + (expiresInSeconds ?? DEFAULT_SESSION_SECONDS) * 1000,
      })
      return await reply
        .code(201)
        .header('cache-control', 'no-store')
        .send({
          token: signed.token,
          ...(config.http.portalPage ? { url: `${publicUrl(config, request)}/portal#token=${signed.token}` } : {}),
          expiresAt: isoTime(signed.session.expMs),
        })
    },
  )
}
