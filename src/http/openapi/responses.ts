// What routes say of their answers in the OpenAPI document: refusals with their codes, and answers without a body.

import Type, { type TSchema } from 'typebox'
import { AppError, ERRORS, type ErrorCode, problem } from '../../core/errors.ts'

/** Codes of every route (the first of a request with a wrong `Host`, say), and those of every route with authentication. */
const ANY: readonly ErrorCode[] = ['BAD_REQUEST', 'STORE_UNAVAILABLE', 'INTERNAL']
const WITH_KEY: readonly ErrorCode[] = ['API_KEY_INVALID', 'TOO_MANY_WRONG_CREDENTIALS', 'REDIS_UNAVAILABLE']
const WITH_SESSION: readonly ErrorCode[] = ['SESSION_INVALID', 'SESSION_REVOKED', 'SESSION_SCOPE']

/** Codes of routes with a JSON body. */
export const BODY_CODES = [
  'BAD_REQUEST',
  'BODY_NOT_JSON',
  'BODY_TOO_LARGE',
  'MEDIA_TYPE_UNSUPPORTED',
  'REQUEST_TIMEOUT',
] as const satisfies ErrorCode[]

const MessageSchema = Type.Object({ th: Type.String(), en: Type.String() }, { title: 'Bilingual' })

const ProblemSchema = Type.Object(
  {
    type: Type.String({ description: '`urn:songngan:problem:` and the code' }),
    title: Type.String({ description: 'The text in English' }),
    status: Type.Integer(),
    code: Type.String({
      description: 'Stable. Each answer lists its own; a later version may have more',
      'x-extensible-enum': Object.keys(ERRORS),
    }),
    message: MessageSchema,
  },
  {
    title: 'Problem',
    additionalProperties: true,
    description:
      'RFC 9457 problem document. Show `message` to the user, use `code` in a program. Members such as `limit` and `actual` may ' +
      'be there besides',
  },
)

/** What `codesOf` of the document finds beside the schema of a refusal. */
export const CODES = 'x-codes'

/** @param statuses if a route uses another status for a code */
type Statuses = Partial<Record<ErrorCode, number>>

/**
 * The `response` members for errors of a route with an API key or a session, one per status, with their codes.
 *
 * @param statuses if a route uses another status for a code
 */
export function problems(codes: readonly ErrorCode[], statuses: Statuses = {}): Record<number, TSchema> {
  return publicProblems([...codes, ...WITH_KEY, ...WITH_SESSION], statuses)
}

/** The same for a route without these credentials. */
export function publicProblems(codes: readonly ErrorCode[], statuses: Statuses = {}): Record<number, TSchema> {
  const byStatus = new Map<number, ErrorCode[]>()
  for (const code of new Set([...codes, ...ANY])) {
    const status = statuses[code] ?? ERRORS[code].status
    byStatus.set(status, [...(byStatus.get(status) ?? []), code])
  }
  return Object.fromEntries(
    [...byStatus].map(([status, of]) => [
      status,
      {
        description: of.map((code) => `\`${code}\` ${ERRORS[code].en}`).join('\n\n'),
        content: { 'application/problem+json': { schema: ProblemSchema, [CODES]: of } },
      } as unknown as TSchema,
    ]),
  )
}

/** A response without a body. */
export function noContent(description: string): TSchema {
  return Type.Null({ description })
}

/** A code as an example of a refusal. */
export function problemExample(code: ErrorCode, status: number): { summary: string; value: object } {
  return { summary: ERRORS[code].en, value: problem(new AppError(code, { status })) }
}
