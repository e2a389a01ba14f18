// A submission's own webhook address: refused here where it is plainly none of the portal's. What a name resolves to is
// checked again when an event is delivered.

import { BlockList, isIP } from 'node:net'

/** Special-purpose addresses of RFC 6890 and its successors: none of them is a portal on the internet. */
const PRIVATE = new BlockList()
for (const [network, prefix] of [
  ['0.0.0.0', 8],
  ['10.0.0.0', 8],
  ['100.64.0.0', 10],
  ['127.0.0.0', 8],
  ['169.254.0.0', 16],
  ['172.16.0.0', 12],
  ['192.0.0.0', 24],
  ['192.168.0.0', 16],
  ['198.18.0.0', 15],
  ['224.0.0.0', 3],
] as const)
  PRIVATE.addSubnet(network, prefix, 'ipv4')
for (const [network, prefix] of [
  ['::', 127],
  ['64:ff9b:1::', 48],
  ['100::', 64],
  ['fc00::', 7],
  ['fe80::', 10],
  ['ff00::', 8],
] as const)
  PRIVATE.addSubnet(network, prefix, 'ipv6')

const MAX_CHARS = 2000

/** What is wrong with a callback address, in a few words; undefined: nothing that can be seen without asking. */
export function callbackUrlError(url: string, options: { allowPrivate: boolean }): string | undefined {
  if (url.length > MAX_CHARS || !URL.canParse(url)) return 'must be a URL'
  const { protocol, hostname, username, password } = new URL(url)
  if (protocol !== 'http:' && protocol !== 'https:') return 'must be an http or https URL'
  if (username !== '' || password !== '') return 'must not carry credentials'
  if (!options.allowPrivate && isPrivateHost(hostname)) return 'must not be a private or loopback address'
  return undefined
}

/** @param hostname as the URL parser gives it: IPv4 in its usual form, IPv6 in brackets */
export function isPrivateHost(hostname: string): boolean {
  const host = hostname.replace(/^\[|\]$/g, '').replace(/\.$/, '')
  const family = isIP(host)
  if (family === 0) return /(^|\.)(localhost|local|internal|home\.arpa)$/i.test(host)
  if (family === 4) return PRIVATE.check(host, 'ipv4')
  const mapped = /^::ffff:([0-9a-f]{1,4}):([0-9a-f]{1,4})$/i.exec(host)
  if (mapped === null) return PRIVATE.check(host, 'ipv6')
  const bytes = mapped.slice(1).flatMap((group) => {
    const value = Number.parseInt(group, 16)
    return [value >> 8, value & 255]
  })
  return PRIVATE.check(bytes.join('.'), 'ipv4')
}
