// Where a webhook may go. A portal names the address, so it must not be a way into our own network: the host is
// resolved once, every address it has must be public, and the connection goes to exactly the address that was checked
// (a second resolution could answer otherwise).

import { lookup as systemLookup } from 'node:dns/promises'
import { BlockList, isIP } from 'node:net'

export type Address = { address: string; family: 4 | 6 }
export type Resolve = (hostname: string) => Promise<Address[]>

/** Not to be called at all; the message is for the log. */
export class AddressRefused extends Error {
  constructor(message: string) {
    super(message)
    this.name = 'AddressRefused'
  }
}

/** IANA's special-purpose registry: everything that is not a public unicast address. */
const V4_REFUSED: readonly [string, number][] = [
  ['0.0.0.0', 8],
  ['10.0.0.0', 8],
  ['100.64.0.0', 10],
  ['127.0.0.0', 8],
  // link-local, and where clouds keep their metadata
  ['169.254.0.0', 16],
  ['172.16.0.0', 12],
  ['192.0.0.0', 24],
  ['192.0.2.0', 24],
  ['192.88.99.0', 24],
  ['192.168.0.0', 16],
  ['198.18.0.0', 15],
  ['198.51.100.0', 24],
  ['203.0.113.0', 24],
  ['224.0.0.0', 4],
  ['240.0.0.0', 4],
]
/** Within the one public block: documentation, and tunnels that carry an IPv4 address of any kind. */
const V6_REFUSED: readonly [string, number][] = [
  ['2001::', 23],
  ['2001:db8::', 32],
  ['2002::', 16],
  ['3fff::', 20],
]

const refused = new BlockList()
for (const [net, bits] of V4_REFUSED) refused.addSubnet(net, bits, 'ipv4')
for (const [net, bits] of V6_REFUSED) refused.addSubnet(net, bits, 'ipv6')
const publicV6 = new BlockList()
publicV6.addSubnet('2000::', 3, 'ipv6')

/** True for a public unicast address. Everything unknown, also IPv4 dressed as IPv6, is not. */
export function isPublicAddress(address: string): boolean {
  const family = isIP(address)
  if (family === 4) return !refused.check(address, 'ipv4')
  return family === 6 && publicV6.check(address, 'ipv6') && !refused.check(address, 'ipv6')
}

const resolveBySystem: Resolve = async (hostname) =>
  (await systemLookup(hostname, { all: true })).map(({ address, family }) => ({
    address,
    family: family === 6 ? 6 : 4,
  }))

/**
 * The addresses to connect to. Throws AddressRefused for anything but http and https, and, unless `allowPrivate`, for
 * a host that has so much as one address that is not public. Throws what the resolver throws.
 */
export async function allowedAddresses(
  url: URL,
  options: { allowPrivate: boolean; resolve?: Resolve },
): Promise<Address[]> {
  if (url.protocol !== 'http:' && url.protocol !== 'https:')
    throw new AddressRefused(`${url.protocol} is not http or https`)
  const hostname = url.hostname.replace(/^\[(.*)\]$/, '$1')
  const literal = isIP(hostname)
  const addresses: Address[] =
    literal === 0
      ? await (options.resolve ?? resolveBySystem)(hostname)
      : [{ address: hostname, family: literal === 6 ? 6 : 4 }]
  if (addresses.length === 0) throw new AddressRefused(`${hostname} has no address`)
  const inside = options.allowPrivate ? undefined : addresses.find(({ address }) => !isPublicAddress(address))
  if (inside !== undefined)
    throw new AddressRefused(`${hostname} is ${inside.address}, not public (WEBHOOK_ALLOW_PRIVATE allows it)`)
  return addresses
}
