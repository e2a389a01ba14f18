// Security headers of every response, including refusals and hijacked replies: no sniffing, no framing,
// no referrer. Routes that need more (the page, media, documentation) set their own.

import type { FastifyInstance, FastifyRequest } from 'fastify'

/** One year, the minimum for the preload lists of browsers. */
const HSTS = 'max-age=31536000'
/** For data responses. */
const DATA_CSP = "default-src 'none'; frame-ancestors 'none'"

export type SecurityHeaderOptions = {
  /** Browsers use TLS, even if the service itself does not. */
  tls: boolean
  /** Content-Security-Policy for routes without their own. */
  csp?: string
}

/** For all routes. Writes to the raw response, so that hijacked replies have the headers too. */
export function registerSecurityHeaders(app: FastifyInstance, options: SecurityHeaderOptions): void {
  app.addHook('onRequest', (request, reply, done) => {
    setSecurityHeaders(request, reply.raw, options)
    done()
  })
}

/** Also for responses without hooks. */
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
