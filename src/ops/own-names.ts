// The names under which the operations listener answers, and what is a page of its own. A page of any site can make its own
// name lead to an inner address (DNS rebinding), and would then read health and metrics as if they were its own.

import { isIP } from 'node:net'
import { hostname } from 'node:os'
import type { FastifyInstance, FastifyRequest } from 'fastify'
import type { Config } from '../core/config.ts'

const HEALTH = new Set(['/health/live', '/health/ready'])

/** Answers 403 under foreign names. Addresses, names without a dot, and the machine's own name are nobody else's. */
export function checkOwnNames(app: FastifyInstance, { ops }: Pick<Config, 'ops'>): void {
  const own = new Set([hostname(), ops.host, ...ops.hosts].map((name) => name.toLowerCase()))
  app.addHook('onRequest', async (request, reply) => {
    // A browser always names a host. Balancers ask for health without one, or by any name, and learn nothing else.
    if (request.headers.host === undefined || HEALTH.has(request.routeOptions.url ?? '')) return undefined
    const name = nameOf(request.headers.host)
    if (name !== undefined && (own.has(name) || isIP(name) !== 0 || !name.includes('.'))) return undefined
    return await reply.code(403).send({
      code: 'HOST_UNKNOWN',
      error:
        'This listener is asked under a name that is not its own. Names that lead here on purpose belong into OPS_HOSTS.',
    })
  })
}

/** Whether a browser says that a page of another origin asks. Programs say nothing. */
export function isForeign({ headers }: FastifyRequest): boolean {
  const site = headers['sec-fetch-site']
  // A browser that says so is right whatever a proxy in front made of Host.
  if (site !== undefined) return site !== 'same-origin'
  const { origin, host } = headers
  // The scheme is that of a proxy in front, which this process does not know.
  return origin !== undefined && !(URL.canParse(origin) && new URL(origin).host === host?.toLowerCase())
}

/** Without port, in lower case; undefined: not one name or address. */
function nameOf(host: string): string | undefined {
  const [, v6, name] = /^(?:\[([0-9a-f:.]+)\]|([a-z0-9._-]+))(?::\d{1,5})?$/.exec(host.toLowerCase()) ?? []
  return v6 ?? name
}
