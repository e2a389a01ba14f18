// Checks the target of a webhook. Portals choose the address, so it must not lead into the private network: the host is
// resolved once, every address it has must be public or allowed, and the connection goes to exactly the address that was checked
// (a second resolution could answer otherwise).

import { lookup as systemLookup } from 'node:dns/promises'
import { isIP } from 'node:net'
import { type AllowedHosts, isAllowedAddress, isAllowedName } from '../../src/core/addresses.ts'

export type Address = { address: string; family: 4 | 6 }
export type Resolve = (hostname: string) => Promise<Address[]>

/** The address must not be called; the message is for the log. */
export class AddressRefused extends Error {
  constructor(message: string) {
    super(message)
    this.name = 'AddressRefused'
  }
}

const resolveBySystem: Resolve = async (hostname) =>
  (await systemLookup(hostname, { all: true })).map(({ address, family }) => ({
    address,
    family: family === 6 ? 6 : 4,
  }))

/**
 * The addresses to connect to. Throws AddressRefused for anything but http and https, and for a host with any address
 * that is neither public nor allowed. Throws the resolver's errors.
 */
export async function allowedAddresses(
  url: URL,
  options: { allowed: AllowedHosts; resolve?: Resolve },
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
  if (isAllowedName(options.allowed, hostname)) return addresses
  const inside = addresses.find(({ address }) => !isAllowedAddress(options.allowed, address))
  if (inside !== undefined)
    throw new AddressRefused(`${hostname} is ${inside.address}, not public (WEBHOOK_ALLOW_HOSTS allows it)`)
  return addresses
}
