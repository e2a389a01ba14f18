// Every route of the operations listener: health, metrics and the list of addresses are open there; nothing else without
// the password, and nothing is changed by a foreign page that an operator has open.

import { connect } from 'node:net'
import { hostname } from 'node:os'
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest'
import { buildOpsServer } from '../../../src/ops/ops-server.ts'
import { listen } from '../../support/app.ts'
import { type Environment, openEnvironment, PORTAL_KEY } from '../../support/environment.ts'
import { OPS_PASSWORD, type Scene, setScene } from './support/credentials.ts'

const OPEN = new Set(['/', '/health/live', '/health/ready', '/health/details', '/metrics'])
const SAFE = new Set(['GET', 'HEAD'])

let stack: Environment
let scene: Scene
let ops: Awaited<ReturnType<typeof buildOpsServer>>
const routes: [method: string, url: string][] = []

beforeAll(async () => {
  stack = await openEnvironment({ env: { OPS_PASSWORD, OPS_READ_ONLY: 'false' } })
  scene = await setScene(stack)
  const { deps } = stack
  const state = { started: true, draining: false }
  const parts = { ...deps, redis: deps.redis.producer, state }
  ops = await buildOpsServer(parts, { onRoute: (method, url) => routes.push([method, url]) })
  await ops.ready()
})
afterAll(async () => {
  await ops.close()
  await stack.close()
})

const basic = (user: string, password: string) => ({
  authorization: `Basic ${Buffer.from(`${user}:${password}`).toString('base64')}`,
})

function ask(method: string, url: string, headers: Record<string, string>) {
  const path = url.replace(/:\w+/g, 'x').replace('*', 'x')
  return ops.inject({ method: method as 'GET', url: path, headers })
}

/** The port of another listener, with names of its own. */
async function listening(hosts: string[] = []): Promise<number> {
  const { deps } = stack
  const config = { ...deps.config, ops: { ...deps.config.ops, hosts } }
  const app = await buildOpsServer({
    ...deps,
    config,
    redis: deps.redis.producer,
    state: { started: true, draining: false },
  })
  onTestFinished(() => app.close())
  return Number(new URL(await listen(app)).port)
}

/** The status line of the answer to a request that no client of Node would send. */
async function lineOf(port: number, head: string): Promise<string> {
  const socket = connect(port, '127.0.0.1')
  socket.write(`${head}\r\nConnection: close\r\n\r\n`)
  let answer = ''
  for await (const chunk of socket) answer += String(chunk)
  return answer.split('\r\n')[0] ?? ''
}

describe('the operations listener', () => {
  it('has its routes', () => {
    expect(routes.length).toBeGreaterThan(20)
    expect(routes.filter(([, url]) => OPEN.has(url)).length).toBeGreaterThanOrEqual(OPEN.size)
  })

  it('requires the password except for its open pages', async () => {
    const wrong: Record<string, string>[] = [
      {},
      basic('ops', 'guess'),
      basic('', OPS_PASSWORD),
      basic('ops', ''),
      { authorization: `Bearer ${OPS_PASSWORD}` },
      { authorization: `Bearer ${PORTAL_KEY}` },
      { authorization: `Bearer ${scene.tokens.session}` },
      { authorization: `Basic ${'='.repeat(20)}` },
    ]
    for (const [method, url] of routes)
      for (const headers of wrong) {
        const { statusCode } = await ask(method, url, headers)
        const what = `${method} ${url} ${JSON.stringify(headers)}`
        if (OPEN.has(url)) expect([200, 503], what).toContain(statusCode)
        else expect([400, 401], what).toContain(statusCode)
      }
  })

  it('refuses changes from a page of another site', async () => {
    const changes = routes.filter(([method, url]) => !SAFE.has(method) && !OPEN.has(url))
    expect(changes.length).toBeGreaterThan(3)
    for (const [method, url] of changes) {
      const headers = { ...basic('ops', OPS_PASSWORD), 'sec-fetch-site': 'cross-site' }
      expect((await ask(method, url, headers)).statusCode, `${method} ${url}`).toBe(403)
    }
  })

  it('refuses changes from a page with only an Origin header, as with old browsers and proxies', async () => {
    const change = (origin: string) =>
      ops.inject({
        method: 'PUT',
        url: '/control/lanes/notify',
        headers: { ...basic('ops', OPS_PASSWORD), host: '127.0.0.1:9464', origin },
        payload: { paused: false },
      })
    for (const origin of ['https://evil.example', 'null', 'http://127.0.0.1:8080', 'nonsense'])
      expect((await change(origin)).statusCode, origin).toBe(403)
    expect((await change('http://127.0.0.1:9464')).statusCode).toBe(200)
  })

  it('answers only to its own host names, which prevents DNS rebinding', async () => {
    const { deps } = stack
    const ask = async (host: string, hosts: string[] = []) => {
      const config = { ...deps.config, ops: { ...deps.config.ops, hosts } }
      const state = { started: true, draining: false }
      const app = await buildOpsServer({ ...deps, config, redis: deps.redis.producer, state })
      const { statusCode, body } = await app.inject({ url: '/health/details', headers: { host } })
      await app.close()
      return { statusCode, body }
    }
    for (const host of [
      'evil.example',
      'evil.example:9464',
      'localhost.evil.example',
      '127.0.0.1.evil.example',
      'a b',
    ]) {
      const refused = await ask(host)
      expect([400, 403], host).toContain(refused.statusCode)
      expect(refused.body, host).not.toContain('uptimeSeconds')
    }
    for (const host of ['127.0.0.1:9464', '[::1]:9464', 'localhost:9464', '10.0.0.7', 'service:9464', hostname()])
      expect((await ask(host)).body, host).toContain('uptimeSeconds')
    expect((await ask('ops.obec.go.th')).body).toContain('OPS_HOSTS')
    expect((await ask('OPS.obec.go.th:443', ['ops.obec.go.th'])).body).toContain('uptimeSeconds')
  })

  it('answers probes without a host name, and under any', async () => {
    const port = await listening()
    for (const path of ['/health/live', '/health/ready', '/health/live?probe=1']) {
      expect(await lineOf(port, `GET ${path} HTTP/1.0`), path).toMatch(/ (200|503) /)
      for (const host of ['lb.example.net', '', 'a b'])
        expect(await lineOf(port, `GET ${path} HTTP/1.1\r\nHost: ${host}`), `${path} ${host}`).toMatch(/ (200|503) /)
    }
    expect(await lineOf(port, 'GET /metrics HTTP/1.0')).toMatch(/ 200 /)
    for (const path of ['/metrics', '/health/details', '/', '/control', '/health/live/../details', '//health/live'])
      expect(await lineOf(port, `GET ${path} HTTP/1.1\r\nHost: lb.example.net`), path).toMatch(/ 403 /)
    const named = await listening(['lb.example.net'])
    expect(await lineOf(named, 'GET /metrics HTTP/1.1\r\nHost: lb.example.net')).toMatch(/ 200 /)
  })

  it('takes the word of a browser where a proxy in front sets another Host', async () => {
    const change = async (headers: Record<string, string>) => {
      const asked = { ...basic('ops', OPS_PASSWORD), host: '127.0.0.1:9464', ...headers }
      const payload = { paused: false }
      return (await ops.inject({ method: 'PUT', url: '/control/lanes/notify', headers: asked, payload })).statusCode
    }
    const origin = 'https://ops.school.example'
    expect(await change({ origin, 'sec-fetch-site': 'same-origin' })).toBe(200)
    for (const site of ['same-site', 'cross-site', 'none'])
      expect(await change({ origin: 'http://127.0.0.1:9464', 'sec-fetch-site': site }), site).toBe(403)
    expect(await change({ origin })).toBe(403)
    expect(await change({ origin: 'https://127.0.0.1:9464' })).toBe(200)
  })

  it('accepts an operator', async () => {
    for (const [method, url] of routes.filter(([one]) => SAFE.has(one)))
      expect([401, 403], `${method} ${url}`).not.toContain(
        (await ask(method, url, basic('ops', OPS_PASSWORD))).statusCode,
      )
  })

  it('is closed without a configured password', async () => {
    const { deps } = stack
    const config = { ...deps.config, ops: { ...deps.config.ops, password: undefined } }
    const state = { started: true, draining: false }
    const shut = await buildOpsServer({ ...deps, config, redis: deps.redis.producer, state })
    try {
      for (const url of ['/queues', '/console', '/control', '/queues/api/queues', '/console/api/day'])
        for (const headers of [{}, basic('ops', ''), basic('ops', 'undefined'), basic('ops', OPS_PASSWORD)])
          expect((await shut.inject({ url, headers })).statusCode, url).toBe(404)
    } finally {
      await shut.close()
    }
  })
})
