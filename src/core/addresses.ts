// Public and private addresses: requests on behalf of others must not go to private ones.

import { isIP } from 'node:net'
import ipaddr from 'ipaddr.js'

type Network = ReturnType<typeof ipaddr.parseCIDR>

/** Public IPv6. The IPv6 forms of IPv4 addresses, among others, are outside. */
const PUBLIC_V6 = ipaddr.parseCIDR('2000::/3')

/**
 * Internal hosts of clouds in public ranges: Azure's platform (name
 * servers, health, agent), IBM's infrastructure and service endpoints. Others use link-local or private ranges.
 */
const CLOUD_HOSTS = ['168.63.129.16/32', '161.26.0.0/16', '166.8.0.0/14'].map((text) => ipaddr.parseCIDR(text))

/** Names that public DNS does not resolve. */
const PRIVATE_NAME = /(^|\.)(localhost|local|internal|home\.arpa)$/i

/** True for a public unicast address in its usual form. Unknown forms, also IPv4 in IPv6, count as private. @internal */
export function isPublicAddress(text: string): boolean {
  if (isIP(text) === 0) return false
  const address = ipaddr.parse(text)
  if (address.kind() === 'ipv6' && !isIn(address, PUBLIC_V6)) return false
  return address.range() === 'unicast' && !CLOUD_HOSTS.some((network) => isIn(address, network))
}

/** Private hosts to which requests are allowed. */
export type AllowedHosts = {
  /** Any host at all. */
  all: boolean
  /** In lower case; independent of their addresses. */
  names: readonly string[]
  networks: readonly Network[]
}

const NAME = /^(?=.{1,253}$)[a-z0-9_]([a-z0-9_-]*[a-z0-9_])?(\.[a-z0-9_]([a-z0-9_-]*[a-z0-9_])?)*$/

/** A name, an address or a network (`10.20.0.0/16`); undefined if it is none of them. */
function parseEntry(text: string): { name: string } | { network: Network } | undefined {
  const entry = text.toLowerCase()
  if (ipaddr.isValidCIDR(entry)) return { network: ipaddr.parseCIDR(entry) }
  if (isIP(entry) !== 0) return { network: ipaddr.parseCIDR(`${entry}/${isIP(entry) === 4 ? 32 : 128}`) }
  // Only digits and dots: an invalid address.
  return NAME.test(entry) && !/^[\d.]+$/.test(entry) ? { name: entry } : undefined
}

/** The invalid entries of a list of hosts. */
export function wrongHosts(entries: readonly string[]): string[] {
  return entries.filter((entry) => parseEntry(entry) === undefined)
}

/** @param entries names, addresses and networks, checked by {@link wrongHosts} */
export function allowedHosts(entries: readonly string[], all = false): AllowedHosts {
  const names: string[] = []
  const networks: Network[] = []
  for (const text of entries) {
    const entry = parseEntry(text)
    if (entry === undefined) throw new TypeError(`no name, address or network: ${text}`)
    if ('name' in entry) names.push(entry.name)
    else networks.push(entry.network)
  }
  return { all, names, networks }
}

export function isAllowedName({ all, names }: AllowedHosts, hostname: string): boolean {
  return all || names.includes(plainHost(hostname))
}

/** Public, or explicitly allowed. */
export function isAllowedAddress({ all, networks }: AllowedHosts, address: string): boolean {
  if (all || isPublicAddress(address)) return true
  if (isIP(address) === 0) return false
  // ::ffff:127.0.0.1 is the same host as 127.0.0.1.
  const plain = ipaddr.process(address)
  return networks.some((network) => isIn(plain, network))
}

/**
 * Whether a host is refused without a DNS look-up. With allowed networks a private name is not refused: its address
 * is checked when it is called.
 *
 * @param hostname as the URL parser gives it: IPv4 in its usual form, IPv6 in brackets
 */
export function isRefusedHost(allowed: AllowedHosts, hostname: string): boolean {
  const host = plainHost(hostname)
  if (isAllowedName(allowed, host)) return false
  if (isIP(host) !== 0) return !isAllowedAddress(allowed, host)
  return PRIVATE_NAME.test(host) && allowed.networks.length === 0
}

/** Without brackets and trailing dot. */
function plainHost(hostname: string): string {
  return hostname
    .replace(/^\[|\]$/g, '')
    .replace(/\.$/, '')
    .toLowerCase()
}

/** Ranges that TRUST_PROXY takes by name, in the words of ipaddr.js. */
const RANGES: Readonly<Record<string, readonly string[]>> = {
  loopback: ['loopback'],
  linklocal: ['linkLocal'],
  uniquelocal: ['private', 'uniqueLocal'],
}

/** Entries of TRUST_PROXY that are no address, network or name of a range. */
export function wrongProxies(entries: readonly string[]): string[] {
  return entries.filter((entry) => RANGES[entry] === undefined && !('network' in (parseEntry(entry) ?? {})))
}

/** @param entries checked by {@link wrongProxies} */
export function trustedProxies(entries: readonly string[]): (address: string) => boolean {
  const ranges = entries.flatMap((entry) => RANGES[entry] ?? [])
  const { networks } = allowedHosts(entries.filter((entry) => RANGES[entry] === undefined))
  return (text) => {
    if (isIP(text) === 0) return false
    const address = ipaddr.process(text)
    return ranges.includes(address.range()) || networks.some((network) => isIn(address, network))
  }
}

/**
 * What one subscriber has: an IPv4 address, or the 64 bits of an IPv6 network, of which each address would else be a
 * fresh start. Anything else as it is.
 */
export function networkOf(text: string): string {
  if (isIP(text) === 0) return text
  const address = ipaddr.process(text)
  if (address.kind() === 'ipv4') return address.toString()
  return `${ipaddr.IPv6.networkAddressFromCIDR(`${address}/64`)}/64`
}

function isIn(address: ReturnType<typeof ipaddr.parse>, network: Network): boolean {
  return address.kind() === network[0].kind() && address.match(network)
}
