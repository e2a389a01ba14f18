// Which addresses belong to the internet, and which a request made for a stranger must not go to: one list for all who ask.

import { isIP } from 'node:net'
import ipaddr from 'ipaddr.js'

type Network = ReturnType<typeof ipaddr.parseCIDR>

/** What is handed out as public IPv6. Outside of it lie, among others, the many ways to dress an IPv4 address. */
const PUBLIC_V6 = ipaddr.parseCIDR('2000::/3')

/**
 * Hosts of a cloud itself, which answer its own machines only, in ranges that look public: Azure's platform (name
 * servers, health, agent), IBM's infrastructure and service endpoints. Others keep theirs in link-local or private ranges.
 */
const CLOUD_HOSTS = ['168.63.129.16/32', '161.26.0.0/16', '166.8.0.0/14'].map((text) => ipaddr.parseCIDR(text))

/** Names that no public name server answers for. */
const PRIVATE_NAME = /(^|\.)(localhost|local|internal|home\.arpa)$/i

/** True for a public unicast address in its usual form. Everything unknown, also IPv4 dressed as IPv6, is not. */
export function isPublicAddress(text: string): boolean {
  if (isIP(text) === 0) return false
  const address = ipaddr.parse(text)
  if (address.kind() === 'ipv6' && !isIn(address, PUBLIC_V6)) return false
  return address.range() === 'unicast' && !CLOUD_HOSTS.some((network) => isIn(address, network))
}

/** Hosts to which requests may go although they are not public. */
export type AllowedHosts = {
  /** Any host at all. */
  all: boolean
  /** In small letters; whatever they resolve to. */
  names: readonly string[]
  networks: readonly Network[]
}

const NAME = /^(?=.{1,253}$)[a-z0-9_]([a-z0-9_-]*[a-z0-9_])?(\.[a-z0-9_]([a-z0-9_-]*[a-z0-9_])?)*$/

/** A name, an address or a network (`10.20.0.0/16`); undefined where it is none of them. */
function parseEntry(text: string): { name: string } | { network: Network } | undefined {
  const entry = text.toLowerCase()
  if (ipaddr.isValidCIDR(entry)) return { network: ipaddr.parseCIDR(entry) }
  if (isIP(entry) !== 0) return { network: ipaddr.parseCIDR(`${entry}/${isIP(entry) === 4 ? 32 : 128}`) }
  // What consists of digits and dots is an address gone wrong.
  return NAME.test(entry) && !/^[\d.]+$/.test(entry) ? { name: entry } : undefined
}

/** Entries of a list of hosts that are no hosts. */
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

/** Public, or allowed although it is not. */
export function isAllowedAddress({ all, networks }: AllowedHosts, address: string): boolean {
  if (all || isPublicAddress(address)) return true
  if (isIP(address) === 0) return false
  // 127.0.0.1 dressed as ::ffff:127.0.0.1 is the same host.
  const plain = ipaddr.process(address)
  return networks.some((network) => isIn(plain, network))
}

/**
 * Whether a host is refused before any name server is asked. With allowed networks a private name is not: where it leads
 * is looked at when it is called.
 *
 * @param hostname as the URL parser gives it: IPv4 in its usual form, IPv6 in brackets
 */
export function isRefusedHost(allowed: AllowedHosts, hostname: string): boolean {
  const host = plainHost(hostname)
  if (isAllowedName(allowed, host)) return false
  if (isIP(host) !== 0) return !isAllowedAddress(allowed, host)
  return PRIVATE_NAME.test(host) && allowed.networks.length === 0
}

/** Without brackets, and without the dot at the end. */
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

function isIn(address: ReturnType<typeof ipaddr.parse>, network: Network): boolean {
  return address.kind() === network[0].kind() && address.match(network)
}
