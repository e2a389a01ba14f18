// A submission's own webhook address: refused here where it is plainly none of the portal's. What a name resolves to is
// checked again when an event is delivered.

import { type AllowedHosts, isRefusedHost } from '../core/addresses.ts'

const MAX_CHARS = 2000

/** What is wrong with a callback address, in a few words; undefined: nothing that can be seen without asking. */
export function callbackUrlError(url: string, options: { allowed: AllowedHosts }): string | undefined {
  if (url.length > MAX_CHARS || !URL.canParse(url)) return 'must be a URL'
  const { protocol, hostname, username, password } = new URL(url)
  if (protocol !== 'http:' && protocol !== 'https:') return 'must be an http or https URL'
  if (username !== '' || password !== '') return 'must not carry credentials'
  if (isRefusedHost(options.allowed, hostname)) return 'must not be a private or loopback address'
  return undefined
}
