// What routes say of themselves in the OpenAPI document alone.

import type { FastifySchema } from 'fastify'
import Type, { type TSchema } from 'typebox'

/** Who may call: what routes have as their `security`; absent: a portal or a session. */
export const PORTAL_ONLY = [{ apiKey: [] }]
export const PROBE_ONLY = [{ probeKey: [] }]
export const WITH_TICKET = [{ ticket: [] }]

/**
 * For `config.swaggerTransform` of a route: what the document has and Fastify does not need to know.
 *
 * @param more.url in the form of the router, where the route's own is a wildcard
 * @param more.headers of requests, beside those that all have
 * @param more.response by status, in place of the one by which Fastify writes the answer
 */
export function documented(more: {
  url?: string
  params?: TSchema
  headers?: Record<string, string>
  response?: Record<number, TSchema>
}) {
  const { url, params, headers, response } = more
  const described = Object.entries(headers ?? {}).map(([name, description]) => [
    name,
    Type.Optional(Type.String({ description })),
  ])
  return ({ schema, url: own }: { schema: FastifySchema; url: string }) => ({
    url: url ?? own,
    schema: {
      ...schema,
      ...(params === undefined ? {} : { params }),
      ...(response === undefined ? {} : { response: { ...(schema.response as object), ...response } }),
      ...(headers === undefined ? {} : { headers: Type.Object(Object.fromEntries(described)) }),
    },
  })
}
