import { describe, expect, it } from 'vitest'
import { allowedHosts } from '../../../src/core/addresses.ts'
import { AddressRefused, allowedAddresses } from '../../../workers/notify/address-guard.ts'

const ANY = allowedHosts([], true)

describe('allowedAddresses', () => {
  const ask = (url: string, addresses: string[] = [], allowed = allowedHosts([])) =>
    allowedAddresses(new URL(url), {
      allowed,
      resolve: () => Promise.resolve(addresses.map((address) => ({ address, family: address.includes(':') ? 6 : 4 }))),
    })

  it('gives all addresses of a public host', async () => {
    expect(await ask('https://portal.example/hook', ['8.8.8.8', '2606:4700::1'])).toEqual([
      { address: '8.8.8.8', family: 4 },
      { address: '2606:4700::1', family: 6 },
    ])
  })

  it('refuses a host with one private address among public ones', async () => {
    await expect(ask('https://portal.example/', ['8.8.8.8', '10.0.0.7'])).rejects.toThrow(AddressRefused)
  })

  it.each([
    'http://127.0.0.1/',
    'http://2130706433/',
    'http://0x7f.1/',
    'http://[::1]/',
    'http://[::ffff:127.0.0.1]/',
    'http://169.254.169.254/latest/meta-data/',
  ])('refuses %s without asking a resolver', async (url) => {
    await expect(ask(url, ['8.8.8.8'])).rejects.toThrow(AddressRefused)
  })

  it.each(['ftp://portal.example/', 'file:///etc/passwd', 'gopher://portal.example/'])('refuses %s', async (url) => {
    await expect(ask(url, ['8.8.8.8'], ANY)).rejects.toThrow(AddressRefused)
  })

  it('refuses a host without an address', async () => {
    await expect(ask('https://portal.example/', [], ANY)).rejects.toThrow(AddressRefused)
  })

  it('allows private addresses if that is configured', async () => {
    expect(await ask('http://[::1]:8080/', [], ANY)).toEqual([{ address: '::1', family: 6 }])
    expect(await ask('http://portal.internal/', ['10.0.0.7'], ANY)).toHaveLength(1)
  })

  it('allows listed hosts only', async () => {
    const allowed = allowedHosts(['Portal.School.internal', '10.20.0.0/16', '192.168.7.9', 'fd12::/16'])
    expect(await ask('http://portal.school.internal./', ['10.0.0.7'], allowed)).toHaveLength(1)
    expect(await ask('http://other.example/', ['10.20.3.4', '8.8.8.8'], allowed)).toHaveLength(2)
    expect(await ask('http://192.168.7.9:8080/', [], allowed)).toHaveLength(1)
    expect(await ask('http://[fd12::1]/', [], allowed)).toHaveLength(1)
    for (const [url, ...addresses] of [
      ['http://other.example/', '10.21.0.1'],
      ['http://other.example/', '10.20.3.4', '127.0.0.1'],
      ['http://192.168.7.8/'],
      ['http://evil-portal.school.internal/', '10.0.0.7'],
      ['http://portal.school.internal.evil.example/', '10.0.0.7'],
      ['http://169.254.169.254/'],
      ['http://168.63.129.16/'],
    ])
      await expect(ask(url ?? '', addresses, allowed), url).rejects.toThrow(AddressRefused)
  })
})
