// What the client repeats, after which time, and what it does not.

import { afterAll, beforeAll, beforeEach, expect, it } from 'vitest'
import { Songngan } from '../../../clients/client/src/client.ts'
import { type Environment, openEnvironment, PORTAL_KEY } from '../../support/environment.ts'
import { type HttpProxy, startHttpProxy } from '../../support/http-proxy.ts'

let stack: Environment
let proxy: HttpProxy
let portal: Songngan
beforeAll(async () => {
  stack = await openEnvironment()
  proxy = await startHttpProxy(stack.url)
  portal = new Songngan({ url: proxy.url, token: PORTAL_KEY })
  await portal.submissions.put('r-1', { profile: 'intake@1' })
})
afterAll(async () => {
  await proxy.stop()
  await stack.close()
})
beforeEach(() => proxy.reset())

const problem = (status: number, code: string) =>
  JSON.stringify({ type: `urn:songngan:problem:${code}`, title: code, status, code, message: { th: code, en: code } })
const statuses = () => proxy.calls.map(({ status }) => status)

it('no answer, an answer that was lost, and answers of a proxy are repeated', async () => {
  proxy.fault({ act: 'dropResponse', times: 1 })
  proxy.fault({ act: 'answer', status: 502, body: '<html>', times: 1 })
  proxy.fault({ act: 'answer', status: 200, headers: { 'content-type': 'text/html' }, body: '<html>login', times: 1 })
  expect(await portal.submissions.put('r-1', { profile: 'intake@1', graceSeconds: 1 })).toMatchObject({
    graceSeconds: 1,
  })
  expect(statuses()).toEqual([0, 502, 200, 200])
})

it('what the service refuses for now is repeated after the time that it asks for, not sooner', async () => {
  const headers = { 'retry-after': '2', 'content-type': 'application/problem+json' }
  proxy.fault({ act: 'answer', status: 503, headers, body: problem(503, 'RATE_LIMITED'), times: 1 })
  const startedMs = performance.now()
  await portal.submissions.get('r-1')
  expect(performance.now() - startedMs).toBeGreaterThanOrEqual(2000)
  expect(statuses()).toEqual([503, 200])
})

it('a longer wait is left to the caller, with the time', async () => {
  proxy.fault({ act: 'answer', status: 503, headers: { 'retry-after': '90' }, body: problem(503, 'INDEX_REBUILDING') })
  await expect(portal.submissions.list()).rejects.toMatchObject({ code: 'INDEX_REBUILDING', retryAfterMs: 90_000 })
  expect(statuses()).toEqual([503])
})

it('what is refused for good is not repeated, and neither is what must not be done twice', async () => {
  const quick = new Songngan({ url: proxy.url, token: PORTAL_KEY })
  await expect(quick.submissions.get('unknown')).rejects.toMatchObject({ code: 'SUBMISSION_UNKNOWN' })
  proxy.fault({ act: 'answer', status: 502 })
  await expect(quick.submissions.return('r-1', { reason: 'x' })).rejects.toMatchObject({
    code: 'HTTP_502',
    status: 502,
  })
  await expect(quick.submissions.put('r-1', { profile: 'intake@1' }, { ifMatch: '"x"' })).rejects.toThrow('HTTP_502')
  await expect(quick.submissions.put('r-1', { profile: 'intake@1' }, { onlyCreate: true })).rejects.toThrow('HTTP_502')
  expect(statuses()).toEqual([404, 502, 502, 502])
})

it('it gives up after the number of repeats, with the last error', async () => {
  proxy.fault({ act: 'answer', status: 504 })
  const twice = new Songngan({ url: proxy.url, token: PORTAL_KEY, retries: 1 })
  await expect(twice.status()).rejects.toMatchObject({ code: 'HTTP_504', isPassing: true })
  expect(statuses()).toEqual([504, 504])
})

it('a try that takes too long counts as no answer; an aborted call ends at once, also while it waits', async () => {
  const end = proxy.fault({ act: 'silence' })
  const impatient = new Songngan({ url: proxy.url, token: PORTAL_KEY, retries: 0, timeoutMs: 100 })
  await expect(impatient.submissions.get('r-1')).rejects.toMatchObject({ code: 'NO_ANSWER', status: 0 })
  const asking = new AbortController()
  const asked = portal.submissions.get('r-1', { signal: asking.signal })
  asking.abort(new Error('the page was left'))
  await expect(asked).rejects.toThrow('the page was left')
  end()
  const waiting = new AbortController()
  proxy.fault({ act: 'answer', status: 503, headers: { 'retry-after': '50' }, body: problem(503, 'DRAINING') })
  const waited = portal.submissions.get('r-1', { signal: waiting.signal })
  setTimeout(() => waiting.abort(new Error('enough')), 200)
  await expect(waited).rejects.toThrow('enough')
})
