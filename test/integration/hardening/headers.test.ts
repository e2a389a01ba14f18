// What every answer tells a browser: data is not to be guessed at, nothing is framed by strangers, no address is told on.

import { Agent } from 'node:http'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { buildOpsServer } from '../../../src/ops/ops-server.ts'
import { type Environment, openEnvironment } from '../../support/environment.ts'
import { begin, type Headers, type Reply, send } from '../../support/tus.ts'
import { OPS_PASSWORD, type Scene, setScene } from './support/credentials.ts'

const agent = new Agent({ keepAlive: true })
let stack: Environment
let scene: Scene
let link: string

beforeAll(async () => {
  stack = await openEnvironment({ env: { CORS_ORIGINS: 'https://portal.example', OPS_PASSWORD } })
  await stack.deps.rebuilder.heal()
  scene = await setScene(stack)
  const { body } = await stack.call('POST', `/v1/uploads/${scene.whole}/links`, { body: { names: ['original'] } })
  link = new URL((body['items'] as { url: string }[])[0]?.url ?? '').pathname
})
afterAll(async () => {
  agent.destroy()
  await stack.close()
})

/** Directives of a Content-Security-Policy. */
function policyOf({ headers }: Pick<Reply, 'headers'>): Map<string, string> {
  const text = String(headers['content-security-policy'] ?? '')
  return new Map(text.split(/;\s*/).map((part) => [part.split(' ')[0] ?? '', part.split(' ').slice(1).join(' ')]))
}

function expectHardened(reply: Pick<Reply, 'headers' | 'status'>, frames: string): void {
  const { headers } = reply
  expect(headers['x-content-type-options']).toBe('nosniff')
  expect(headers['referrer-policy']).toBe('no-referrer')
  expect(policyOf(reply).get('default-src')).toMatch(/^'(none|self)'$/)
  expect(policyOf(reply).get('script-src') ?? '').not.toContain('unsafe')
  expect(policyOf(reply).get('frame-ancestors') ?? 'missing').toBe(frames)
  expect(headers['server'] ?? headers['x-powered-by']).toBeUndefined()
}

const key = () => scene.authorization('key')
const tus = (more: Headers = {}): Headers => ({
  ...scene.authorization('ticket'),
  'tus-resumable': '1.0.0',
  ...more,
})

describe('the API and the tus endpoint', () => {
  it.each<[string, string, () => string, () => Headers, number]>([
    ['a document', 'GET', () => `/v1/submissions/${scene.id}`, key, 200],
    ['a refusal', 'GET', () => `/v1/submissions/${scene.id}`, () => ({}), 401],
    ['an address that is none', 'GET', () => '/nothing', () => ({}), 404],
    ['an address that cannot be decoded', 'GET', () => '/v1/%E0%A4%A', () => ({}), 400],
    ['a method that is none', 'PUT', () => '/v1/profiles', key, 405],
    ['the OpenAPI document', 'GET', () => '/openapi.json', () => ({}), 200],
    ['a creation', 'POST', () => '/files', () => tus({ 'upload-length': 10 }), 201],
    ['an offset', 'HEAD', () => `/files/${scene.begun}`, tus, 200],
    ['a refused PATCH', 'PATCH', () => `/files/${scene.begun}`, tus, 415],
    ['what tus can do', 'OPTIONS', () => '/files', () => ({}), 204],
  ])('%s', async (_name, method, path, headers, status) => {
    const reply = await send(method, stack.url + path(), headers(), undefined, agent)
    expect(reply.status).toBe(status)
    expectHardened(reply, "'none'")
    expect(policyOf(reply).get('default-src')).toBe("'none'")
  })

  it('a preflight, which no route handles', async () => {
    const origin = { origin: 'https://portal.example', 'access-control-request-method': 'PATCH' }
    const reply = await send('OPTIONS', `${stack.url}/files`, origin, undefined, agent)
    expect(reply.headers['access-control-allow-origin']).toBe('https://portal.example')
    expectHardened(reply, "'none'")
  })

  it('a stream of events', async () => {
    const events = begin('GET', `${stack.url}/v1/submissions/${scene.id}/events`, key())
    events.end()
    const { headers, statusCode: status = 0 } = await new Promise<import('node:http').IncomingMessage>((resolve) =>
      events.raw.once('response', resolve),
    )
    events.cut()
    expectHardened({ headers, status }, "'none'")
  })

  it('sends HSTS only if browsers use TLS', async () => {
    expect((await send('GET', `${stack.url}/openapi.json`, {})).headers).not.toHaveProperty('strict-transport-security')
    const secure = await openEnvironment({
      redis: stack.redis,
      env: { PUBLIC_URL: 'https://songngan.example', TRUST_PROXY: 'false' },
    })
    try {
      for (const path of ['/openapi.json', '/nothing', '/portal', '/v1/%E0%A4%A'])
        expect((await send('GET', secure.url + path, {})).headers['strict-transport-security'], path).toMatch(
          /^max-age=31536000/,
        )
    } finally {
      await secure.close()
    }
  })
})

describe('caching by a proxy or a browser', () => {
  it.each([
    ['a list of submissions', () => '/v1/submissions'],
    ['a list of uploads', () => `/v1/submissions/${scene.id}/uploads`],
    ['attempts', () => `/v1/submissions/${scene.id}/attempts`],
    ['events of a portal', () => '/v1/events'],
    ['a list of profiles', () => '/v1/profiles'],
    ['the root', () => '/'],
  ])('nothing of %s', async (_name, path) => {
    const reply = await send('GET', stack.url + path(), key(), undefined, agent)
    expect(reply.status).toBe(200)
    expect(reply.headers['cache-control']).toBe('no-store')
  })

  it('a document only privately, with revalidation each time', async () => {
    for (const path of [`/v1/submissions/${scene.id}`, `/v1/uploads/${scene.whole}`])
      expect((await send('GET', stack.url + path, key(), undefined, agent)).headers['cache-control']).toBe(
        'private, no-cache',
      )
  })

  it('no link', async () => {
    const { headers } = await stack.call('POST', `/v1/uploads/${scene.whole}/links`, { body: {} })
    expect(headers['cache-control']).toBe('no-store')
  })
})

describe('pages for people', () => {
  it('the root, which lists the other paths', async () => {
    const reply = await send('GET', `${stack.url}/`, {}, undefined, agent)
    expect(reply.status).toBe(200)
    expectHardened(reply, "'none'")
    const { reference, openapi } = JSON.parse(reply.text) as Record<string, string>
    for (const url of [reference, openapi])
      expect((await send('GET', String(url), {}, undefined, agent)).status, url).toBe(200)
  })

  it('the documentation', async () => {
    for (const path of ['/docs', '/docs/static/swagger-ui.css'])
      expectHardened(await send('GET', stack.url + path, {}, undefined, agent), "'none'")
  })

  it("the page for teachers, which the portal's own pages may frame", async () => {
    const reply = await send('GET', `${stack.url}/portal`, {}, undefined, agent)
    expectHardened(reply, "'self' https://portal.example")
    expect(policyOf(reply).get('script-src')).toBe("'self'")
  })

  it('an uploaded file: with name and type, in a sandbox, never a script', async () => {
    for (const headers of [{}, { range: 'bytes=0-9' }, { range: 'bytes=99999999-' }]) {
      const reply = await send('GET', stack.url + link, headers, undefined, agent)
      const policy = policyOf(reply)
      expect(reply.headers['x-content-type-options']).toBe('nosniff')
      expect(policy.get('default-src')).toBe("'none'")
      expect(policy.get('sandbox')).toBe('allow-same-origin')
      expect(policy.has('script-src')).toBe(false)
      // Players of the portal's pages may load it; no page of theirs is named.
      expect(reply.headers['cross-origin-resource-policy']).toBe('cross-origin')
      expect(reply.headers['referrer-policy']).toBe('no-referrer')
      if (reply.status < 300) {
        // Nobody has looked at its bytes yet: it is saved, not shown.
        expect(reply.headers['content-disposition']).toMatch(/^attachment; filename="plan\.pdf"/)
        expect(reply.headers['content-type']).toBe('application/octet-stream')
      }
    }
  })

  it('everything on the listener for operators', async () => {
    const { deps } = stack
    const ops = await buildOpsServer({
      ...deps,
      redis: deps.redis.producer,
      state: { started: true, draining: false },
    })
    try {
      const { authorization = '' } = scene.authorization('ops')
      for (const url of ['/', '/health/live', '/metrics', '/queues', '/queues/', '/console', '/nothing'])
        for (const headers of [{}, { authorization }]) {
          const reply = await ops.inject({ url, headers })
          expectHardened({ headers: reply.headers as Reply['headers'], status: reply.statusCode }, "'none'")
        }
    } finally {
      await ops.close()
    }
  })
})
