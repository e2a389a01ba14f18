// A portal names the address that webhooks go to: it must not be a way into our own network, in no spelling, by no
// redirect, and not by a name that resolves to something else a moment later.

import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { allowedHosts } from '../../../src/core/addresses.ts'
import { AddressRefused, allowedAddresses, type Resolve } from '../../../workers/notify/address-guard.ts'
import { post } from '../../../workers/notify/post.ts'
import { type Environment, openEnvironment } from '../../support/environment.ts'
import { PATIENCE_MS } from '../../support/http.ts'
import { INTAKE } from '../../support/profiles.ts'

const INSIDE = [
  'http://127.0.0.1/',
  'http://127.1/',
  'http://2130706433/',
  'http://0x7f000001/',
  'http://0x7f.0.0.1/',
  'http://0177.0.0.1/',
  'http://017700000001/',
  'http://127.0.0.1./',
  'http://①②⑦.⓪.⓪.①/',
  'http://0/',
  'http://[::1]/',
  'http://[0:0:0:0:0:0:0:1]/',
  'http://[::]/',
  'http://[::ffff:127.0.0.1]/',
  'http://[::ffff:7f00:1]/',
  'http://[::ffff:a9fe:a9fe]/',
  'http://[fe80::1]/',
  'http://[fd00::1]/',
  'http://169.254.169.254/latest/meta-data/',
  'http://10.0.0.1:6379/',
  'http://172.31.255.255/',
  'http://192.168.1.1/',
  'http://100.64.0.1/',
  'http://localhost/',
  'http://LOCALHOST:8080/',
  'http://localhost./',
  'http://redis.internal/',
  'http://printer.local/',
  'https://user:password@portal.example/',
  'ftp://portal.example/',
  'file:///etc/passwd',
  'javascript:alert(1)',
  '//portal.example/hook',
  'no address at all',
]

let stack: Environment
let inside: Server
let port: number
const reached: string[] = []
beforeAll(async () => {
  stack = await openEnvironment({ env: { WEBHOOK_SECRET: `whsec_${Buffer.alloc(32, 3).toString('base64')}` } })
  inside = createServer((request, response) => {
    reached.push(request.headers.host ?? '')
    if (request.url === '/away') response.writeHead(307, { location: `http://127.0.0.1:${port}/secret` })
    response.end()
  })
  await new Promise<void>((resolve) => inside.listen(0, '127.0.0.1', resolve))
  port = (inside.address() as AddressInfo).port
})
afterAll(async () => {
  inside.closeAllConnections()
  inside.close()
  await stack.close()
})

test.each(INSIDE)('%s is refused when the portal configures it', async (callbackUrl) => {
  const { status, body } = await stack.call('PUT', '/v1/submissions/hook', {
    body: {
      profile: INTAKE,
      callbackUrl,
    },
  })
  expect([status, body['code'], body['errors']]).toEqual([
    400,
    'BAD_REQUEST',
    [expect.objectContaining({ path: '/callbackUrl' })],
  ])
})

test('a public address is accepted', async () => {
  const callbackUrl = 'https://portal.example/hook?key=1'
  const { status } = await stack.call('PUT', '/v1/submissions/hook', { body: { profile: INTAKE, callbackUrl } })
  expect(status).toBe(201)
})

test.each(INSIDE.filter((url) => /^https?:\/\/[^@]*$/.test(url) && !/[a-z]{4,}\.?(:\d+)?\/$/i.test(url)))(
  '%s is refused again when it is called',
  async (url) => {
    const never: Resolve = () => Promise.reject(new Error('a number needs no resolver'))
    await expect(allowedAddresses(new URL(url), { allowed: allowedHosts([]), resolve: never })).rejects.toThrow(
      /not public|no resolver/,
    )
  },
)

test('a name that resolves to a private address is refused, even if another of its addresses is public', async () => {
  for (const addresses of [['10.0.0.1'], ['8.8.8.8', '127.0.0.1'], ['2606:4700::1', '::1'], ['::ffff:10.0.0.1']]) {
    const resolve: Resolve = async () =>
      addresses.map((address) => ({ address, family: address.includes(':') ? 6 : 4 }))
    const asked = allowedAddresses(new URL('https://portal.example/'), { allowed: allowedHosts([]), resolve })
    await expect(asked, addresses.join()).rejects.toThrow(AddressRefused)
  }
})

test('a name is resolved once, not again after the check', async () => {
  const answers = [['8.8.8.8'], ['127.0.0.1']]
  let asked = 0
  const resolve: Resolve = async () =>
    (answers[Math.min(asked++, 1)] ?? []).map((address) => ({ address, family: 4 as const }))
  const url = new URL(`http://rebinding.example:${port}/`)
  const addresses = await allowedAddresses(url, { allowed: allowedHosts([]), resolve })
  expect([asked, addresses]).toEqual([1, [{ address: '8.8.8.8', family: 4 }]])
  // The connection goes to the address that was checked and to no other: this name has none that a resolver knows.
  const before = reached.length
  const pinned = new URL(`http://no-such-name.invalid:${port}/`)
  const answer = await call(pinned)
  expect(answer.status).toBe(200)
  expect(reached.slice(before)).toEqual([`no-such-name.invalid:${port}`])
})

test('a redirect is not followed', async () => {
  const before = reached.length
  expect((await call(new URL(`http://portal.invalid:${port}/away`))).status).toBe(307)
  expect(reached.length).toBe(before + 1)
})

function call(url: URL) {
  return post(url, {
    addresses: [{ address: '127.0.0.1', family: 4 }],
    headers: {},
    body: '{}',
    signal: AbortSignal.timeout(PATIENCE_MS),
  })
}
