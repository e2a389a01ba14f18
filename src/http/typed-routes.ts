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
import type { Static, TSchema } from 'typebox'
import { Compile } from 'typebox/compile'
import { toAppError } from '../core/errors.ts'
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
