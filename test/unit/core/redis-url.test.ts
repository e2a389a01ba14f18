import { expect, test } from 'vitest'
import { parseRedisUrl } from '../../../src/core/redis-url.ts'

test('one server', () => {
  expect(parseRedisUrl('redis://user:pw@redis.example:6380/1')).toMatchObject({
    kind: 'single',
    hosts: [{ host: 'redis.example', port: 6380 }],
    tls: false,
  })
  const secured = parseRedisUrl('rediss://:pw@[::1]/0?ca=/etc/ca.pem&family=6')
  expect(secured).toMatchObject({ hosts: [{ host: '::1', port: 6379 }], tls: true, ca: '/etc/ca.pem' })
  // The other settings are for the client.
  expect(secured).toMatchObject({ url: 'rediss://:pw@[::1]/0?family=6' })
})

test('Sentinels', () => {
  expect(
    parseRedisUrl('redis+sentinel://user:p%40w:x@one,[fd00::2]:26380,three:1/the%20primary/2?sentinelPassword=s%26'),
  ).toEqual({
    kind: 'sentinel',
    hosts: [
      { host: 'one', port: 26379 },
      { host: 'fd00::2', port: 26380 },
      { host: 'three', port: 1 },
    ],
    tls: false,
    ca: undefined,
    name: 'the primary',
    db: 2,
    user: { username: 'user', password: 'p@w:x' },
    sentinelUser: { password: 's&' },
  })
  expect(parseRedisUrl('rediss+sentinel://:pw@one/name')).toMatchObject({ tls: true, db: 0, user: { password: 'pw' } })
})

test('a cluster', () => {
  expect(parseRedisUrl('rediss+cluster://user:pw@one,two:7000?ca=/etc/ca.pem')).toEqual({
    kind: 'cluster',
    hosts: [
      { host: 'one', port: 6379 },
      { host: 'two', port: 7000 },
    ],
    tls: true,
    ca: '/etc/ca.pem',
    user: { username: 'user', password: 'pw' },
  })
})

test.each([
  'http://one',
  'redis+cluster://one/name',
  'redis+cluster://one/1',
  'redis+cluster://',
  'redis+sentinel://one',
  'redis+sentinel://one/',
  'redis+sentinel://one/name/x',
  'redis+sentinel://one/name/0/1',
  'redis+sentinel://one,/name',
  'redis+sentinel://one:port/name',
  'redis+sentinel:///name',
  'not a URL',
])('refused: %s', (url) => {
  expect(parseRedisUrl(url)).toBeUndefined()
})
