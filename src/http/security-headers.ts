// What every answer says to a browser, refusals and hijacked replies included: nothing here is to be guessed at, framed,
// or told of to others. A route that needs more (the portal's page, media, documentation) says so itself, in its own words.

import type { FastifyInstance, FastifyRequest } from 'fastify'

/** A year: the least that browsers' own lists accept. */
const HSTS = 'max-age=31536000'
/** Of answers that are data. */
const DATA_CSP = "default-src 'none'; frame-ancestors 'none'"

export type SecurityHeaderOptions = {
  /** Browsers reach the service over TLS, whatever it speaks itself. */
  tls: boolean
  /** Content-Security-Policy where a route has none of its own. */
  csp?: string
}

/** Registers for all routes. Writes to the raw response, so that hijacked replies carry the headers too. */
export function registerSecurityHeaders(app: FastifyInstance, options: SecurityHeaderOptions): void {
  app.addHook('onRequest', (request, reply, done) => {
    setSecurityHeaders(request, reply.raw, options)
    done()
  })
}

/** For answers that no hook sees, too. */
export function setSecurityHeaders(
  request: FastifyRequest,
  raw: { setHeader(name: string, value: string): unknown },
  { tls, csp = DATA_CSP }: SecurityHeaderOptions,
): void {
  raw.setHeader('X-Content-Type-Options', 'nosniff')
  raw.setHeader('Content-Security-Policy', csp)
  raw.setHeader('Referrer-Policy', 'no-referrer')
  raw.setHeader('Cross-Origin-Resource-Policy', 'same-origin')
  if (tls || request.protocol === 'https') raw.setHeader('Strict-Transport-Security', HSTS)
}
