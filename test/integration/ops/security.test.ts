// What the security log says of operators and API keys, and how guessing is braked, over HTTP.

import { once } from 'node:events'
import { type IncomingMessage, request } from 'node:http'
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import type { SecurityEntry } from '../../../src/audit/security-events.ts'
import { buildOpsServer } from '../../../src/ops/ops-server.ts'
import { createLookup } from '../../../src/support/lookup.ts'
import { searchFollower } from '../../../src/support/search.ts'
import { listen } from '../../support/app.ts'
import { chromiumAvailable, startChromium } from '../../support/chromium.ts'
import { type Environment, OTHER_KEY, openEnvironment, PORTAL_KEY } from '../../support/environment.ts'
import { waitFor } from '../../support/http.ts'
import { tusUser } from '../../support/tus.ts'

const PASSWORD = 'only for operators'
const SUBJECT = 'ครูสมศรี ใจดี'

let stack: Environment
let url: string
let submissionId: string
const ends: (() => Promise<unknown>)[] = []

beforeAll(async () => {
  stack = await openEnvironment({
    env: {
      OPS_PASSWORD: PASSWORD,
      OPS_READ_ONLY: 'false',
      TRUST_PROXY: 'loopback',
      WRONG_CREDENTIALS_PER_MINUTE: '10',
    },
  })
  const { deps } = stack
  const redis = deps.redis.producer
  const state = { started: true, draining: false }
  const app = await buildOpsServer({ ...deps, redis, state, support: createLookup(deps) })
  ends.push(() => app.close())
  url = await listen(app)
  submissionId = await stack.submission()
  const ticket = await stack.ticket(submissionId, 'plan', { subject: SUBJECT })
  await tusUser(stack.url, ticket).create({ length: 5000, name: 'แผนการสอน.pdf' })
  await searchFollower(deps, 'test').follow()
})
afterAll(async () => {
  for (const end of ends) await end()
  await stack.close()
})
beforeEach(async () => {
  const { hot } = stack.deps.redis
  for (const pattern of ['sn:guesses:*', 'sn:security:*']) {
    const keys = await hot.keys(pattern)
    if (keys.length > 0) await hot.del(keys)
  }
})

/** A program, which has no cookies, at an address of this machine. */
async function askFrom(address: string, { password = PASSWORD, path = '/control' } = {}): Promise<number> {
  const headers = { authorization: `Basic ${Buffer.from(`ops:${password}`).toString('base64')}` }
  const asking = request(`${url}${path}`, { headers, localAddress: address, agent: false }).end()
  const [answer] = (await once(asking, 'response')) as [IncomingMessage]
  answer.resume()
  return answer.statusCode ?? 0
}
const guessFrom = (address: string, count: number) =>
  Promise.all(Array.from({ length: count }, (_, n) => askFrom(address, { password: `guess ${n}` })))

type Asked = { password?: string; method?: string; headers?: Record<string, string> }

async function ask(path: string, { password = PASSWORD, method = 'GET', headers = {} }: Asked = {}) {
  const authorization = `Basic ${Buffer.from(`ops:${password}`).toString('base64')}`
  const answer = await fetch(url + path, { method, headers: { authorization, ...headers } })
  return { status: answer.status, headers: answer.headers, text: await answer.text() }
}

async function askApi(key: string, from: string) {
  const headers = { authorization: `Bearer ${key}`, 'x-forwarded-for': from }
  const answer = await fetch(`${stack.url}/v1/submissions/${submissionId}`, { headers })
  return { status: answer.status, retryAfter: answer.headers.get('retry-after'), body: await answer.json() }
}

const entries = async (): Promise<SecurityEntry[]> => await stack.deps.securityLog.newest(100)
const statuses = (answers: { status: number }[]) => [...new Set(answers.map(({ status }) => status))].toSorted()

describe('the console', () => {
  it('records who searched and read, but not the search text', async () => {
    const { items } = JSON.parse((await ask(`/console/api/find?text=${encodeURIComponent('สมศรี')}`)).text)
    expect(items).toHaveLength(1)
    // The page loads it again every two seconds.
    for (let n = 0; n < 3; n++) await ask(`/console/api/submissions/portal/${submissionId}`)
    await ask('/console/api/submissions/portal/unknown')
    const read = (await entries()).filter(({ event }) => event.startsWith('personal.'))
    const actor = { by: 'operator ops', from: expect.stringContaining('127.0.0.1'), result: 'ok' }
    expect(read).toMatchObject([
      { event: 'personal.read', on: `submission portal/${submissionId}`, ...actor },
      { event: 'personal.search', on: `submission portal/${submissionId}`, ...actor },
    ])
    expect(JSON.stringify(read)).not.toContain('สมศรี')
    const shown = await ask('/console/api/security')
    expect(shown.headers.get('cache-control')).toBe('no-store')
    expect(JSON.parse(shown.text).items.slice(0, 2)).toEqual(read)
  })

  it.skipIf(!chromiumAvailable())('shows the log in a browser, which is recognized by a cookie', async () => {
    await stack.deps.securityLog.record({
      event: 'session.revoke',
      actor: { by: 'portal obec', from: '192.0.2.7' },
      on: 'submission obec/S-1',
    })
    const browser = await startChromium()
    ends.unshift(() => browser.close())
    const context = await browser.newContext({ httpCredentials: { username: 'ops', password: PASSWORD } })
    const page = await context.newPage()
    await page.goto(`${url}/console`)
    await page.click('text=Security')
    await page.waitForSelector('.security >> text=submission obec/S-1')
    const [cookie] = await context.cookies()
    expect(cookie).toMatchObject({ name: 'songngan-known', httpOnly: true, sameSite: 'Strict' })
  })
})

describe('the queue dashboard', () => {
  it.each([
    ['PUT', '/queues/api/queues/notify/pause', 'lane.pause', 'lane notify'],
    ['PUT', '/queues/api/queues/notify/resume', 'lane.resume', 'lane notify'],
    ['PUT', '/queues/api/queues/notify/empty', 'queue.remove', 'lane notify'],
    ['PUT', '/queues/api/queues/notify/clean/failed', 'queue.remove', 'lane notify'],
    ['PUT', '/queues/api/queues/notify/retry/failed', 'queue.retry', 'lane notify'],
    ['PUT', '/queues/api/queues/pause', 'lane.pause', 'lane all'],
    ['PUT', '/queues/api/queues/resume', 'lane.resume', 'lane all'],
  ])('writes an entry for %s %s', async (method, path, event, on) => {
    expect((await ask(path, { method })).status).toBe(200)
    const [newest] = await entries()
    expect(newest).toMatchObject({ event, on, result: 'ok', by: 'operator ops' })
  })

  it('writes an entry for refusals, and for jobs that were read', async () => {
    const { notify } = stack.deps.queues.byLane
    await notify.add('x', { owner: 'portal', body: SUBJECT }, { jobId: 'read-me' })
    const patch = { method: 'PATCH', headers: { 'content-type': 'application/json' } }
    await ask('/queues/api/queues/notify/read-me/update-data', patch)
    await ask('/queues/api/queues/notify/read-me')
    await ask('/queues/api/queues?activeQueue=notify')
    expect((await entries()).filter(({ event }) => event !== 'operator.login')).toMatchObject([
      { event: 'personal.read', on: 'lane notify', result: 'ok' },
      { event: 'personal.read', on: 'job notify/read-me', result: 'ok' },
      { event: 'queue.change', on: 'job notify/read-me', result: 'refused' },
    ])
  })

  it('writes an entry for an attempt by a page of another site', async () => {
    const headers = { 'sec-fetch-site': 'cross-site' }
    expect((await ask('/queues/api/queues/notify/pause', { method: 'PUT', headers })).status).toBe(403)
    expect((await entries()).map(({ event, result }) => `${event} ${result}`)).toContain(
      'operator.forged_request refused',
    )
  })
})

describe('guessed credentials', () => {
  it('of the operators’ password are limited; a browser that was logged in before is not', async () => {
    const browser = { headers: { 'sec-fetch-site': 'same-origin' } }
    const cookie = (await ask('/control', browser)).headers.get('set-cookie')?.split(';')[0] ?? ''
    expect((await ask('/control')).headers.get('set-cookie')).toBeNull()
    expect(cookie).toMatch(/^songngan-known=[\w-]{22}$/)
    const guesses = await Promise.all(
      Array.from({ length: 200 }, (_, n) => ask('/control', { ...browser, password: `guess ${n}` })),
    )
    expect(statuses(guesses)).toEqual([401, 429])
    expect(guesses.filter(({ status }) => status === 401).length).toBeLessThan(20)
    const right = await ask('/control', browser)
    const wrong = guesses.find(({ status }) => status === 429)
    expect(right.status).toBe(429)
    expect(right.text).toBe(wrong?.text)
    expect(JSON.parse(right.text)).toMatchObject({ code: 'TOO_MANY_WRONG_CREDENTIALS' })
    expect(Number(right.headers.get('retry-after'))).toBeGreaterThanOrEqual(1)
    for (const path of ['/control', '/console/api/day', '/queues/api/queues'])
      expect((await ask(path, { headers: { cookie } })).status).toBe(200)
    expect((await ask('/queues/api/queues', browser)).status).toBe(429)
    // Probes and scrapes need no password.
    expect((await fetch(`${url}/health/live`)).status).toBe(200)
    const refused = (await entries()).filter(({ event, result }) => event === 'operator.login' && result === 'refused')
    expect(refused.length).toBe(guesses.filter(({ status }) => status === 401).length)
    const metrics = await (await fetch(`${url}/metrics`)).text()
    expect(metrics).toMatch(/security_events_total\{event="operator.login",result="refused"\} \d+/)
    expect(metrics).toMatch(/security_events_total\{event="guessing.braked",result="refused"\} [1-9]/)
  })

  it('from everywhere do not lock out a program that was in before, which has no cookies', async () => {
    expect(await askFrom('127.0.0.2')).toBe(200)
    // Until all of the account is used up. On a slow machine some is forgiven meanwhile, and a stranger is let in: then the next.
    let n = 0
    await waitFor(async () => {
      n++
      await guessFrom(`127.0.1.${n}`, 15)
      return (await askFrom(`127.0.2.${n}`)) === 429
    })
    expect(await askFrom('127.0.0.2')).toBe(200)
  })

  it('from the address of such a program are not told from the right one', async () => {
    expect(await askFrom('127.0.0.4')).toBe(200)
    const guesses = await guessFrom('127.0.0.4', 100)
    expect([...new Set(guesses)].toSorted()).toEqual([401, 429])
    expect(guesses.filter((status) => status === 401).length).toBeLessThan(20)
    expect(await askFrom('127.0.0.4')).toBe(429)
  })

  it('are no matter for a thousand requests of such a program, of which one is remembered', async () => {
    const known = () => stack.deps.redis.hot.keys('sn:known-caller:*')
    const before = await known()
    const paths = ['/control', '/console/api/day', '/queues/api/queues', '/control?n=1']
    for (let n = 0; n < 25; n++) {
      const asked = paths.flatMap((path) => Array.from({ length: 10 }, () => askFrom('127.0.0.5', { path })))
      expect([...new Set(await Promise.all(asked))]).toEqual([200])
    }
    expect((await known()).length - before.length).toBe(1)
  })

  it('of API keys are limited by address; the portal at the same address, and other addresses, are not', async () => {
    expect((await askApi(PORTAL_KEY, '192.0.2.1')).status).toBe(200)
    const guesses = await Promise.all(Array.from({ length: 100 }, (_, n) => askApi(`portal:guess-${n}`, '192.0.2.1')))
    expect(statuses(guesses)).toEqual([401, 429])
    const braked = guesses.find(({ status }) => status === 429)
    expect(braked?.body).toMatchObject({
      code: 'TOO_MANY_WRONG_CREDENTIALS',
      message: { th: expect.any(String), en: expect.any(String) },
    })
    expect(Number(braked?.retryAfter)).toBeGreaterThanOrEqual(1)
    // Another portal that was never seen at this address is a guesser like any other.
    expect((await askApi(OTHER_KEY, '192.0.2.1')).status).toBe(429)
    expect((await askApi(PORTAL_KEY, '192.0.2.1')).status).toBe(200)
    expect((await askApi(PORTAL_KEY, '192.0.2.2')).status).toBe(200)
    const refused = (await entries()).filter(({ event }) => event === 'api_key.login')
    expect(refused[0]).toMatchObject({ by: 'unknown', from: '192.0.2.1', on: 'portal portal', result: 'refused' })
  })

  it('do not include expired sessions or requests without a credential', async () => {
    const expired = 'eyJhbGciOiJIUzI1NiJ9.e30.AAAA'
    for (let n = 0; n < 30; n++) expect((await askApi(expired, '192.0.2.3')).status).toBe(401)
    for (let n = 0; n < 30; n++) expect((await fetch(`${stack.url}/v1/profiles/x/y`)).status).not.toBe(429)
    expect((await askApi(PORTAL_KEY, '192.0.2.3')).status).toBe(200)
    expect(await entries()).toEqual([])
  })
})
