// Schema-first routes: TypeBox schemas give types, validation with all errors listed, responses and OpenAPI.

// Adds `tags`, `summary` and `description` to the schema of routes.
import type {} from '@fastify/swagger'
import type {
  FastifyBaseLogger,
  FastifyInstance,
  FastifySchemaCompiler,
  FastifyTypeProvider,
  RawReplyDefaultExpression,
  RawRequestDefaultExpression,
  RawServerDefault,
} from 'fastify'
import Type, { type Static, type TSchema } from 'typebox'
import { Compile } from 'typebox/compile'
import { ERRORS, type ErrorCode, toAppError } from '../core/errors.ts'
import { badRequest, partOf } from './errors.ts'
import { checkDepth } from './request-bodies.ts'

interface TypeBoxProvider extends FastifyTypeProvider {
  validator: this['schema'] extends TSchema ? Static<this['schema']> : unknown
  serializer: this['schema'] extends TSchema ? Static<this['schema']> : unknown
}

export type Api = FastifyInstance<
  RawServerDefault,
  RawRequestDefaultExpression,
  RawReplyDefaultExpression,
  FastifyBaseLogger,
  TypeBoxProvider
>

/** JSON documents of the portal API are small. */
export const BODY_LIMIT_BYTES = 256 * 1024

/** A Fastify scope for schema-first routes. */
export function typedRoutes(app: FastifyInstance): Api {
  const api = app.withTypeProvider<TypeBoxProvider>()
  api.setValidatorCompiler(validatorCompiler)
  const parse = app.getDefaultJsonParser('error', 'error')
  api.removeContentTypeParser('application/json')
  api.addContentTypeParser('application/json', { parseAs: 'string' }, (request, body, done) => {
    // Many clients send the type without a body (DELETE, some POSTs).
    if (body === '') return done(null, undefined)
    try {
      checkDepth(body.toString())
    } catch (error) {
      return done(toAppError(error))
    }
    return void parse(request, body.toString(), done)
  })
  return api
}

/**
 * Query values are converted to numbers and booleans. Bodies are not: `"5"` is no number, and an
 * unknown member is an error, since a misspelt `deadline` would be ignored.
 */
const validatorCompiler: FastifySchemaCompiler<TSchema> = ({ schema, httpPart }) => {
  const validator = Compile(schema)
  const isBody = httpPart === 'body' || httpPart === undefined
  return (data: unknown) => {
    const given = isBody ? (data ?? {}) : validator.Convert({ ...(data as object) })
    const value = validator.Default(given)
    if (validator.Check(value)) return { value }
    const errors = validator.Errors(value).flatMap((error) => {
      // A duplicate of the error that names the unknown member.
      if (error.keyword === 'boolean') return []
      const message =
        error.keyword === 'additionalProperties'
          ? `has unknown members: ${error.params.additionalProperties.join(', ')}`
          : error.keyword === 'enum'
            ? `must be one of ${error.params.allowedValues.join(', ')}`
            : error.message
      return [{ in: partOf(httpPart), path: error.instancePath, message }]
    })
    return { error: badRequest(...errors) }
  }
}

const ProblemSchema = Type.Object(
  {
    type: Type.String(),
    title: Type.String(),
    status: Type.Integer(),
    code: Type.String(),
    message: Type.Object({ th: Type.String(), en: Type.String() }),
  },
  { additionalProperties: true, description: 'RFC 9457 problem document; `code` is stable' },
)

/** Codes of all routes, and of all routes with authentication. */
const ANY: readonly ErrorCode[] = ['STORE_UNAVAILABLE', 'INTERNAL']
const WITH_KEY: readonly ErrorCode[] = ['API_KEY_INVALID', 'TOO_MANY_WRONG_CREDENTIALS', 'REDIS_UNAVAILABLE']

/**
 * The `response` members for errors, one per status, with their codes.
 *
 * @param statuses if a route uses another status for a code
 */
export function problems(
  codes: readonly ErrorCode[],
  statuses: Partial<Record<ErrorCode, number>> = {},
): Record<number, TSchema> {
  return publicProblems([...codes, ...WITH_KEY], statuses)
}

/** The same for a route without authentication. */
export function publicProblems(
  codes: readonly ErrorCode[],
  statuses: Partial<Record<ErrorCode, number>> = {},
): Record<number, TSchema> {
  const byStatus = new Map<number, ErrorCode[]>()
  for (const code of [...codes, ...ANY]) {
    const status = statuses[code] ?? ERRORS[code].status
    byStatus.set(status, [...(byStatus.get(status) ?? []), code])
  }
  return Object.fromEntries(
    [...byStatus].map(([status, of]) => [
      status,
      {
        description: of.map((code) => `\`${code}\` ${ERRORS[code].en}`).join('\n\n'),
        content: { 'application/problem+json': { schema: ProblemSchema } },
      } as unknown as TSchema,
    ]),
  )
}

/** A response without a body. */
export function noContent(description: string): TSchema {
  return Type.Null({ description })
}
