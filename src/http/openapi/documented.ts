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
 */
export function documented(more: { url?: string; params?: TSchema; headers?: Record<string, string> }) {
  const { url, params, headers } = more
  const described = Object.entries(headers ?? {}).map(([name, description]) => [
    name,
    Type.Optional(Type.String({ description })),
  ])
  return ({ schema, url: own }: { schema: FastifySchema; url: string }) => ({
    url: url ?? own,
    schema: {
      ...schema,
      ...(params === undefined ? {} : { params }),
      ...(headers === undefined ? {} : { headers: Type.Object(Object.fromEntries(described)) }),
    },
  })
}
