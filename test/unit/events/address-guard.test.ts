import { describe, expect, it } from 'vitest'
import { AddressRefused, allowedAddresses, isPublicAddress } from '../../../workers/notify/address-guard.ts'

describe('isPublicAddress', () => {
  it.each([
    '127.0.0.1',
    '127.8.8.8',
    '0.0.0.0',
    '10.1.2.3',
    '172.16.0.1',
    '172.31.255.255',
    '192.168.1.1',
    '100.64.0.1',
    '169.254.169.254',
    '198.18.0.1',
    '224.0.0.1',
    '255.255.255.255',
    '::1',
    '::',
    'fe80::1',
    'fc00::1',
    'fd00:ec2::254',
    'ff02::1',
    '::ffff:127.0.0.1',
    '::ffff:8.8.8.8',
    '64:ff9b::7f00:1',
    '2002:7f00:1::',
    '2001:0:7f00::1',
    '2001:db8::1',
    'portal.example',
    '',
  ])('%s is not', (address) => {
    expect(isPublicAddress(address)).toBe(false)
  })

  it.each([
    '8.8.8.8',
    '172.32.0.1',
    '192.169.0.1',
    '100.128.0.1',
    '203.150.1.1',
    '2606:4700::1',
    '2400:cb00::1',
  ])('%s is', (address) => {
    expect(isPublicAddress(address)).toBe(true)
  })
})

describe('allowedAddresses', () => {
  const ask = (url: string, addresses: string[] = [], allowPrivate = false) =>
    allowedAddresses(new URL(url), {
      allowPrivate,
      resolve: () =>
        Promise.resolve(addresses.map((address) => ({ address, family: address.includes(':') ? 6 : 4 }))),
    })

  it('gives all addresses of a public host', async () => {
    expect(await ask('https://portal.example/hook', ['8.8.8.8', '2606:4700::1'])).toEqual([
      { address: '8.8.8.8', family: 4 },
      { address: '2606:4700::1', family: 6 },
    ])
  })

  it('refuses a host with one address inside among public ones', async () => {
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

  it.each(['ftp://portal.example/', 'file:///etc/passwd', 'gopher://portal.example/'])(
    'refuses %s',
    async (url) => {
      await expect(ask(url, ['8.8.8.8'], true)).rejects.toThrow(AddressRefused)
    },
  )

  it('refuses a host without an address', async () => {
    await expect(ask('https://portal.example/', [], true)).rejects.toThrow(AddressRefused)
  })

  it('lets private addresses pass where that is configured', async () => {
    expect(await ask('http://[::1]:8080/', [], true)).toEqual([{ address: '::1', family: 6 }])
    expect(await ask('http://portal.internal/', ['10.0.0.7'], true)).toHaveLength(1)
  })
})
