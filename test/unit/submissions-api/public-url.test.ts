import Fastify from 'fastify'
import { expect, it } from 'vitest'
import { loadConfig } from '../../../src/core/config.ts'
import { publicUrl } from '../../../src/http/public-url.ts'

function seenWith(env: Record<string, string>, trustProxy: boolean | string, remoteAddress = '127.0.0.1') {
  const config = loadConfig({
    REDIS_URL: 'redis://127.0.0.1:1',
    TICKET_SECRET: 'a-ticket-secret-of-thirty-two-characters',
    TRUST_PROXY: String(trustProxy),
    ...env,
  })
  const app = Fastify({ trustProxy: config.http.trustProxy })
  app.get('/', async (request) => publicUrl(config, request))
  const headers = {
    host: 'inside:8080',
    'x-forwarded-host': 'portal.example',
    'x-forwarded-proto': 'https',
    'x-forwarded-for': '10.0.0.1',
  }
  return app.inject({ url: '/', headers, remoteAddress }).then(({ body }) => body)
}

it('is the configured one, without a trailing slash', async () => {
  expect(await seenWith({ PUBLIC_URL: 'https://songngan.example/sub/' }, true)).toBe('https://songngan.example/sub')
})

it('is otherwise the URL of the request, or the forwarded one of a trusted proxy', async () => {
  expect(await seenWith({}, false)).toBe('http://inside:8080')
  expect(await seenWith({}, true)).toBe('https://portal.example')
})

it.each([
  ['loopback', '127.0.0.9', true],
  ['loopback', '::1', true],
  ['loopback', '::ffff:127.0.0.1', true],
  ['loopback', '10.0.0.1', false],
  ['linklocal', '169.254.1.1', true],
  ['linklocal', 'fe80::1', true],
  ['uniquelocal', '10.1.2.3', true],
  ['uniquelocal', '172.31.0.1', true],
  ['uniquelocal', '172.32.0.1', false],
  ['uniquelocal', 'fd00::1', true],
  ['203.0.113.7, 198.51.100.0/24', '203.0.113.7', true],
  ['203.0.113.7, 198.51.100.0/24', '198.51.100.9', true],
  ['203.0.113.7, 198.51.100.0/24', '203.0.113.8', false],
  ['2001:db8::/32', '2001:db8::5', true],
])('TRUST_PROXY=%s and a proxy at %s: %s', async (proxies, remoteAddress, isTrusted) => {
  const expected = isTrusted ? 'https://portal.example' : 'http://inside:8080'
  expect(await seenWith({}, proxies, remoteAddress)).toBe(expected)
})

it.each(['banana', '10.0.0.0/99', '1', '10.0.0'])('TRUST_PROXY=%s is refused with its name', (proxies) => {
  expect(() => seenWith({}, proxies)).toThrow(/TRUST_PROXY/)
})
