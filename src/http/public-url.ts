// The address under which the caller reaches us: configured, or taken from the request it came with.

import type { FastifyRequest } from 'fastify'
import type { Config } from '../core/config.ts'

/** Without a slash at the end. `request.host` honours X-Forwarded-Host from trusted proxies only. */
export function publicUrl({ http }: Pick<Config, 'http'>, request: FastifyRequest): string {
  return http.publicUrl ?? `${request.protocol}://${request.host}`
}
