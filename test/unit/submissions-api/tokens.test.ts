import { createServer, type Server } from 'node:http'
import { compactVerify, exportJWK, generateKeyPair, type JWK, SignJWT } from 'jose'
import { afterEach, describe, expect, it, onTestFinished, vi } from 'vitest'
import { Tokens } from '../../../src/auth/tokens.ts'
import { loadConfig } from '../../../src/core/config.ts'
import { deriveKey } from '../../../src/core/derive-key.ts'
import { AppError } from '../../../src/core/errors.ts'

const SECRET = 'a-ticket-secret-of-thirty-two-characters'
const OLDER = 'an-older-secret-of-thirty-two-characters'
const NOW = Date.parse('2026-11-21T08:00:00.400Z')

const REPLACED = 'a'.repeat(40)

const clock = { ms: NOW, now: () => clock.ms }
afterEach(() => {
  clock.ms = NOW
})

function tokensWith(env: Record<string, string> = {}, derivation = { active: true }) {
  const config = loadConfig({
    REDIS_URL: 'redis://127.0.0.1:1',
    API_KEYS: 'portal:0123456789abcdef,other:0123456789abcdeg',
    TICKET_SECRET: SECRET,
    ...env,
  })
  return new Tokens({ config, clock, derivation })
}

const ticket = {
  owner: 'portal',
  submission: 's-1',
  slot: 'plan',
  subject: 'ครู 1',
  replaces: null,
  maxBytes: 5000,
  expMs: NOW + 60_000,
  session: null,
  revocations: 3,
}
const session = {
  owner: 'portal',
  submission: 's-1',
  subject: null,
  can: ['read', 'upload'] as const,
  expMs: NOW + 60_000,
  revocations: 3,
}

async function codeOf(promise: Promise<unknown>): Promise<string> {
  try {
    await promise
    return 'none'
  } catch (error) {
    return error instanceof AppError ? error.code : String(error)
  }
}

const check = { checkExpiry: true }

describe('tickets', () => {
  it('contain what was signed, in whole seconds', async () => {
    const tokens = tokensWith()
    const signed = await tokens.signTicket(ticket)
    const read = await tokens.verifyTicket(signed.token, check)
    expect(read).toEqual(signed.ticket)
    expect(read).toEqual({ ...ticket, issuedAtMs: NOW - 400, expMs: NOW + 60_600 })
  })

  it('contain the session that asked for them, and how often the submission was revoked', async () => {
    const tokens = tokensWith()
    const { session: asking } = await tokens.signSession(session)
    const { token } = await tokens.signTicket({ ...ticket, session: asking.id, revocations: 0 })
    expect(await tokens.verifyTicket(token, check)).toMatchObject({ session: asking.id, revocations: 0 })
  })

  it('expire by the clock although cached, and only if checked', async () => {
    const tokens = tokensWith()
    const { token, ticket: signed } = await tokens.signTicket(ticket)
    await tokens.verifyTicket(token, check)
    clock.ms = signed.expMs
    expect(await codeOf(tokens.verifyTicket(token, check))).toBe('TICKET_EXPIRED')
    expect((await tokens.verifyTicket(token, { checkExpiry: false })).submission).toBe('s-1')
  })

  it('stay valid while a secret is rotated, but not after it is removed', async () => {
    const { token } = await tokensWith({ TICKET_SECRET: OLDER }).signTicket(ticket)
    const rotating = tokensWith({ TICKET_SECRET: `${SECRET},${OLDER}` })
    expect((await rotating.verifyTicket(token, check)).slot).toBe('plan')
    expect(await codeOf(tokensWith().verifyTicket(token, check))).toBe('TICKET_INVALID')
  })

  it('are refused when anything about them is wrong', async () => {
    const tokens = tokensWith()
    const { token } = await tokens.signTicket(ticket)
    const [head = '', body = '', mac = ''] = token.split('.')
    const forged = Buffer.from(JSON.stringify({ ...ticket, aud: 'songngan', exp: 9e9 })).toString('base64url')
    const none = Buffer.from('{"alg":"none"}').toString('base64url')
    const flipped = `${mac.startsWith('A') ? 'B' : 'A'}${mac.slice(1)}`
    const bad = ['', 'x', `${head}.${forged}.${mac}`, `${none}.${forged}.`, `${head}.${body}.${flipped}`]
    for (const candidate of [...bad, `${token}x`, 'a.b.c', 'x'.repeat(5000)])
      expect(await codeOf(tokens.verifyTicket(candidate, check)), candidate.slice(0, 40)).toBe('TICKET_INVALID')
  })

  it('are bound to the name of their portal', async () => {
    const { token } = await tokensWith().signTicket(ticket)
    const without = tokensWith({ API_KEYS: 'other:0123456789abcdeg' })
    expect(await codeOf(without.verifyTicket(token, check))).toBe('TICKET_INVALID')
  })

  it('are verified once and then cached', async () => {
    const verify = vi.spyOn(crypto.subtle, 'verify')
    onTestFinished(() => verify.mockRestore())
    const tokens = tokensWith()
    const { token } = await tokens.signTicket(ticket)
    for (let i = 0; i < 100; i++) await tokens.verifyTicket(token, check)
    expect(verify).toHaveBeenCalledTimes(1)
  })
})

describe('keys', () => {
  const sign = (typ: string, key: Uint8Array, claims: Record<string, unknown>) =>
    new SignJWT({ aud: 'songngan', owner: 'portal', submission: 's-1', exp: 9e9, ...claims })
      .setProtectedHeader({ alg: 'HS256', typ })
      .sign(key)
  const asSession = { can: ['read'] }
  const asTicket = { slot: 'plan' }

  it('are separate for each purpose: the key of tickets signs no session, and vice versa', async () => {
    const tokens = tokensWith()
    const [ofTickets, ofSessions] = [
      deriveKey(SECRET, 'songngan ticket, version 1'),
      deriveKey(SECRET, 'songngan session, version 1'),
    ]
    expect((await tokens.verifyTicket(await sign('ticket+jwt', ofTickets, asTicket), check)).slot).toBe('plan')
    expect((await tokens.verifySession(await sign('session+jwt', ofSessions, asSession))).can).toEqual(['read'])
    expect(await codeOf(tokens.verifyTicket(await sign('ticket+jwt', ofSessions, asTicket), check))).toBe(
      'TICKET_INVALID',
    )
    expect(await codeOf(tokens.verifySession(await sign('session+jwt', ofTickets, asSession)))).toBe('SESSION_INVALID')
  })

  it('are rotated separately', async () => {
    const tokens = tokensWith()
    const [t, s] = [await tokens.signTicket(ticket), await tokens.signSession(session)]
    const apart = tokensWith({ SESSION_SECRET: OLDER })
    expect((await apart.verifyTicket(t.token, check)).slot).toBe('plan')
    expect(await codeOf(apart.verifySession(s.token))).toBe('SESSION_INVALID')
    const rotating = tokensWith({ SESSION_SECRET: `${OLDER},${SECRET}` })
    expect((await rotating.verifySession(s.token)).submission).toBe('s-1')
  })

  it('accept tokens of versions that signed with the secret itself', async () => {
    const secret = new TextEncoder().encode(SECRET)
    const tokens = tokensWith()
    const t = await sign('ticket+jwt', secret, asTicket)
    expect(await tokens.verifyTicket(t, check)).toMatchObject({ slot: 'plan', session: null, revocations: null })
    const s = await sign('session+jwt', secret, asSession)
    expect(await tokens.verifySession(s)).toMatchObject({ id: null, revocations: null })
    expect(await codeOf(tokensWith({ SESSION_SECRET: OLDER }).verifySession(s))).toBe('SESSION_INVALID')
  })

  it('are not derived while a process of such a version runs', async () => {
    const derivation = { active: false }
    const tokens = tokensWith({}, derivation)
    const secret = new TextEncoder().encode(SECRET)
    const [t, s] = [await tokens.signTicket(ticket), await tokens.signSession(session)]
    for (const { token } of [t, s]) await compactVerify(token, secret)
    derivation.active = true
    const later = await tokens.signTicket(ticket)
    await expect(compactVerify(later.token, secret)).rejects.toThrow()
    for (const { token } of [t, later]) expect((await tokens.verifyTicket(token, check)).slot).toBe('plan')
  })
})

describe('sessions and tickets', () => {
  it('cannot replace each other', async () => {
    const tokens = tokensWith()
    const t = await tokens.signTicket(ticket)
    const s = await tokens.signSession(session)
    expect((await tokens.verifySession(s.token)).can).toEqual(['read', 'upload'])
    expect(await codeOf(tokens.verifySession(t.token))).toBe('SESSION_INVALID')
    expect(await codeOf(tokens.verifyTicket(s.token, check))).toBe('TICKET_INVALID')
  })

  it('cannot, whatever other claims a session has', async () => {
    const claims = {
      aud: 'songngan',
      owner: 'portal',
      submission: 's-1',
      slot: 'plan',
      can: ['read'],
      exp: 9e9,
    }
    const sign = (typ: string) =>
      new SignJWT(claims).setProtectedHeader({ alg: 'HS256', typ }).sign(new TextEncoder().encode(SECRET))
    const tokens = tokensWith()
    expect(await codeOf(tokens.verifyTicket(await sign('session+jwt'), check))).toBe('TICKET_INVALID')
    expect(await codeOf(tokens.verifySession(await sign('ticket+jwt')))).toBe('SESSION_INVALID')
    expect(await codeOf(tokens.verifySession(await sign('JWT')))).toBe('SESSION_INVALID')
  })

  it('an expired session is refused', async () => {
    const tokens = tokensWith()
    const { token, session: signed } = await tokens.signSession(session)
    await tokens.verifySession(token)
    clock.ms = signed.expMs
    expect(await codeOf(tokens.verifySession(token))).toBe('SESSION_INVALID')
  })
})

describe('tickets that a portal signs', () => {
  let server: Server | undefined
  afterEach(() => {
    server?.close()
    server?.closeAllConnections()
  })

  /** A key set endpoint whose answer the test changes. */
  async function keyServer() {
    const state = { keys: [] as JWK[], status: 200, asked: 0 }
    const listening = createServer((_, response) => {
      state.asked++
      response.writeHead(state.status, { 'content-type': 'application/json' })
      response.end(JSON.stringify({ keys: state.keys }))
    })
    server = listening
    await new Promise<void>((resolve) => listening.listen(0, '127.0.0.1', resolve))
    const address = listening.address()
    const port = typeof address === 'object' && address !== null ? address.port : 0
    return { state, url: `http://127.0.0.1:${port}/keys` }
  }

  async function signer(kid: string | undefined, alg = 'ES256') {
    const { publicKey, privateKey } = await generateKeyPair(alg, { extractable: true })
    const jwk = { ...(await exportJWK(publicKey)), alg, ...(kid === undefined ? {} : { kid }) }
    const sign = (claims: Record<string, unknown> = {}, typ?: string) =>
      new SignJWT({ aud: 'songngan', sub: 'ครู 2', submission: 's-2', slot: 'plan', iss: 'portal', ...claims })
        .setProtectedHeader({
          alg,
          ...(kid === undefined ? {} : { kid }),
          ...(typ === undefined ? {} : { typ }),
        })
        .setIssuedAt(Math.floor(clock.ms / 1000))
        .setExpirationTime(Math.floor(clock.ms / 1000) + 60)
        .sign(privateKey)
    return { jwk, sign }
  }

  it.each(['ES256', 'RS256', 'EdDSA'])('are read with its keys: %s', async (alg) => {
    const { state, url } = await keyServer()
    const { jwk, sign } = await signer('k1', alg)
    state.keys = [jwk]
    const tokens = tokensWith({ TICKET_JWKS_URL: `portal=${url}` })
    expect(await tokens.verifyTicket(await sign({ maxBytes: 77, replaces: REPLACED }), check)).toEqual({
      owner: 'portal',
      submission: 's-2',
      slot: 'plan',
      subject: 'ครู 2',
      replaces: REPLACED,
      maxBytes: 77,
      issuedAtMs: NOW - 400,
      expMs: NOW - 400 + 60_000,
      session: null,
      revocations: null,
    })
    await tokens.verifyTicket(await sign(), check)
    expect(state.asked).toBe(1)
  })

  // OpenID calls a session of its own `sid`.
  it.each([
    { sid: '9f1c2f3e-7a77-4b0e-9d5f-0d9a3c1b2e4d', rev: 1 },
    { sid: 'a'.repeat(24), rev: 7 },
    { sid: 42, rev: 'r-3' },
    { sid: null, rev: -1.5 },
  ])('may have claims that only mean something in tokens of this service: %j', async (claims) => {
    const { state, url } = await keyServer()
    const { jwk, sign } = await signer('k1')
    state.keys = [jwk]
    const tokens = tokensWith({ TICKET_JWKS_URL: `portal=${url}` })
    expect(await tokens.verifyTicket(await sign(claims), check)).toMatchObject({ session: null, revocations: null })
  })

  it('need an owner, an audience, a submission and a slot', async () => {
    const { state, url } = await keyServer()
    const { jwk, sign } = await signer('k1')
    state.keys = [jwk]
    const two = tokensWith({ TICKET_JWKS_URL: `portal=${url}` })
    for (const claims of [
      { iss: 'other' },
      { aud: 'elsewhere' },
      { submission: undefined },
      { slot: 5 },
      { nbf: 9e9 },
      { maxBytes: -1 },
    ])
      expect(await codeOf(two.verifyTicket(await sign(claims), check)), JSON.stringify(claims)).toBe('TICKET_INVALID')
    const one = tokensWith({ TICKET_JWKS_URL: url, API_KEYS: 'portal:0123456789abcdef' })
    const token = await sign({ iss: 'https://portal.example', aud: ['x', 'songngan'] })
    expect((await one.verifyTicket(token, check)).owner).toBe('portal')
  })

  it('signed with the public key as a shared secret are refused', async () => {
    const { state, url } = await keyServer()
    const { jwk } = await signer('k1', 'RS256')
    state.keys = [jwk]
    const secret = new TextEncoder().encode(JSON.stringify(jwk))
    const token = await new SignJWT({
      aud: 'songngan',
      submission: 's',
      slot: 'plan',
      iss: 'portal',
      exp: 9e9,
    })
      .setProtectedHeader({ alg: 'HS256', kid: 'k1' })
      .sign(secret)
    expect(await codeOf(tokensWith({ TICKET_JWKS_URL: `portal=${url}` }).verifyTicket(token, check))).toBe(
      'TICKET_INVALID',
    )
  })

  it('without a key id are tried with every key', async () => {
    const { state, url } = await keyServer()
    const [one, two] = [await signer(undefined), await signer(undefined)]
    state.keys = [one.jwk, two.jwk]
    const tokens = tokensWith({ TICKET_JWKS_URL: `portal=${url}` })
    expect((await tokens.verifyTicket(await two.sign(), check)).submission).toBe('s-2')
    const stranger = await signer(undefined)
    expect(await codeOf(tokens.verifyTicket(await stranger.sign(), check))).toBe('TICKET_INVALID')
  })

  it('are still verified with the last fetched keys while the JWKS URL is unavailable', async () => {
    const { state, url } = await keyServer()
    const { jwk, sign } = await signer('k1')
    const unknown = await signer('k2')
    state.keys = [jwk]
    const tokens = tokensWith({ TICKET_JWKS_URL: `portal=${url}` })
    await tokens.verifyTicket(await sign(), check)
    state.status = 503
    vi.useFakeTimers({ toFake: ['Date'], now: Date.now() + 3_600_000 })
    try {
      expect((await tokens.verifyTicket(await sign({ slot: 'extras' }), check)).slot).toBe('extras')
      expect(state.asked).toBe(2)
      expect(await codeOf(tokens.verifyTicket(await unknown.sign(), check))).toBe('KEYS_UNAVAILABLE')
    } finally {
      vi.useRealTimers()
    }
  })

  it('are a system error while the keys cannot be fetched', async () => {
    const { state, url } = await keyServer()
    const { jwk, sign } = await signer('k1')
    const rotated = await signer('k2')
    state.keys = [jwk]
    state.status = 500
    const tokens = tokensWith({ TICKET_JWKS_URL: `portal=${url}` })
    expect(await codeOf(tokens.verifyTicket(await sign(), check))).toBe('KEYS_UNAVAILABLE')
    state.status = 200
    expect((await tokens.verifyTicket(await sign(), check)).slot).toBe('plan')
    expect(await codeOf(tokens.verifyTicket(await rotated.sign(), check))).toBe('TICKET_INVALID')
    expect(await codeOf(tokensWith().verifyTicket(await sign(), check))).toBe('TICKET_INVALID')
  })

  it('cannot act for another portal', async () => {
    const [mine, theirs] = [await keyServer(), await keyServer()]
    const [me, other] = [await signer('k1'), await signer('k1')]
    mine.state.keys = [me.jwk]
    theirs.state.keys = [other.jwk]
    const tokens = tokensWith({ TICKET_JWKS_URL: `portal=${mine.url},other=${theirs.url}` })
    expect((await tokens.verifyTicket(await me.sign(), check)).owner).toBe('portal')
    expect((await tokens.verifyTicket(await other.sign({ iss: 'other' }), check)).owner).toBe('other')
    for (const claims of [{ iss: 'other' }, { owner: 'other' }, { iss: undefined }, { iss: 'nobody' }])
      expect(await codeOf(tokens.verifyTicket(await me.sign(claims), check)), JSON.stringify(claims)).toBe(
        'TICKET_INVALID',
      )
    // With one key set there is no other that it could be, but the name of another portal is still not its own.
    const single = tokensWith({ TICKET_JWKS_URL: `portal=${mine.url}` })
    expect(await codeOf(single.verifyTicket(await me.sign({ iss: 'other' }), check))).toBe('TICKET_INVALID')
    expect(await codeOf(single.verifyTicket(await me.sign({ owner: 'other' }), check))).toBe('TICKET_INVALID')
  })

  it('are tickets only: sessions are signed by this service', async () => {
    const { state, url } = await keyServer()
    const { jwk, sign } = await signer('k1')
    state.keys = [jwk]
    const tokens = tokensWith({ TICKET_JWKS_URL: `portal=${url}` })
    const forged = await sign({ can: ['read', 'upload', 'seal'], owner: 'portal' }, 'session+jwt')
    expect(await codeOf(tokens.verifySession(forged))).toBe('SESSION_INVALID')
    expect(await codeOf(tokens.verifyTicket(forged, check))).toBe('TICKET_INVALID')
  })

  it.each([
    { submission: '../../submissions/other/x' },
    { submission: '..' },
    { submission: 'a/b' },
    { slot: '../plan' },
    { replaces: '../../x' },
  ])('must have ids that are valid in a path: %j', async (claims) => {
    const { state, url } = await keyServer()
    const { jwk, sign } = await signer('k1')
    state.keys = [jwk]
    const tokens = tokensWith({ TICKET_JWKS_URL: `portal=${url}` })
    expect(await codeOf(tokens.verifyTicket(await sign(claims), check))).toBe('TICKET_INVALID')
  })

  it.each([
    ['http://keys.example/jwks', 'https'],
    ['portal=http://10.0.0.1/jwks', 'https'],
    ['https://keys.example/jwks', 'name=url'],
    ['stranger=https://keys.example/jwks', 'name=url'],
  ])('are refused at start if anybody could sign: %s', (value, word) => {
    expect(() => tokensWith({ TICKET_JWKS_URL: value })).toThrow(word)
  })
})
