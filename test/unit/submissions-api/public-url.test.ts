import Fastify from 'fastify'
import { expect, it } from 'vitest'
import { loadConfig } from '../../../src/core/config.ts'
import { publicUrl } from '../../../src/http/public-url.ts'

function seenWith(env: Record<string, string>, trustProxy: boolean) {
  const config = loadConfig({
    REDIS_URL: 'redis://127.0.0.1:1',
    TICKET_SECRET: 'a-ticket-secret-of-thirty-two-characters',
    TRUST_PROXY: String(trustProxy),
    ...env,
  })
  const app = Fastify({ trustProxy })
  app.get('/', async (request) => publicUrl(config, request))
  const headers = {
    host: 'inside:8080',
    'x-forwarded-host': 'portal.example',
    'x-forwarded-proto': 'https',
    'x-forwarded-for': '10.0.0.1',
  }
  return app.inject({ url: '/', headers }).then(({ body }) => body)
}

it('is what is configured, without a slash at the end', async () => {
  expect(await seenWith({ PUBLIC_URL: 'https://songngan.example/sub/' }, true)).toBe('https://songngan.example/sub')
})

it('is otherwise the address of the request, and what a trusted proxy says of it', async () => {
  expect(await seenWith({}, false)).toBe('http://inside:8080')
  expect(await seenWith({}, true)).toBe('https://portal.example')
})
