// Bodies of the JSON API from people who mean harm: dribbled for ever, or nested without end.

import { connect } from 'node:net'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { buildOpsServer } from '../../../src/ops/ops-server.ts'
import { listen } from '../../support/app.ts'
import { type Environment, openEnvironment, PORTAL_KEY } from '../../support/environment.ts'
import { OPS_PASSWORD } from './support/credentials.ts'

let stack: Environment
let ops: Awaited<ReturnType<typeof buildOpsServer>>
let opsUrl: string
let id: string

beforeAll(async () => {
  // Longer than the answer to a GET takes on a busy machine: after it the body of one is cut off as well.
  stack = await openEnvironment({ env: { IDLE_TIMEOUT_SECONDS: '4', OPS_PASSWORD, OPS_READ_ONLY: 'false' } })
  const { deps } = stack
  const parts = { ...deps, redis: deps.redis.producer, state: { started: true, draining: false } }
  ops = await buildOpsServer(parts)
  opsUrl = await listen(ops)
  id = await stack.submission()
})
afterAll(async () => {
  await ops.close()
  await stack.close()
})

const basic = `Basic ${Buffer.from(`ops:${OPS_PASSWORD}`).toString('base64')}`

/**
 * Sends a head that promises a body, and then a byte of it every 100 ms for as long as it is let; resolves with the answer
 * once the connection has ended.
 */
async function dribble(url: string, head: string, { chunked = false } = {}): Promise<string> {
  const { hostname, port, host } = new URL(url)
  const socket = connect(Number(port), hostname)
  let answer = ''
  socket.on('data', (data) => {
    answer += String(data)
  })
  socket.on('error', () => undefined) // reset while a byte was on its way
  const framing = chunked ? 'Transfer-Encoding: chunked' : 'Content-Length: 10000'
  socket.write(`${head} HTTP/1.1\r\nHost: ${host}\r\nContent-Type: application/json\r\n${framing}\r\n`)
  socket.write(`Authorization: ${url === opsUrl ? basic : `Bearer ${PORTAL_KEY}`}\r\n\r\n`)
  const timer = setInterval(() => socket.writable && socket.write(chunked ? '1\r\n \r\n' : ' '), 100)
  // Not `once` of node:events, which would reject with the reset.
  await new Promise((resolve) => socket.once('close', resolve))
  clearInterval(timer)
  return answer
}

describe('a body that never ends', () => {
  it.each([
    ['a document', () => `PUT /v1/submissions/${id}`],
    ['a list of receipts', () => 'POST /v1/receipts/verify'],
    ['a seal', () => `POST /v1/submissions/${id}/seal`],
    ['a deletion', () => `DELETE /v1/submissions/${id}`],
  ])('for %s is answered 408', async (_what, head) => {
    for (const chunked of [false, true]) {
      const answer = await dribble(stack.url, head(), { chunked })
      expect(answer).toMatch(/^HTTP\/1\.1 408 /)
      expect(answer).toContain('"code":"REQUEST_TIMEOUT"')
    }
  })

  it.each([
    ['that was answered long ago', () => `GET /v1/submissions/${id}`, 200],
    ['for an address that is none', () => 'POST /nothing', 408],
    // Its client may be reset before it has read the answer.
    ['for an upload that was refused', () => `PATCH /files/${id}`, '4|$'],
  ])('%s ends with its connection', async (_what, head, status) => {
    expect(await dribble(stack.url, head())).toMatch(new RegExp(`^HTTP/1\\.1 ${status}`))
  })

  it('ends on the listener for operators too', async () => {
    expect(await dribble(opsUrl, 'PUT /control/admission')).toMatch(/^HTTP\/1\.1 4/)
  })
})

describe('a body that is nested', () => {
  const nested = (depth: number, [open, close]: [string, string]) =>
    `{"profile": "test@1", "metadata": ${open.repeat(depth)}1${close.repeat(depth)}}`

  it.each<[string, [string, string]]>([
    ['objects', ['{"a":', '}']],
    ['arrays', ['[', ']']],
    ['both', ['{"a":[', ']}']],
  ])('5,000 levels deep in %s is refused with a reason, and no stack is logged', async (_what, brackets) => {
    stack.lines.length = 0
    const headers = { authorization: `Bearer ${PORTAL_KEY}`, 'content-type': 'application/json' }
    for (const [method, path] of [
      ['PUT', `/v1/submissions/${id}`],
      ['POST', '/v1/receipts/verify'],
      ['POST', `/v1/submissions/${id}/return`],
      ['PATCH', `/v1/submissions/${id}/slots/plan`],
    ] as const) {
      // Receipts are short.
      const body = nested(path.includes('receipts') ? 500 : 5000, brackets)
      const answer = await fetch(stack.url + path, { method, headers, body })
      expect(answer.status, path).toBe(400)
      expect(await answer.json()).toMatchObject({
        code: 'BAD_REQUEST',
        errors: [{ in: 'body', path: '', message: 'is nested more than 64 levels deep' }],
      })
    }
    expect(stack.lines.filter((line) => line.includes('unexpected error'))).toEqual([])
  })

  it('a few levels deep is accepted', async () => {
    const { body } = await stack.call('GET', `/v1/submissions/${id}`)
    const metadata = JSON.parse(`${'{"a":'.repeat(50)}1${'}'.repeat(50)}`)
    const put = await stack.call('PUT', `/v1/submissions/${id}`, { body: { profile: body['profile'], metadata } })
    expect(put.status).toBe(200)
  })

  it('brackets in texts do not count', async () => {
    const { body } = await stack.call('GET', `/v1/submissions/${id}`)
    const metadata = { note: '[{'.repeat(1000), more: '\\"[[' }
    const put = await stack.call('PUT', `/v1/submissions/${id}`, { body: { profile: body['profile'], metadata } })
    expect(put.status).toBe(200)
  })
})
