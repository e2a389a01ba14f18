import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { isoTime } from '../../../src/core/clock.ts'
import { objectKeys } from '../../../src/records/keys.ts'
import { versionKey } from '../../../src/records/version-log.ts'
import { START } from '../../support/clock.ts'
import { openStillEnvironment, type StillEnvironment } from '../../support/environment.ts'
import { expectProblem } from './expect-problem.ts'

const HOUR = 3_600_000
/** The same moment as people there write it. */
const inBangkok = (ms: number) => isoTime(ms + 7 * HOUR).replace('.000Z', '+07:00')

let h: StillEnvironment
beforeAll(async () => {
  h = await openStillEnvironment()
})
afterAll(async () => await h.close())

const versionsOf = async (id: string) => {
  const keys: string[] = []
  for await (const { key } of h.deps.store.list(objectKeys.submission('portal', id))) keys.push(key)
  return keys.length
}

describe('PUT', () => {
  it('creates with 201; the same body again is 200 without a new version', async () => {
    const body = {
      profile: 'tiny',
      deadline: inBangkok(START + 9 * HOUR),
      graceSeconds: 60,
      metadata: { b: [1, { c: 2 }], a: 'ก' },
    }
    const first = await h.call('PUT', '/v1/submissions/same', { body })
    expect(first.status).toBe(201)
    expect(first.body).toMatchObject({
      id: 'same',
      profile: 'tiny@2',
      state: 'open',
      revision: 1,
      deadline: isoTime(START + 9 * HOUR),
      opensAt: null,
      graceSeconds: 60,
      complete: false,
      missing: ['plan'],
      metadata: body.metadata,
    })
    h.clock.ms += 5000
    const reordered = { ...body, metadata: { a: 'ก', b: [1, { c: 2 }] } }
    const again = await h.call('PUT', '/v1/submissions/same', { body: reordered })
    expect(again.status).toBe(200)
    expect(again.body).toEqual(first.body)
    expect(await versionsOf('same')).toBe(1)
  })

  it('by many concurrent calls creates once', async () => {
    const answers = await Promise.all(Array.from({ length: 8 }, () => h.put('racing')))
    expect(answers.map(({ status }) => status).sort()).toEqual([200, 200, 200, 200, 200, 200, 200, 201])
    expect(await versionsOf('racing')).toBe(1)
  })

  it('applies a changed deadline immediately, and raises the sequence', async () => {
    const before = await h.put('moved', { deadline: isoTime(START - HOUR) })
    expect(before.body['accepting']).toBe(false)
    const after = await h.put('moved', { deadline: isoTime(START + 48 * HOUR) })
    expect(after.status).toBe(200)
    expect(after.body['accepting']).toBe(true)
    expect(after.body['sequence']).toBeGreaterThan(Number(before.body['sequence']))
    expect(await versionsOf('moved')).toBe(2)
  })

  it('that did not reach Redis is visible after it is repeated', async () => {
    const { body } = await h.put('unheard')
    const first = await h.deps.heads.latest('portal', 'unheard')
    // Committed to the store, then Redis was away: the portal got a 503.
    const second = { ...first, version: 2, nonce: 'n', graceSeconds: 77, sequence: 2 }
    const key = versionKey(objectKeys.submission('portal', 'unheard'), 2)
    await h.deps.store.createIfAbsent(key, Buffer.from(JSON.stringify(second)))
    expect((await h.put('unheard', { graceSeconds: 77 })).body['graceSeconds']).toBe(77)
    expect((await h.call('GET', '/v1/submissions/unheard')).body['graceSeconds']).toBe(77)
    expect(await versionsOf('unheard')).toBe(2)
    expect((await h.put('unheard')).body['graceSeconds']).toBe(body['graceSeconds'])
  })

  it('survives the loss of Redis', async () => {
    const before = await h.put('kept', { uniqueKey: 'kept' })
    await h.acceptedUpload('kept', 'plan')
    const seen = await h.call('GET', '/v1/submissions/kept')
    await h.deps.redis.hot.flushall()
    const after = await h.call('GET', '/v1/submissions/kept')
    expect(after.body).toEqual({ ...seen.body, sequence: expect.any(Number) })
    const again = await h.put('kept', { uniqueKey: 'kept' })
    expect([before.status, again.status, await versionsOf('kept')]).toEqual([201, 200, 1])
  })

  it('sets missing members to their defaults', async () => {
    await h.put('whole', { deadline: isoTime(START + 48 * HOUR), graceSeconds: 5, metadata: { a: 1 } })
    const { body } = await h.put('whole')
    expect(body).toMatchObject({ deadline: null, graceSeconds: 0, metadata: {} })
  })

  it('keeps the pinned version of a profile named without a version', async () => {
    await h.put('pinned', { profile: 'tiny@1' })
    const { body } = await h.put('pinned', { profile: 'tiny', graceSeconds: 1 })
    expect(body['profile']).toBe('tiny@1')
  })

  it.each([
    ['no profile', {}, ''],
    ['a misspelt member', { profile: 'tiny', deadLine: '2026-11-23T07:00:00Z' }, ''],
    ['a day without a time', { profile: 'tiny', deadline: '2026-11-23' }, '/deadline'],
    ['a time without a zone', { profile: 'tiny', opensAt: '2026-11-23T07:00:00' }, '/opensAt'],
    ['a day that does not exist', { profile: 'tiny', deadline: '2026-02-30T07:00:00Z' }, '/deadline'],
    ['grace in words', { profile: 'tiny', graceSeconds: '60' }, '/graceSeconds'],
    ['negative grace', { profile: 'tiny', graceSeconds: -1 }, '/graceSeconds'],
    [
      'an opening after the deadline',
      { profile: 'tiny', opensAt: '2027-01-01T00:00:00Z', deadline: '2026-01-01T00:00:00Z' },
      '/deadline',
    ],
    ['a callback that is no address', { profile: 'tiny', callbackUrl: 'portal' }, '/callbackUrl'],
    ['a callback over ftp', { profile: 'tiny', callbackUrl: 'ftp://portal.example/x' }, '/callbackUrl'],
    ['a callback into this machine', { profile: 'tiny', callbackUrl: 'http://0x7f.1:6379/' }, '/callbackUrl'],
    ['a callback with credentials', { profile: 'tiny', callbackUrl: 'https://a:b@portal.example/' }, '/callbackUrl'],
    ['a list as metadata', { profile: 'tiny', metadata: [1] }, '/metadata'],
  ])('refuses %s and names the error', async (_, body, path) => {
    const answer = await h.call('PUT', '/v1/submissions/bad', { body })
    expectProblem(answer, 'BAD_REQUEST')
    expect(answer.body['errors']).toContainEqual({ in: 'body', path, message: expect.any(String) })
    expectProblem(await h.call('GET', '/v1/submissions/bad'), 'SUBMISSION_UNKNOWN')
  })

  it('refuses a callbackUrl without a WEBHOOK_SECRET, and accepts it with one', async () => {
    const body = { profile: 'tiny', callbackUrl: 'https://portal.example/hook' }
    expectProblem(await h.call('PUT', '/v1/submissions/unsigned', { body }), 'CALLBACK_UNSIGNED')
    expectProblem(await h.call('GET', '/v1/submissions/unsigned'), 'SUBMISSION_UNKNOWN')
    const signing = await openStillEnvironment({ WEBHOOK_SECRET: `whsec_${Buffer.alloc(24, 1).toString('base64')}` })
    expect((await signing.call('PUT', '/v1/submissions/signed', { body })).status).toBe(201)
    await signing.close()
  })

  it('with If-Match changes only the version that was read, and with If-None-Match: * only creates', async () => {
    const put = (graceSeconds: number, headers: Record<string, string>) =>
      h.call('PUT', '/v1/submissions/matched', { body: { profile: 'tiny', graceSeconds }, headers })
    expectProblem(await put(0, { 'if-match': '*' }), 'PRECONDITION_FAILED', { details: { etag: null } })
    const made = await put(0, { 'if-none-match': '*' })
    expect(made.status).toBe(201)
    expectProblem(await put(1, { 'if-none-match': '*' }), 'PRECONDITION_FAILED')
    const etag = String(made.headers['etag'])
    const changed = await put(2, { 'if-match': `"other", ${etag}` })
    expect(changed).toMatchObject({ status: 200, body: { graceSeconds: 2 } })
    // Whoever read before that change learns so, and overwrites nothing.
    const stale = await put(3, { 'if-match': etag })
    expectProblem(stale, 'PRECONDITION_FAILED', { details: { etag: changed.headers['etag'] } })
    const slot = await h.call('PATCH', '/v1/submissions/matched/slots/plan', {
      body: { metadata: {} },
      headers: { 'if-match': etag },
    })
    expectProblem(slot, 'PRECONDITION_FAILED')
    const { body } = await h.call('GET', '/v1/submissions/matched')
    expect(body['graceSeconds']).toBe(2)
    // Of several who read the same document one changes it.
    const tag = String(changed.headers['etag'])
    const all = await Promise.all([4, 5, 6, 7].map((grace) => put(grace, { 'if-match': tag })))
    expect(all.map(({ status }) => status).toSorted()).toEqual([200, 412, 412, 412])
  })

  it('lists all errors at once', async () => {
    const body = { profile: 5, graceSeconds: -1, deadline: 'soon' }
    const { body: problem } = await h.call('PUT', '/v1/submissions/bad', { body })
    const paths = (problem['errors'] as { path: string }[]).map(({ path }) => path)
    expect(paths).toEqual(expect.arrayContaining(['/profile', '/graceSeconds', '/deadline']))
  })

  it('refuses an unknown profile and one that is disabled', async () => {
    for (const profile of ['nobody.K9', 'supervisor.K2@1'])
      expectProblem(await h.call('PUT', '/v1/submissions/bad', { body: { profile } }), 'PROFILE_UNKNOWN', {
        details: { profile },
      })
  })

  it('refuses bodies that are not JSON, too large, or of another type', async () => {
    const send = (payload: string, type = 'application/json') =>
      h.call('PUT', '/v1/submissions/bad', { body: payload, headers: { 'content-type': type } })
    expectProblem(await send('{"profile":'), 'BODY_NOT_JSON')
    expectProblem(await send('{"__proto__":{"a":1},"profile":"tiny"}'), 'BODY_NOT_JSON')
    expectProblem(await send(JSON.stringify({ profile: 'x'.repeat(300_000) })), 'BODY_TOO_LARGE')
    expectProblem(await send('profile=tiny', 'application/x-www-form-urlencoded'), 'MEDIA_TYPE_UNSUPPORTED')
    expectProblem(await send('', 'application/json'), 'BAD_REQUEST')
  })

  it('may change nothing of a sealed submission', async () => {
    await h.put('sealed')
    await h.deps.heads.commit('portal', 'sealed', (head) => {
      if (head === undefined) throw new Error('no head')
      return { ...head, state: 'sealed' }
    })
    for (const [method, url, body] of [
      ['PUT', '/v1/submissions/sealed', { profile: 'tiny@1', graceSeconds: 9 }],
      ['PATCH', '/v1/submissions/sealed/slots/plan', { metadata: { plannedMinutes: 5 } }],
    ] as const)
      expectProblem(await h.call(method, url, { body }), 'SUBMISSION_SEALED', { status: 409 })
    expectProblem(
      await h.call('POST', '/v1/submissions/sealed/tickets', { body: { slot: 'plan' } }),
      'SUBMISSION_SEALED',
    )
  })
})

describe('GET', () => {
  it('answers 304 if the client has the document', async () => {
    await h.put('cached')
    const first = await h.call('GET', '/v1/submissions/cached')
    const etag = String(first.headers['etag'])
    expect(etag).toMatch(/^W\/"\d+-[\w-]+"$/)
    const again = await h.call('GET', '/v1/submissions/cached', { headers: { 'if-none-match': etag } })
    expect([again.status, again.text]).toEqual([304, ''])
    const any = { headers: { 'if-none-match': '*' } }
    expect((await h.call('GET', '/v1/submissions/cached', any)).status).toBe(304)
    await h.beginUpload('cached', 'plan')
    const changed = await h.call('GET', '/v1/submissions/cached', {
      headers: { 'if-none-match': `"x", ${etag}` },
    })
    expect(changed.status).toBe(200)
    expect(changed.headers['etag']).not.toBe(etag)
  })

  it('shows a running upload in its slot, and its document on request', async () => {
    await h.put('expanded')
    const draft = await h.beginUpload('expanded', 'plan', { fingerprint: 'abc' })
    const plain = await h.call('GET', '/v1/submissions/expanded')
    expect(plain.body).not.toHaveProperty('uploads')
    expect(plain.body['slots']).toContainEqual(
      expect.objectContaining({ slot: 'plan', state: 'receiving', uploads: [draft.id] }),
    )
    const { body } = await h.call('GET', '/v1/submissions/expanded?expand=uploads')
    expect(body['uploads']).toEqual([
      expect.objectContaining({
        id: draft.id,
        state: 'receiving',
        url: `https://songngan.example/files/${draft.id}`,
        fingerprint: 'abc',
      }),
    ])
    expectProblem(await h.call('GET', '/v1/submissions/expanded?expand=all'), 'BAD_REQUEST')
  })

  it('answers only documented paths and methods', async () => {
    expectProblem(await h.call('GET', '/v1/nothing'), 'NOT_FOUND')
    const answer = await h.call('POST', '/v1/submissions/cached', { body: {} })
    expectProblem(answer, 'METHOD_NOT_ALLOWED')
    expect(String(answer.headers['allow']).split(', ')).toEqual(expect.arrayContaining(['PUT', 'GET', 'DELETE']))
  })
})

describe('PATCH of a slot', () => {
  const patch = (id: string, metadata: unknown, slot = 'plan') =>
    h.call('PATCH', `/v1/submissions/${id}/slots/${slot}`, { body: { metadata } })
  const fields = (body: Record<string, unknown>) =>
    (body['slots'] as { slot: string; metadata: unknown }[]).find(({ slot }) => slot === 'plan')?.metadata

  it('sets fields, keeps the others, clears with null', async () => {
    await h.put('patched')
    await patch('patched', { plannedMinutes: 50, workType: 'other' })
    const { status, body } = await patch('patched', { plannedMinutes: 60 })
    expect(status).toBe(200)
    expect(fields(body)).toEqual({ plannedMinutes: 60, workType: 'other' })
    expect(fields((await patch('patched', { workType: null })).body)).toEqual({ plannedMinutes: 60 })
    const versions = await versionsOf('patched')
    await patch('patched', { plannedMinutes: 60 })
    expect(await versionsOf('patched')).toBe(versions)
    expect(fields((await h.put('patched', { graceSeconds: 3 })).body)).toEqual({ plannedMinutes: 60 })
  })

  it('refuses what does not fit', async () => {
    await h.put('patched-badly')
    const broken = await patch('patched-badly', { plannedMinutes: 0, workType: 'poem', colour: 'red' })
    expectProblem(broken, 'SLOT_METADATA_INVALID', {
      details: {
        slot: 'plan',
        fields: [
          { name: 'plannedMinutes', rule: 'minimum' },
          { name: 'workType', rule: 'options' },
          { name: 'colour', rule: 'unknown' },
        ],
      },
    })
    expectProblem(await patch('patched-badly', {}, 'nothing'), 'SLOT_UNKNOWN', {
      details: { slot: 'nothing' },
    })
    expectProblem(await patch('never-made', {}), 'SUBMISSION_UNKNOWN')
    expectProblem(await patch('patched-badly', 'x'), 'BAD_REQUEST')
  })
})
