// Made-up input at every door: never a 500, always a code of the catalogue, never a service that is gone afterwards.
// The same inputs every time; FUZZ_SEED and FUZZ_RUNS look further.

import { Agent } from 'node:http'
import { connect } from 'node:net'
import fc from 'fast-check'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { ERRORS } from '../../../src/core/errors.ts'
import { type Environment, openEnvironment } from '../../support/environment.ts'
import { type Headers, type Reply, send } from '../../support/tus.ts'
import { type Scene, setScene } from './support/credentials.ts'
import { body, headerText, idText, tusHeaders } from './support/made-up.ts'

const RUNS = Number(process.env['FUZZ_RUNS'] ?? 120)
const SETTINGS = { numRuns: RUNS, seed: Number(process.env['FUZZ_SEED'] ?? 1) }

const agent = new Agent({ keepAlive: true, maxSockets: 4 })
let stack: Environment
let scene: Scene
beforeAll(async () => {
  stack = await openEnvironment({
    env: { CREATIONS_PER_MINUTE: '0', SESSION_CALLS_PER_MINUTE: '0' },
  })
  await stack.deps.rebuilder.run()
  scene = await setScene(stack)
})
afterAll(async () => {
  agent.destroy()
  await stack.close()
})

/** Anything but an answer that nobody thought of. */
function expectForeseen({ status, problem, text }: Reply, method: string): void {
  expect(status, text).toBeGreaterThanOrEqual(200)
  expect(status, text).not.toBe(500)
  if (status < 400 || method === 'HEAD') return
  expect(Object.keys(ERRORS), text).toContain(problem?.code)
  expect(problem?.status).toBe(status)
  expect(problem?.message.th).toMatch(/[ก-๙]/)
}

const ask = async (method: string, path: string, headers: Headers = {}, body?: Buffer): Promise<void> =>
  expectForeseen(
    await send(method, stack.url + path, headers, body, agent),
    // Answered as what it says it is: without a body.
    /^head$/i.test(String(headers['x-http-method-override'])) ? 'HEAD' : method,
  )

test('headers of the tus endpoint, with a valid ticket', async () => {
  const method = fc.constantFrom('POST', 'HEAD', 'PATCH', 'DELETE', 'OPTIONS', 'GET', 'PUT')
  await fc.assert(
    fc.asyncProperty(method, tusHeaders, body, fc.boolean(), async (verb, headers, bytes, whole) => {
      // A DELETE that is understood would take the upload away from those after it.
      const id = verb === 'DELETE' || verb === 'PUT' || whole ? scene.whole : scene.begun
      const path = verb === 'POST' ? '/files' : `/files/${id}`
      const all = { ...headers, ...scene.authorization('ticket') } as Headers
      await ask(verb, path, all, verb === 'POST' || verb === 'PATCH' ? bytes : undefined)
    }),
    SETTINGS,
  )
})

test('ids and paths in every position', async () => {
  const path = fc.constantFrom(
    '/files/',
    '/v1/submissions/',
    '/v1/uploads/',
    '/v1/profiles/',
    '/media/',
    '/portal/',
    '/docs/',
  )
  const rest = fc.constantFrom('', '/', '/uploads', '/events', '/seal', '/receipt', '/links', '/x/y')
  await fc.assert(
    fc.asyncProperty(
      path,
      idText,
      rest,
      fc.constantFrom('GET', 'DELETE', 'POST', 'HEAD'),
      async (start, id, end, verb) => {
        await ask(verb, `${start}${id}${end}`, { ...scene.authorization('key'), 'tus-resumable': '1.0.0' })
      },
    ),
    SETTINGS,
  )
})

test('queries of lists', async () => {
  const query = fc.dictionary(
    fc.constantFrom('state', 'complete', 'updatedSince', 'cursor', 'limit', 'expand', 'after', 'slot', 'access_token'),
    fc.oneof(fc.string({ maxLength: 40 }), fc.integer().map(String), fc.constantFrom('', 'open', 'true', '[]', '-1')),
  )
  const path = fc.constantFrom(
    '/v1/submissions',
    '/v1/events',
    `/v1/submissions/X/uploads`,
    `/v1/submissions/X/attempts`,
  )
  await fc.assert(
    fc.asyncProperty(path, query, async (where, values) => {
      const search = new URLSearchParams(values).toString()
      await ask('GET', `${where.replace('X', scene.id)}?${search}`, scene.authorization('key'))
    }),
    SETTINGS,
  )
})

test('bodies of every call, JSON and invalid ones', async () => {
  const calls = fc.constantFrom(
    'PUT /v1/submissions/fuzzed',
    'POST /v1/submissions/X/tickets',
    'POST /v1/submissions/X/sessions',
    'PATCH /v1/submissions/X/slots/plan',
    'POST /v1/submissions/Y/seal',
    'POST /v1/submissions/X/return',
    'POST /v1/submissions/X/close',
    'POST /v1/receipts/verify',
    'POST /v1/uploads/U/links',
  )
  const value = fc.jsonValue({ maxDepth: 3 })
  const known = fc.record(
    {
      profile: fc.oneof(fc.constant('intake@1'), value),
      opensAt: value,
      deadline: fc.oneof(fc.constantFrom('2026-13-45T99:99:99Z', '+275760-09-13T00:00:01Z'), value),
      graceSeconds: value,
      uniqueKey: value,
      callbackUrl: fc.oneof(fc.webUrl(), value),
      metadata: value,
      slot: fc.oneof(fc.constantFrom('plan', 'extras'), value),
      subject: value,
      replaces: value,
      maxBytes: value,
      expiresInSeconds: value,
      can: value,
      reason: value,
      repairUntil: value,
      keepUntil: fc.oneof(fc.constantFrom('2999-13-45T99:99:99Z', '+275760-09-13T00:00:01Z'), value),
      outcome: value,
      person: value,
      names: value,
      download: value,
      whenComplete: value,
      receipt: value,
    },
    { requiredKeys: [] },
  )
  const text = fc.oneof(
    known.map((json) => JSON.stringify(json)),
    value.map((json) => JSON.stringify(json)),
    fc.string(),
    fc.constantFrom(
      '{"__proto__":{"a":1}}',
      '{"constructor":{"prototype":{}}}',
      `${'['.repeat(5000)}`,
      '\u0000',
      '{"slot":"plan","slot":1}',
    ),
  )
  const type = fc.oneof(
    { weight: 6, arbitrary: fc.constant('application/json') },
    {
      weight: 1,
      arbitrary: fc.constantFrom('application/json; charset=utf-7', 'text/plain', 'multipart/form-data', 'x'),
    },
  )
  await fc.assert(
    fc.asyncProperty(calls, text, type, async (call, json, contentType) => {
      const [verb = '', path = ''] = call
        .replace('/X', `/${scene.id}`)
        .replace('/Y', `/${scene.neighbour}`)
        .replace('/U', `/${scene.whole}`)
        .split(' ')
      await ask(verb, path, { ...scene.authorization('key'), 'content-type': contentType }, Buffer.from(json))
    }),
    SETTINGS,
  )
})

test('tickets, sessions and links: valid, truncated, spliced and invented', async () => {
  const tokens = [...Object.values(scene.tokens)]
  const piece = fc.oneof(
    fc.constantFrom(...tokens.flatMap((token) => token.split('.'))),
    headerText,
    fc.json().map((json) => Buffer.from(json).toString('base64url')),
  )
  const token = fc.oneof(
    fc.array(piece, { minLength: 1, maxLength: 5 }).map((pieces) => pieces.join('.')),
    fc.tuple(fc.constantFrom(...tokens), fc.nat(), headerText).map(([text, at, other]) => {
      const cut = at % text.length
      return text.slice(0, cut) + other + text.slice(cut + other.length)
    }),
  )
  const scheme = fc.constantFrom('Bearer ', 'bearer  ', 'Basic ', '', 'Bearer')
  await fc.assert(
    fc.asyncProperty(scheme, token, async (word, text) => {
      const headers = { authorization: `${word}${text}`, 'tus-resumable': '1.0.0' }
      await ask('HEAD', `/files/${scene.begun}`, headers)
      await ask('POST', '/files', { ...headers, 'upload-length': 5 })
      await ask('GET', `/v1/submissions/${scene.id}`, headers)
      await ask('GET', `/media/${encodeURIComponent(text)}/x.mp4`)
    }),
    { ...SETTINGS, numRuns: Math.ceil(RUNS / 2) },
  )
})

test('bytes that are not HTTP', async () => {
  const start = fc.constantFrom(
    '',
    'POST /files HTTP/1.1\r\nHost: x\r\n',
    'PATCH /files/x HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n',
    'GET / HTTP/9.9\r\n',
  )
  await fc.assert(
    fc.asyncProperty(start, fc.uint8Array({ maxLength: 300 }), async (words, bytes) => {
      const status = await raw(Buffer.concat([Buffer.from(words), bytes, Buffer.from('\r\n\r\n')]))
      expect(status).not.toBe(500)
    }),
    { ...SETTINGS, numRuns: Math.ceil(RUNS / 2) },
  )
})

/** Sends bytes on a connection of their own; the status of what came back, 0 where nothing did. */
async function raw(bytes: Buffer): Promise<number> {
  const socket = connect(Number(new URL(stack.url).port), '127.0.0.1')
  const chunks: Buffer[] = []
  await new Promise<void>((resolve) => {
    socket.on('data', (chunk: Buffer) => chunks.push(chunk))
    socket.once('close', () => resolve())
    // Reset by the service: an answer too.
    socket.once('error', () => resolve())
    socket.end(bytes)
  })
  return Number(/^HTTP\/1\.1 (\d+)/.exec(Buffer.concat(chunks).toString('latin1'))?.[1] ?? 0)
}

test('afterwards the service works, and no unexpected error was logged', async () => {
  const user = await stack.user('plan')
  const url = await user.create({ length: scene.bytes.length, name: 'after.pdf' })
  expect((await user.patch(url, 0, scene.bytes)).status).toBe(204)
  expect(await scene.user.offset(`${stack.url}/files/${scene.whole}`)).toBe(scene.bytes.length)
  expect(stack.lines.filter((line) => /"level":"(error|fatal)"/.test(line))).toEqual([])
  expect(({} as Record<string, unknown>)['a']).toBeUndefined()
})
