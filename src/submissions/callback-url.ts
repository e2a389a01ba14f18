// Validates a submission's callbackUrl. The addresses of its host name are
// checked again when an event is delivered.

import { type AllowedHosts, isRefusedHost } from '../core/addresses.ts'

const MAX_CHARS = 2000

/** The error of a callback URL; undefined: no error visible without DNS. */
export function callbackUrlError(url: string, options: { allowed: AllowedHosts }): string | undefined {
  if (url.length > MAX_CHARS || !URL.canParse(url)) return 'must be a URL'
  const { protocol, hostname, username, password } = new URL(url)
  if (protocol !== 'http:' && protocol !== 'https:') return 'must be an http or https URL'
  if (username !== '' || password !== '') return 'must not contain credentials'
  if (isRefusedHost(options.allowed, hostname)) return 'must not be a private or loopback address'
  return undefined
}
