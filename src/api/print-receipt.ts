// The print view of a hand-in's receipt, behind a link that a browser can open: it needs no other credentials.

import type { FastifyInstance } from 'fastify'
import Type from 'typebox'
import { type Auth, submissionOf } from '../auth/authenticate.ts'
import { sessionIssued } from '../auth/issued.ts'
import { linkIssued, linkSessionOf } from '../auth/link-session.ts'
import type { Revocations } from '../auth/revocations.ts'
import { type Clock, isoTime } from '../core/clock.ts'
import type { Config } from '../core/config.ts'
import { AppError, type Bilingual } from '../core/errors.ts'
import { signCheckId } from '../evidence/check-id.ts'
import { PRINT_CSP, printView } from '../evidence/print-view.ts'
import { submissionClaims } from '../evidence/submission-claims.ts'
import { documented } from '../http/openapi/documented.ts'
import { BODY_CODES, problems, publicProblems } from '../http/openapi/responses.ts'
import { publicUrl } from '../http/public-url.ts'
import type { Api } from '../http/typed-routes.ts'
import type { ProfileCatalogue } from '../submissions/profiles/loader.ts'
import type { Profile } from '../submissions/profiles/profile.ts'
import { openPrintToken, signPrintToken } from './print-token.ts'
import type { SubmissionReceiptsApiDeps } from './submission-receipts.ts'
import { SubmissionId } from './submission-schemas.ts'

export type PrintReceiptDeps = Omit<SubmissionReceiptsApiDeps, 'config'> & {
  config: Pick<Config, 'http' | 'secrets'>
  auth: Auth
  clock: Clock
  profiles: Pick<ProfileCatalogue, 'get'>
  revocations: Pick<Revocations, 'isRevoked'>
}

const DEFAULT_SECONDS = 6 * 60 * 60
const MAX_SECONDS = 7 * 24 * 60 * 60
const REFUSALS = ['SUBMISSION_UNKNOWN', 'SUBMISSION_DELETED', 'RECEIPT_NOT_SEALED'] as const

const LinkBody = Type.Object(
  {
    revision: Type.Optional(Type.Integer({ minimum: 1, description: 'Default: the one that the submission is in' })),
    expiresInSeconds: Type.Integer({ minimum: 1, maximum: MAX_SECONDS, default: DEFAULT_SECONDS }),
  },
  { title: 'ReceiptLinkRequest', examples: [{ revision: 1, expiresInSeconds: 3600 }], additionalProperties: false },
)

const ReceiptLink = Type.Object(
  { url: Type.String(), expiresAt: Type.String({ format: 'date-time' }) },
  {
    title: 'ReceiptLink',
    examples: [{ url: 'https://files.example/receipts/token', expiresAt: '2026-09-30T10:00:00.000Z' }],
    description: 'A link to the print view',
  },
)

export function printLinkApi(api: Api, deps: PrintReceiptDeps): void {
  const { auth, heads, uploads, config, clock } = deps

  api.post(
    '/v1/submissions/:id/receipt/links',
    {
      onRequest: auth.requirePortalOrSession('read'),
      schema: {
        tags: ['receipts'],
        operationId: 'createReceiptLink',
        summary: 'Create a link to the print view of a receipt',
        description:
          'Valid for a limited time. One A4 page in Thai and English with a QR code, for a browser. Whoever has the link sees what the receipt says, and ' +
          '`metadata.name` of the submission. A session’s link ends with the session.',
        params: SubmissionId,
        body: LinkBody,
        response: {
          200: ReceiptLink,
          ...problems([...BODY_CODES, 'ID_INVALID', ...REFUSALS, 'RATE_LIMITED']),
        },
      },
    },
    async (request) => {
      const caller = auth.caller(request)
      const { owner, id } = submissionOf(caller, request.params.id)
      const { revision } = await submissionClaims(uploads, await heads.require(owner, id), request.body.revision)
      const session = caller.kind === 'session' ? caller.session : undefined
      const expMs = session?.expMs ?? Number.POSITIVE_INFINITY
      const expiresAtSeconds = Math.ceil(Math.min(clock.now() + request.body.expiresInSeconds * 1000, expMs) / 1000)
      const { link } = config.secrets
      const of = session === undefined ? null : linkSessionOf(sessionIssued(session), session.subject, link)
      const token = signPrintToken({ owner, submission: id, revision, expiresAtSeconds, session: of }, link)
      return { url: `${publicUrl(config, request)}/receipts/${token}`, expiresAt: isoTime(expiresAtSeconds * 1000) }
    },
  )
}

/** `GET /receipts/{token}`. A wildcard: the router limits the length of named parameters, and tokens can be longer. */
export function printReceiptRoute(app: FastifyInstance, deps: PrintReceiptDeps): void {
  app.get<{ Params: { '*': string } }>(
    '/receipts/*',
    {
      schema: {
        tags: ['receipts'],
        operationId: 'getPrintView',
        summary: 'Open the print view behind a link',
        description: 'For browsers. The link is the credential.',
        security: [],
        response: {
          200: { description: 'One A4 page', content: { 'text/html': { schema: Type.String() } } },
          ...publicProblems([
            ...REFUSALS,
            'LINK_INVALID',
            'LINK_EXPIRED',
            'LINK_REVOKED',
            'REDIS_UNAVAILABLE',
            'RECEIPT_SIGNING_STOPPED',
          ]),
        },
      },
      config: {
        swaggerTransform: documented({
          url: '/receipts/:token',
          params: Type.Object({ token: Type.String({ description: 'As in a link of `createReceiptLink`' }) }),
        }),
      },
    },
    async (request, reply) => {
      const { config, clock, heads, uploads, revocations, receiptKeys, profiles } = deps
      const { link } = config.secrets
      const { owner, submission, revision, session } = openPrintToken(request.params['*'], link, clock.now())
      if (session !== null && (await revocations.isRevoked(linkIssued(session, link))))
        throw new AppError('LINK_REVOKED')
      const head = await heads.require(owner, submission)
      const claims = await submissionClaims(uploads, head, revision)
      const signing = await receiptKeys.signing()
      const profile = profiles.get(head.profile)
      const { name } = head.metadata
      const html = printView({
        claims: { ...claims, iat: Math.floor(clock.now() / 1000) },
        kid: signing.kid,
        check: `${publicUrl(config, request)}/verify#${signCheckId({ owner, submission, revision }, signing)}`,
        name: typeof name === 'string' && name !== '' ? name : null,
        profile: profile === undefined ? null : positionAndRank(profile),
        labels: Object.fromEntries((profile?.slots ?? []).map(({ id, label }) => [id, label])),
        newest: head.revision,
      })
      return await reply
        .headers({ 'content-security-policy': PRINT_CSP, 'cache-control': 'private, no-store' })
        .type('text/html; charset=utf-8')
        .send(html)
    },
  )
}

function positionAndRank({ data: { position, rank } }: Profile): Bilingual {
  return { th: `${position.label.th} ${rank.label.th}`, en: `${position.label.en}, ${rank.label.en}` }
}
