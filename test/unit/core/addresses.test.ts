import { describe, expect, it } from 'vitest'
import { allowedHosts, isPublicAddress, isRefusedHost, wrongHosts } from '../../../src/core/addresses.ts'

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
    // hosts of Azure, IBM, Alibaba and Oracle themselves
    '168.63.129.16',
    '161.26.0.10',
    '166.9.24.3',
    '100.100.100.200',
    '192.0.0.192',
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
    '3fff::1',
    'fec0::1',
    '4000::1',
    'portal.example',
    '',
  ])('%s is not', (address) => {
    expect(isPublicAddress(address)).toBe(false)
  })

  it.each(['8.8.8.8', '172.32.0.1', '192.169.0.1', '100.128.0.1', '203.150.1.1', '2606:4700::1', '2400:cb00::1'])(
    '%s is',
    (address) => {
      expect(isPublicAddress(address)).toBe(true)
    },
  )
})

describe('a list of allowed hosts', () => {
  it.each(['portal.example', 'portal', '10.0.0.1', '10.0.0.0/8', '::1', 'fd00::/8'])('knows %s', (entry) => {
    expect(wrongHosts([entry])).toEqual([])
  })

  it.each(['10.0.0.300', '10.0.0.0/33', '10.0.0', 'http://portal', 'a b', '-x', 'fd00::/129', '*'])(
    'does not know %s',
    (entry) => {
      expect(wrongHosts([entry])).toEqual([entry])
      expect(() => allowedHosts([entry])).toThrow(TypeError)
    },
  )

  it('leaves a private name to the name server once a network is allowed', () => {
    expect(isRefusedHost(allowedHosts([]), 'portal.internal')).toBe(true)
    expect(isRefusedHost(allowedHosts(['portal.internal']), 'portal.internal')).toBe(false)
    expect(isRefusedHost(allowedHosts(['portal.internal']), 'redis.internal')).toBe(true)
    expect(isRefusedHost(allowedHosts(['10.0.0.0/8']), 'redis.internal')).toBe(false)
    expect(isRefusedHost(allowedHosts(['10.0.0.0/8']), '127.0.0.1')).toBe(true)
    expect(isRefusedHost(allowedHosts(['127.0.0.0/8']), '[::ffff:7f00:1]')).toBe(false)
  })
})
