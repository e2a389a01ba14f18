// Two portals, each with an API key and a key set of its own: every route against tokens that one of them signs to get at
// what is the other's. What such a token gets is what a forged one gets.

import { Agent, createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { exportJWK, generateKeyPair, type JWK, SignJWT } from 'jose'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { buildApp } from '../../../src/app.ts'
import { type Environment, openEnvironment } from '../../support/environment.ts'
import { tusUser } from '../../support/tus.ts'
import { ask } from './support/ask.ts'
import { type Scene, setScene } from './support/credentials.ts'

/** A key set whose keys and availability the test changes. */
class KeySet {
  readonly #server: Server
  keys: JWK[] = []
  status = 200

  constructor() {
    this.#server = createServer((_request, response) => {
      response.writeHead(this.status, { 'content-type': 'application/json' })
      response.end(JSON.stringify({ keys: this.keys }))
    })
  }

  async start(): Promise<string> {
    await new Promise<void>((resolve) => this.#server.listen(0, '127.0.0.1', resolve))
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}/keys`
  }

  /** A new key of this portal; signs claims. */
  async key(kid: string): Promise<(claims: Record<string, unknown>, typ?: string) => Promise<string>> {
    const { publicKey, privateKey } = await generateKeyPair('ES256', { extractable: true })
    this.keys = [...this.keys, { ...(await exportJWK(publicKey)), alg: 'ES256', kid }]
    return (claims, typ) => {
      const now = Math.floor(Date.now() / 1000)
      return new SignJWT({ aud: 'songngan', sub: 'ครู', iat: now, exp: now + 600, ...claims })
        .setProtectedHeader({ alg: 'ES256', kid, ...(typ === undefined ? {} : { typ }) })
        .sign(privateKey)
    }
  }

  close(): void {
    this.#server.close()
    this.#server.closeAllConnections()
  }
}

const agent = new Agent({ keepAlive: true })
const sets = { portal: new KeySet(), other: new KeySet() }
let stack: Environment
let mine: Awaited<ReturnType<KeySet['key']>>
let theirs: Awaited<ReturnType<KeySet['key']>>
let routes: string[]
beforeAll(async () => {
  const urls = await Promise.all([sets.portal.start(), sets.other.start()])
  // The same name for both keys: what tells them apart is whose set they are in.
  ;[mine, theirs] = [await sets.portal.key('k1'), await sets.other.key('k1')]
  stack = await openEnvironment({ env: { TICKET_JWKS_URL: `portal=${urls[0]},other=${urls[1]}` } })
  await stack.deps.rebuilder.run()
  const found = new Set<string>()
  const app = await buildApp(stack.deps, { onRoute: (method, url) => found.add(`${method} ${url}`) })
  await app.close()
  routes = [...found]
})
afterAll(async () => {
  agent.destroy()
  sets.portal.close()
  sets.other.close()
  await stack.close()
})

/** What each route answers to a token that is shown to it, but for those that change what later ones see. */
async function answers(scene: Scene, token: string): Promise<Record<string, string>> {
  const shown = { ...scene, authorization: () => ({ authorization: `Bearer ${token}` }) }
  const seen: Record<string, string> = {}
  for (const route of routes) seen[route] = (await ask(route, { stack, scene: shown, name: 'garbage', agent })).cell
  return seen
}

const ATTACKS: [string, (scene: Scene) => Promise<string>][] = [
  ['in my name', ({ id }) => theirs({ iss: 'portal', submission: id, slot: 'plan' })],
  ['in my name as owner', ({ id }) => theirs({ iss: 'other', owner: 'portal', submission: id, slot: 'plan' })],
  ['in my name twice', ({ id }) => theirs({ iss: 'portal', owner: 'portal', submission: id, slot: 'plan' })],
  ['in nobody’s name', ({ id }) => theirs({ submission: id, slot: 'plan' })],
  ['in the name of who has no key', ({ id }) => theirs({ iss: 'nobody', submission: id, slot: 'plan' })],
  ['in a name that looks like mine', ({ id }) => theirs({ iss: 'pоrtal', submission: id, slot: 'plan' })],
  [
    'of type session',
    ({ id }) => theirs({ iss: 'other', submission: id, can: ['read', 'upload', 'seal'] }, 'session+jwt'),
  ],
  [
    'of type session in my name',
    ({ id }) =>
      theirs({ iss: 'portal', owner: 'portal', submission: id, can: ['read', 'upload', 'seal'] }, 'session+jwt'),
  ],
  [
    'of type session, with a slot',
    ({ id }) => theirs({ iss: 'other', submission: id, slot: 'plan', can: ['read'] }, 'session+jwt'),
  ],
  ['for another audience', ({ id }) => theirs({ iss: 'other', aud: 'elsewhere', submission: id, slot: 'plan' })],
  ...[
    '../../submissions/portal/x',
    '../portal',
    '..',
    '.',
    '',
    'a/b',
    'a\\b',
    '%2e%2e',
    '..%2f..%2fx',
    'a\0b',
    'ไทย',
    'ａ',
    'x'.repeat(129),
  ].map((submission): [string, () => Promise<string>] => [
    `for a submission ${JSON.stringify(submission.slice(0, 30))}`,
    () => theirs({ iss: 'other', submission, slot: 'plan' }),
  ]),
  ...['../plan', 'plan/..', 'PLAN', '', 'p%6can'].map((slot): [string, (scene: Scene) => Promise<string>] => [
    `for a slot ${JSON.stringify(slot)}`,
    ({ id }) => theirs({ iss: 'other', submission: id, slot }),
  ]),
  ['to replace a path', ({ id }) => theirs({ iss: 'other', submission: id, slot: 'plan', replaces: '../../x' })],
  // My own portal signs tickets, and nothing else.
  [
    'of my own portal, of type session',
    ({ id }) => mine({ iss: 'portal', submission: id, can: ['read'] }, 'session+jwt'),
  ],
]

describe('a token of another portal gets what a forged one gets, at every route', () => {
  let forged: Record<string, string>
  let scene: Scene
  let before: string[]
  beforeAll(async () => {
    scene = await setScene(stack)
    forged = await answers(scene, scene.tokens.forgedSession)
    before = await submissionsInStore()
  })

  it.each(ATTACKS)('%s', async (_, sign) => {
    expect(await answers(scene, await sign(scene))).toEqual(forged)
    expect(await submissionsInStore()).toEqual(before)
  })
})

describe('a good ticket of a portal', () => {
  it('gets the same result as our own ticket at every route', async () => {
    const scene = await setScene(stack)
    const alike = await setScene(stack)
    const ours = await answers(alike, alike.tokens.ticket)
    expect(await answers(scene, await mine({ iss: 'portal', submission: scene.id, slot: 'plan' }))).toEqual(ours)
  })

  it('of another portal for the same ids applies to its own namespace', async () => {
    const scene = await setScene(stack)
    const ticket = await theirs({ iss: 'other', submission: scene.id, slot: 'plan' })
    const seen = await answers(scene, ticket)
    const atFiles = Object.entries(seen).filter(([route]) => route.includes('/files/*'))
    for (const [route, cell] of atFiles) expect(cell, route).not.toMatch(/^20[01]/)
    expect(seen['PATCH /files/*']).toBe('403 TICKET_SCOPE')
    expect(seen['DELETE /files/*']).toBe('403 TICKET_SCOPE')
    expect(seen['POST /files']).toBe('404 SUBMISSION_UNKNOWN')
    expect(seen['GET /v1/submissions/:id']).toBe('401 SESSION_INVALID')
  })

  it('is revoked; one without `iat` too, because its age is unknown', async () => {
    const scene = await setScene(stack)
    const claims = { iss: 'portal', submission: scene.id, slot: 'plan' }
    const ticket = await mine(claims)
    const post = async (token: string) => (await tusUser(stack.url, token).post({ length: 10 })).problem?.code ?? '201'
    expect(await post(ticket)).toBe('201')
    await stack.call('DELETE', `/v1/submissions/${scene.id}/sessions?subject=${encodeURIComponent('ครู')}`)
    expect(await post(ticket)).toBe('TICKET_REVOKED')
    expect(await post(await mine({ ...claims, iat: undefined }))).toBe('TICKET_REVOKED')
    expect(await post(await mine({ ...claims, sub: 'somebody else' }))).toBe('201')
    expect(await post(await mine({ ...claims, sub: 'somebody else', iat: undefined }))).toBe('201')
  })
})

describe('keys of a portal', () => {
  it('are changed without a restart, and a removed key is no longer accepted', async () => {
    const scene = await setScene(stack)
    const claims = { iss: 'portal', submission: scene.id, slot: 'plan' }
    const old = sets.portal.keys
    const next = await sets.portal.key('k2')
    const post = async (token: string) => (await tusUser(stack.url, token).post({ length: 10 })).problem?.code ?? '201'
    // Fetched again for an unknown key, not more often than every five seconds: a second service has just started.
    const second = await openEnvironment({ redis: stack.redis, dataDir: stack.dataDir, env: stack.env })
    try {
      expect((await tusUser(second.url, await next(claims)).post({ length: 10 })).status).toBe(201)
      sets.portal.keys = old.filter(({ kid }) => kid !== 'k1')
      const third = await openEnvironment({ redis: stack.redis, dataDir: stack.dataDir, env: stack.env })
      const gone = await tusUser(third.url, await mine(claims)).post({ length: 10 })
      await third.leave()
      expect(gone.problem?.code).toBe('TICKET_INVALID')
    } finally {
      await second.leave()
      sets.portal.keys = old
    }
    expect(await post(await mine(claims))).toBe('201')
  })

  it('that are unavailable are a system error, and do not affect other portals', async () => {
    const scene = await setScene(stack)
    sets.other.status = 503
    const fresh = await openEnvironment({ redis: stack.redis, dataDir: stack.dataDir, env: stack.env })
    try {
      const away = await tusUser(fresh.url, await theirs({ iss: 'other', submission: 'x', slot: 'plan' })).post({
        length: 1,
      })
      expect([away.status, away.problem?.code]).toEqual([503, 'KEYS_UNAVAILABLE'])
      const running = await tusUser(fresh.url, await theirs({ iss: 'other', submission: 'x', slot: 'plan' })).head(
        `${fresh.url}/files/${scene.begun}`,
      )
      expect(running.status).toBe(423)
      const good = await mine({ iss: 'portal', submission: scene.id, slot: 'plan' })
      expect((await tusUser(fresh.url, good).post({ length: 10 })).status).toBe(201)
    } finally {
      sets.other.status = 200
      await fresh.leave()
    }
  })
})

async function submissionsInStore(): Promise<string[]> {
  const keys: string[] = []
  for await (const { key } of stack.deps.store.list('submissions/')) keys.push(key)
  return keys
}
