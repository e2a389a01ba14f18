// POST /v1/submissions/:id/tickets: permission to create one upload in one slot.

import Type from 'typebox'
import { type Auth, submissionOf } from '../auth/authenticate.ts'
import type { RateLimiter } from '../auth/rate-limit.ts'
import type { Tokens } from '../auth/tokens.ts'
import { type Clock, isoTime } from '../core/clock.ts'
import type { Config } from '../core/config.ts'
import { toAppError } from '../core/errors.ts'
import type { Tracing } from '../core/span.ts'
import { traceIn } from '../core/trace-context.ts'
import type { Attempts } from '../evidence/attempts.ts'
import { BODY_CODES, problems } from '../http/openapi/responses.ts'
import { publicUrl } from '../http/public-url.ts'
import { traceRoute } from '../http/server-span.ts'
import type { Api } from '../http/typed-routes.ts'
import { revocationsOf } from '../records/revocations.ts'
import { type CreationDecisionDeps, decideCreation } from '../submissions/creation.ts'
import { SubmissionId } from './submission-schemas.ts'

export type TicketsApiDeps = CreationDecisionDeps & {
  attempts: Attempts
  config: Pick<Config, 'http' | 'tickets' | 'uploads'>
  clock: Clock
  auth: Auth
  tokens: Tokens
  rates: Pick<RateLimiter, 'check'>
  tracing: Tracing
}

const MAX_TOKEN_SECONDS = 604_800
const MIN_TOKEN_SECONDS = 10

export const ExpiresIn = Type.Optional(Type.Integer({ minimum: MIN_TOKEN_SECONDS, maximum: MAX_TOKEN_SECONDS }))
export const Subject = Type.Optional(
  Type.String({ minLength: 1, maxLength: 256, description: 'The uploading person, as the portal names them' }),
)
const nullableInteger = Type.Unsafe<number | null>({ type: ['integer', 'null'] })
const nullableNumber = Type.Unsafe<number | null>({ type: ['number', 'null'] })

const TicketBody = Type.Object(
  {
    slot: Type.String({ minLength: 1, maxLength: 64 }),
    subject: Type.Optional(
      Type.String({
        minLength: 1,
        maxLength: 256,
        description:
          'Who uploads, as the portal calls that person; passed over where a page asks, whose session says it',
      }),
    ),
    replaces: Type.Optional(
      Type.String({
        description:
          'Upload of this slot to replace when the new one is accepted. In a slot for one ' +
          'file the default is the accepted one',
      }),
    ),
    maxBytes: Type.Optional(Type.Integer({ minimum: 1, description: 'A limit below that of the slot' })),
    expiresInSeconds: ExpiresIn,
  },
  {
    title: 'TicketRequest',
    examples: [{ slot: 'teaching_video', subject: 'teacher-4711' }],
    additionalProperties: false,
  },
)

const TicketAnswer = Type.Object(
  {
    ticket: Type.String({ description: 'For `Authorization: Bearer` on the tus endpoint' }),
    tusEndpoint: Type.String(),
    expiresAt: Type.String({
      format: 'date-time',
      description: 'For creations; a running upload continues after it',
    }),
    limits: Type.Object(
      {
        kinds: Type.Array(Type.String()),
        extensions: Type.Array(Type.String()),
        mimeTypes: Type.Array(Type.String()),
        maxBytes: Type.Integer(),
        maxDurationSeconds: nullableNumber,
        maxPages: nullableInteger,
        filesLeft: Type.Integer({ description: 'Files that the slot still accepts, including this one' }),
      },
      { title: 'TicketLimits', description: 'What the slot accepts' },
    ),
  },
  {
    title: 'Ticket',
    examples: [
      {
        ticket: 'eyJhbGciOiJIUzI1NiJ9.e30.signature',
        tusEndpoint: 'https://files.example/files',
        expiresAt: '2026-09-30T10:00:00.000Z',
        limits: {
          kinds: ['video'],
          extensions: ['mp4', 'mov'],
          mimeTypes: ['video/mp4', 'video/quicktime'],
          maxBytes: 4294967296,
          maxDurationSeconds: 3600,
          maxPages: null,
          filesLeft: 1,
        },
      },
    ],
    description: 'A ticket for one upload',
  },
)

export function ticketsApi(api: Api, deps: TicketsApiDeps): void {
  const { auth, tokens, clock, config, attempts, rates, tracing } = deps
  // The portal chooses ids of submissions, and may have chosen the number of a person.
  const route = traceRoute(tracing, '/v1/submissions/REDACTED/tickets')

  api.post(
    '/v1/submissions/:id/tickets',
    {
      onRequest: [auth.requirePortalOrSession('upload'), route.begin],
      onError: route.onError,
      onResponse: route.onResponse,
      schema: {
        tags: ['tickets'],
        operationId: 'createTicket',
        summary: 'Create a ticket for one upload',
        description:
          'Checks before a byte is sent whether the upload would be refused: dates, free places in the slot, seal. ' +
          'A ticket issued before the deadline can create uploads until the end of the grace period.',
        params: SubmissionId,
        body: TicketBody,
        response: {
          201: TicketAnswer,
          ...problems([
            ...BODY_CODES,
            'PROFILE_UNKNOWN',
            'ID_INVALID',
            'SUBMISSION_UNKNOWN',
            'SUBMISSION_DELETED',
            'SUBMISSION_SEALED',
            'SLOT_UNKNOWN',
            'SLOT_UPLOADS_LIMIT',
            'SUBMISSION_UPLOADS_LIMIT',
            'SUPERSEDED_LIMIT',
            'STORED_BYTES_LIMIT',
            'SLOT_FULL',
            'REPLACES_UNKNOWN',
            'NOT_OPEN_YET',
            'DEADLINE_PASSED',
            'RATE_LIMITED',
          ]),
        },
      },
    },
    async (request, reply) => {
      const caller = auth.caller(request)
      const { owner, id } = submissionOf(caller, request.params.id)
      const { slot, replaces, maxBytes, subject, expiresInSeconds } = request.body
      const by = caller.kind === 'session' ? caller.session : undefined
      const nowMs = clock.now()
      // Who somebody is, the portal says: limits, shares and receipts go by it. What a page says of itself is passed over.
      const who = caller.kind === 'session' ? caller.subject : (subject ?? null)
      const decide = async () => {
        if (caller.kind === 'session') await rates.check('session', { owner, submissionId: id, subject: who })
        return await decideCreation(deps, {
          owner,
          submissionId: id,
          slot,
          nowMs,
          issuedAtMs: nowMs,
          declared: null,
          via: 'ticket',
          replaces: replaces ?? null,
          maxBytes: maxBytes ?? null,
        })
      }
      const decision = await decide().catch((error: unknown) => {
        const { code, status } = toAppError(error)
        // Without a ticket there is no attempt to create: if this is a system error, record it as an attempt.
        if (status >= 500)
          attempts.record({
            owner,
            submissionId: id,
            slot,
            subject: who,
            atMs: nowMs,
            code,
            outcome: 'refused',
            declared: null,
            uploadId: null,
          })
        throw error
      })
      // Of the head that the decision began with: a ticket that is revoked meanwhile is void.
      const revocations = by?.revocations ?? revocationsOf(decision.head)
      const ttlSeconds = expiresInSeconds ?? config.tickets.ttlSeconds
      const signed = await tokens.signTicket({
        owner,
        submission: id,
        slot,
        subject: who,
        // Only a named upload: the accepted file is looked up at the creation.
        replaces: replaces ?? null,
        maxBytes: maxBytes ?? null,
        expMs: Math.min(nowMs + ttlSeconds * 1000, by?.expMs ?? Number.POSITIVE_INFINITY),
        session: by?.id ?? null,
        revocations,
        ...traceIn(route.traceOf(request)),
      })
      return await reply
        .code(201)
        .header('cache-control', 'no-store')
        .send({
          ticket: signed.token,
          tusEndpoint: `${publicUrl(config, request)}/files`,
          expiresAt: isoTime(signed.ticket.expMs),
          limits: { ...decision.limits, filesLeft: decision.filesLeft },
        })
    },
  )
}
