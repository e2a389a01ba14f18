import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { isoTime } from '../../../src/core/clock.ts'
import { OTHER_KEY, openStillEnvironment, PORTAL_KEY, type StillEnvironment } from '../../support/environment.ts'
import { TEST_PROFILES } from '../../support/profiles.ts'
import { expectProblem } from './expect-problem.ts'

const SHIPPED = 16

let h: StillEnvironment
beforeAll(async () => {
  h = await openStillEnvironment()
  await h.put('mine')
  await h.put('another')
})
afterAll(async () => await h.close())

describe('API keys', () => {
  it('are required everywhere, with WWW-Authenticate', async () => {
    const calls = [
      ['PUT', '/v1/submissions/mine'],
      ['GET', '/v1/submissions/mine'],
      ['GET', '/v1/submissions'],
      ['DELETE', '/v1/submissions/mine'],
      ['PATCH', '/v1/submissions/mine/slots/plan'],
      ['POST', '/v1/submissions/mine/tickets'],
      ['POST', '/v1/submissions/mine/sessions'],
      ['GET', '/v1/submissions/mine/uploads'],
      ['GET', '/v1/uploads/x'],
      ['DELETE', '/v1/uploads/x'],
      ['GET', '/v1/profiles'],
      ['GET', '/v1/profiles/tiny'],
    ] as const
    for (const [method, url] of calls)
      for (const token of [null, 'wrong', `${PORTAL_KEY}x`, `other:${PORTAL_KEY}`]) {
        // Before the body is looked at: it is no JSON at all.
        const answer = await h.call(method, url, {
          token,
          ...(method === 'GET' || method === 'DELETE'
            ? {}
            : { body: '{', headers: { 'content-type': 'application/json' } }),
        })
        expectProblem(answer, 'API_KEY_INVALID')
        expect(answer.headers['www-authenticate']).toMatch(/^Bearer/)
      }
  })

  it('are accepted as the secret alone, and as the configured pair', async () => {
    for (const token of [PORTAL_KEY, `portal:${PORTAL_KEY}`])
      expect((await h.call('GET', '/v1/submissions/mine', { token })).status).toBe(200)
    expect(
      (
        await h.call('GET', '/v1/submissions/mine', {
          token: null,
          headers: { authorization: `bearer  ${PORTAL_KEY}` },
        })
      ).status,
    ).toBe(200)
    expectProblem(
      await h.call('GET', `/v1/submissions/mine?access_token=${PORTAL_KEY}`, { token: null }),
      'API_KEY_INVALID',
    )
  })
})

describe('a session', () => {
  it('comes with a URL with the token in its fragment', async () => {
    const { status, body } = await h.call('POST', '/v1/submissions/mine/sessions', {
      body: { can: ['read'], expiresInSeconds: 600 },
    })
    expect(status).toBe(201)
    expect(body).toEqual({
      id: expect.stringMatching(/^[0-9a-f]{24}$/),
      token: expect.any(String),
      url: `https://songngan.example/portal#token=${String(body['token'])}`,
      expiresAt: isoTime(h.clock.ms + 600_000),
    })
  })

  it('has no URL if the page is disabled', async () => {
    const bare = await openStillEnvironment({ PORTAL_PAGE: 'false' })
    try {
      await bare.put('mine')
      const { status, body } = await bare.call('POST', '/v1/submissions/mine/sessions')
      expect([status, Object.keys(body)]).toEqual([201, ['id', 'token', 'expiresAt']])
    } finally {
      await bare.close()
    }
  })

  it('needs no body', async () => {
    const answer = await h.call('POST', '/v1/submissions/mine/sessions')
    expect(answer.status).toBe(201)
    const token = String(answer.body['token'])
    expect((await h.deps.tokens.verifySession(token)).can).toEqual(['read', 'upload'])
  })

  it('is refused for an unknown submission', async () => {
    const post = (id: string, body: unknown) => h.call('POST', `/v1/submissions/${id}/sessions`, { body })
    expectProblem(await post('unmade', {}), 'SUBMISSION_UNKNOWN')
    expectProblem(await post('mine', { can: ['everything'] }), 'BAD_REQUEST')
    expectProblem(await post('mine', { expiresInSeconds: 9_999_999 }), 'BAD_REQUEST')
  })

  it('reads its submission and its uploads, and no others', async () => {
    const token = await h.session('mine')
    const own = await h.beginUpload('mine', 'plan')
    const foreign = await h.beginUpload('another', 'plan')
    for (const url of ['/v1/submissions/mine', '/v1/submissions/mine/uploads', `/v1/uploads/${own.id}`, '/v1/profiles'])
      expect((await h.call('GET', url, { token })).status, url).toBe(200)
    for (const url of ['/v1/submissions/another', '/v1/submissions/another/uploads'])
      expectProblem(await h.call('GET', url, { token }), 'SUBMISSION_UNKNOWN')
    expectProblem(await h.call('GET', `/v1/uploads/${foreign.id}`, { token }), 'UPLOAD_UNKNOWN')
    expectProblem(
      await h.call('POST', '/v1/submissions/another/tickets', { token, body: { slot: 'plan' } }),
      'SUBMISSION_UNKNOWN',
    )
  })

  it('has the rights that it contains, and none of the portal’s', async () => {
    const reader = await h.session('mine', { can: ['read'] })
    const writer = await h.session('mine', { can: ['upload'], subject: 'ครู 1' })
    const tickets = { body: { slot: 'plan', subject: 'somebody else' } }
    expectProblem(await h.call('POST', '/v1/submissions/mine/tickets', { ...tickets, token: reader }), 'SESSION_SCOPE')
    expectProblem(await h.call('GET', '/v1/submissions/mine', { token: writer }), 'SESSION_SCOPE')
    const { status, body } = await h.call('POST', '/v1/submissions/mine/tickets', {
      ...tickets,
      token: writer,
    })
    expect(status).toBe(201)
    const ticket = await h.deps.tokens.verifyTicket(String(body['ticket']), { checkExpiry: true })
    expect(ticket.subject).toBe('ครู 1')
    const metadata = { body: { metadata: { plannedMinutes: 50 } } }
    const patch = (token: string) => h.call('PATCH', '/v1/submissions/mine/slots/plan', { ...metadata, token })
    expect((await patch(writer)).status).toBe(200)
    expectProblem(await patch(reader), 'SESSION_SCOPE')
    for (const [method, url, send] of [
      ['PUT', '/v1/submissions/mine', { profile: 'tiny@1' }],
      ['DELETE', '/v1/submissions/mine', undefined],
      ['GET', '/v1/submissions', undefined],
      ['POST', '/v1/submissions/mine/sessions', {}],
    ] as const)
      expectProblem(await h.call(method, url, { token: writer, body: send }), 'SESSION_SCOPE')
  })

  it('expires, and is neither a ticket nor a key', async () => {
    const token = await h.session('mine', { expiresInSeconds: 10 })
    const { body } = await h.call('POST', '/v1/submissions/mine/tickets', { body: { slot: 'plan' } })
    expectProblem(await h.call('GET', '/v1/submissions/mine', { token: String(body['ticket']) }), 'SESSION_INVALID')
    h.clock.ms += 11_000
    const late = await h.call('GET', '/v1/submissions/mine', { token })
    expectProblem(late, 'SESSION_INVALID')
    expect(late.headers['www-authenticate']).toMatch(/^Bearer/)
  })

  it('limits its tickets: a ticket expires no later than the session that requested it', async () => {
    const token = await h.session('mine', { expiresInSeconds: 10, can: ['read', 'upload'] })
    const body = { slot: 'plan', expiresInSeconds: 604_800 }
    const answer = await h.call('POST', '/v1/submissions/mine/tickets', { token, body })
    expect(answer.status).toBe(201)
    expect(Date.parse(String(answer.body['expiresAt'])) - h.clock.ms).toBeLessThanOrEqual(11_000)
  })

  it('is bound to one portal', async () => {
    await h.put('mine', {}, OTHER_KEY)
    const answer = await h.call('POST', '/v1/submissions/mine/sessions', { token: OTHER_KEY })
    const seen = await h.call('GET', '/v1/submissions/mine/uploads', { token: String(answer.body['token']) })
    expect(seen.body['items']).toEqual([])
  })
})

describe('profiles', () => {
  it('are listed, and read by id and version', async () => {
    const { body } = await h.call('GET', '/v1/profiles')
    const items = body['items'] as { key: string }[]
    expect(items.length).toBe(SHIPPED + TEST_PROFILES.length)
    expect(items).toContainEqual({
      key: 'tiny@1',
      id: 'tiny',
      version: 1,
      enabled: true,
      position: { id: 'tester', label: { th: 'ไทย Tester', en: 'Tester' } },
      rank: { code: 'T1', label: { th: 'ไทย First', en: 'First' } },
      slots: ['plan', 'extras'],
    })
    expect((await h.call('GET', '/v1/profiles/tiny')).body).toMatchObject({ key: 'tiny@2', version: 2 })
    const one = await h.call('GET', '/v1/profiles/teacher.K4@1')
    expect(one.body).toMatchObject({ key: 'teacher.K4@1', circular: 'ว 9/2564' })
    expect(one.text).toContain('"verification"')
    expect((await h.call('GET', '/v1/profiles/teacher.K4%401')).text).toBe(one.text)
    const headers = { 'if-none-match': String(one.headers['etag']) }
    expect((await h.call('GET', '/v1/profiles/teacher.K4@1', { headers })).status).toBe(304)
    expectProblem(await h.call('GET', '/v1/profiles/teacher.K9'), 'PROFILE_UNKNOWN')
  })
})
