// What happens before a body, after a half of a connection, and at the end of a process.

import { once } from 'node:events'
import { connect, type Socket } from 'node:net'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { closeListener } from '../../../src/http/drain.ts'
import { filmBytes } from '../../support/bytes.ts'
import { type Environment, openEnvironment, PORTAL_KEY } from '../../support/environment.ts'
import { waitFor } from '../../support/http.ts'
import type { TusUser } from '../../support/tus.ts'

const bytes = filmBytes(300_000, 'heads')

let stack: Environment
let user: TusUser
beforeAll(async () => {
  stack = await openEnvironment({ env: { TRUST_PROXY: '127.0.0.1,::1' } })
  user = await stack.user('film')
})
afterAll(() => stack.close())

type Line = { socket: Socket; text: () => string; said: (pattern: RegExp) => Promise<string> }

async function line({ url }: Environment = stack): Promise<Line> {
  const socket = connect({ port: Number(new URL(url).port), host: '127.0.0.1', allowHalfOpen: true })
  await once(socket, 'connect')
  let text = ''
  socket.on('data', (chunk: Buffer) => {
    text += chunk.toString('latin1')
  })
  socket.on('error', () => undefined) // a reset after an answer
  return {
    socket,
    text: () => text,
    said: (pattern) => waitFor(() => pattern.test(text) && text, { what: String(pattern) }),
  }
}

const head = (method: string, url: string, headers: Record<string, string | number>, host = 'x.example') =>
  [
    `${method} ${new URL(url).pathname} HTTP/1.1`,
    `Host: ${host}`,
    ...Object.entries({ ...user.headers, ...headers }).map(([name, value]) => `${name}: ${value}`),
    '',
    '',
  ].join('\r\n')

const patch = { 'Content-Type': 'application/offset+octet-stream' }

describe('Expect: 100-continue', () => {
  const expecting = { ...patch, Expect: '100-continue' }

  test('100 Continue is sent after the head is accepted', async () => {
    const url = await user.create({ length: bytes.length, name: 'a.mp4' })
    const { socket, text, said } = await line()
    socket.write(head('PATCH', url, { ...expecting, 'Upload-Offset': 0, 'Content-Length': bytes.length }))
    expect(await said(/\r\n\r\n/)).toMatch(/^HTTP\/1\.1 100 /)
    socket.write(bytes)
    await said(/HTTP\/1\.1 204 /)
    expect(text()).not.toContain('close')
    socket.destroy()
  })

  // Regression: curl sent megabytes into a refusal, since it had been told to go on before anything was looked at.
  test.each([
    ['a wrong offset', 409, { 'Upload-Offset': 5, 'Content-Length': 100 }],
    ['more than is still to come', 413, { 'Upload-Offset': 0, 'Content-Length': 10_000_000 }],
    ['a checksum that cannot be read', 400, { 'Upload-Offset': 0, 'Content-Length': 100, 'Upload-Checksum': 'x' }],
  ])('%s: %i alone', async (_what, status, headers) => {
    const url = await user.create({ length: bytes.length, name: 'a.mp4' })
    const { socket, said } = await line()
    socket.write(head('PATCH', url, { ...expecting, ...headers }))
    expect(await said(/\r\n\r\n/)).toMatch(new RegExp(`^HTTP/1\\.1 ${status} [\\s\\S]*connection: close`, 'i'))
    await waitFor(() => socket.readableEnded || socket.destroyed)
    socket.destroy()
  })

  test('an unknown upload: 404 without 100; a too large API body: 413 without 100; others get 100', async () => {
    const json = { 'Content-Type': 'application/json', Expect: '100-continue' }
    for (const [text, answer] of [
      [
        head('PATCH', `${stack.url}/files/abc`, { ...expecting, 'Upload-Offset': 0, 'Content-Length': 9 }),
        /^HTTP\/1\.1 404 /,
      ],
      [head('PUT', `${stack.url}/v1/submissions/a`, { ...json, 'Content-Length': 1e9 }), /^HTTP\/1\.1 4(01|13) /],
      [head('POST', `${stack.url}/v1/receipts/verify`, { ...json, 'Content-Length': 2 }), /^HTTP\/1\.1 100 /],
    ] as const) {
      const { socket, said } = await line()
      socket.write(text)
      expect(await said(/\r\n\r\n/)).toMatch(answer)
      socket.destroy()
    }
  })

  test('another expectation: 417, as a problem document', async () => {
    const { socket, said } = await line()
    socket.write(head('POST', `${stack.url}/files`, { Expect: 'the-unexpected' }))
    expect(await said(/EXPECTATION_UNSUPPORTED/)).toMatch(/^HTTP\/1\.1 417 /)
    socket.destroy()
  })
})

describe('an invalid HTTP request', () => {
  test.each([
    ['a word', 400, 'BAD_REQUEST', 'HELLO\r\n\r\n'],
    [
      'headers without an end',
      431,
      'HEADERS_TOO_LARGE',
      `GET / HTTP/1.1\r\nHost: x\r\nA: ${'a'.repeat(90_000)}\r\n\r\n`,
    ],
    ['a Host that is none', 400, 'BAD_REQUEST', 'HEAD /files/a HTTP/1.1\r\nHost: a b\r\n\r\n'],
    ['a Host with a path', 400, 'BAD_REQUEST', 'GET /files/a HTTP/1.1\r\nHost: evil.example/x\r\n\r\n'],
    ['two Hosts', 400, 'BAD_REQUEST', 'GET /files/a HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n'],
  ])('%s: %i, as a problem document', async (_what, status, code, text) => {
    const { socket, said } = await line()
    socket.write(text)
    const answer = await said(/\r\n\r\n/)
    expect(answer).toMatch(new RegExp(`^HTTP/1\\.1 ${status} [\\s\\S]*problem\\+json`, 'i'))
    if (!text.startsWith('HEAD')) expect(await said(/\}\s*$/)).toContain(code)
    socket.destroy()
  })

  test('content and transfer codings that are not supported: 415 and 501', async () => {
    const url = await user.create({ length: bytes.length, name: 'a.mp4' })
    for (const [status, headers] of [
      [415, { 'Content-Encoding': 'gzip', 'Content-Length': 3 }],
      [501, { 'Transfer-Encoding': 'gzip, chunked' }],
    ] as const) {
      const { socket, said } = await line()
      socket.write(head('PATCH', url, { ...patch, 'Upload-Offset': 0, ...headers }))
      expect(await said(/\r\n\r\n/)).toMatch(new RegExp(`^HTTP/1\\.1 ${status} `))
      socket.destroy()
    }
    expect(await user.offset(url)).toBe(0)
  })
})

test('a client that half-closes after the request gets its response', async () => {
  const url = await user.create({ length: bytes.length, name: 'a.mp4' })
  const { socket, said } = await line()
  socket.end(
    head('PATCH', url, { ...patch, 'Upload-Offset': 0, 'Content-Length': bytes.length }) + bytes.toString('latin1'),
    'latin1',
  )
  expect(await said(/\r\n\r\n/)).toMatch(/^HTTP\/1\.1 204 /)
  socket.destroy()
})

test('an event reader that half-closes is disconnected', async () => {
  const { socket, said } = await line()
  const address = `${stack.url}/v1/submissions/${await stack.submission()}/events`
  const key = { Accept: 'text/event-stream', Authorization: `Bearer ${PORTAL_KEY}` }
  socket.write(head('GET', address, key))
  await said(/event: snapshot/)
  expect(stack.deps.live.listening).toBe(1)
  socket.end()
  await waitFor(() => stack.deps.live.listening === 0)
  socket.destroy()
})

test.each([
  [{ 'X-Forwarded-Proto': 'https,http', 'X-Forwarded-Host': 'a.example, b' }, 'https://a.example'],
  [{ Forwarded: 'for=1.2.3.4;host="a.example:8443";proto=https, for=5.6.7.8;proto=http' }, 'https://a.example:8443'],
  [{ 'X-Forwarded-Proto': 'gopher', 'X-Forwarded-Host': 'a b/c' }, 'http://127.0.0.1'],
])('forwarded headers of a trusted proxy: %j', async (headers, origin) => {
  const { headers: answer } = await user.post({ length: 10, name: 'a.mp4', headers })
  expect(String(answer.location).startsWith(`${origin}`)).toBe(true)
})

describe('the end of a process', () => {
  test('an idle connection that a proxy uses again is answered with Connection: close', async () => {
    const ending = await openEnvironment({ redis: stack.redis })
    const { socket, text, said } = await line(ending)
    const options = () => socket.write('OPTIONS /files HTTP/1.1\r\nHost: x\r\n\r\n')
    options()
    await said(/ 204 /)
    expect(text()).not.toMatch(/connection: close/i)
    ending.deps.admission.drain()
    const closing = closeListener(ending.app)
    options()
    await said(/ 204 [\s\S]* 204 [\s\S]*connection: close/i)
    await closing
    socket.destroy()
    await ending.close()
  })

  // Regression: the process waited for it until it was killed, and left its connections to Redis and the store open.
  test('a slow client with few missing bytes does not delay the end', async () => {
    const ending = await openEnvironment({ redis: stack.redis })
    const { socket, said } = await line(ending)
    const owed = 200_000
    socket.write(head('PATCH', `${ending.url}/files/abc`, { ...patch, 'Upload-Offset': 0, 'Content-Length': owed }))
    await said(/ 404 /)
    const dribble = setInterval(() => socket.write('x'), 50)
    try {
      ending.deps.admission.drain()
      await closeListener(ending.app)
      expect(ending.app.server.listening).toBe(false)
    } finally {
      clearInterval(dribble)
      socket.destroy()
      await ending.close()
    }
  })
})
