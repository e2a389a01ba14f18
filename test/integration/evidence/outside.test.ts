// What was seen from outside: probes that file outages, pages that file what they tried, and what everybody may ask.

import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { isoTime } from '../../../src/core/clock.ts'
import { openStillEnvironment, PORTAL_KEY, type StillEnvironment } from '../../support/environment.ts'

const MINUTE = 60_000
const PROBE = 'bangkok:probe-secret-0123456789'

let h: StillEnvironment
beforeAll(async () => {
  h = await openStillEnvironment({ PROBE_KEYS: PROBE })
})
afterAll(async () => await h.close())

const file = (outages: object[], token: string | null = PROBE) =>
  h.call('POST', '/v1/outages', { body: { outages }, ...(token === null ? {} : { token }) })
const claim = (id: string, attempts: object[], token?: string) =>
  h.call('POST', `/v1/submissions/${id}/attempts`, { body: { attempts }, ...(token === undefined ? {} : { token }) })
const entry = (fromMs: number, toMs: number, reason = 'certificate: CERT_HAS_EXPIRED') => ({
  from: isoTime(fromMs),
  to: isoTime(toMs),
  reason,
})
type Item = Record<string, unknown>
const items = (body: Record<string, unknown>) => body['items'] as Item[]

describe('a probe', () => {
  it('files what it saw, once, with its name and what it got', async () => {
    const [fromMs, toMs] = [h.clock.ms - 30 * MINUTE, h.clock.ms - 20 * MINUTE]
    const first = await file([entry(fromMs, toMs)])
    expect(first.status).toBe(200)
    const [{ id, noted } = {}] = items(first.body)
    expect([noted, id]).toEqual([true, expect.stringMatching(/^\d{8}T\d{6}Z-outside-bangkok$/)])
    expect(items((await file([entry(fromMs, toMs + MINUTE)])).body)).toEqual([{ id, noted: false }])
    expect(await h.deps.outages.find(String(id))).toMatchObject({
      seenBy: 'probe',
      probe: 'bangkok',
      reason: 'certificate: CERT_HAS_EXPIRED',
      to: isoTime(toMs),
    })
  })

  it.each([
    ['the future', MINUTE, 2 * MINUTE],
    ['an end before its beginning', -MINUTE, -2 * MINUTE],
    ['a month ago', -32 * 24 * 60 * MINUTE, -MINUTE],
  ])('does not file %s', async (_what, from, to) => {
    const before = (await h.deps.outages.list()).length
    const answer = await file([
      entry(h.clock.ms - 90 * MINUTE, h.clock.ms - 80 * MINUTE),
      entry(h.clock.ms + from, h.clock.ms + to),
    ])
    expect([answer.status, answer.body['code']]).toEqual([400, 'BAD_REQUEST'])
    expect(await h.deps.outages.list()).toHaveLength(before)
  })

  it('has a key that opens nothing else, and no other key opens its door', async () => {
    await h.put('door')
    expect((await h.call('GET', '/v1/submissions/door', { token: PROBE })).status).toBe(401)
    expect((await h.call('GET', '/v1/submissions/door', { token: 'probe-secret-0123456789' })).status).toBe(401)
    const one = [entry(h.clock.ms - 2 * MINUTE, h.clock.ms - MINUTE)]
    for (const token of [PORTAL_KEY, 'bangkok:wrong', 'probe-secret-0123456789', await h.session('door')])
      expect((await file(one, token)).body['code']).toBe('API_KEY_INVALID')
  })
})

describe('a claimed attempt', () => {
  const DEADLINE = 10 * MINUTE
  /** A submission whose deadline is in ten minutes, with half an hour of grace. */
  const open = async (id: string) => {
    const deadlineMs = h.clock.ms + DEADLINE
    await h.put(id, { deadline: isoTime(deadlineMs), graceSeconds: 1800 })
    return { deadlineMs, token: await h.session(id, { can: ['read', 'upload'] }) }
  }
  const ticket = async (id: string, slot: string, token: string) =>
    (await h.call('POST', `/v1/submissions/${id}/tickets`, { body: { slot }, token })).status
  const at = (ms: number, slot = 'plan') => ({ at: isoTime(ms), slot, code: 'NO_ANSWER' })

  it('within an outage of the ledger gives grace, for that slot alone', async () => {
    const { deadlineMs, token } = await open('c-1')
    h.clock.ms = deadlineMs + MINUTE
    await file([entry(deadlineMs - 8 * MINUTE, deadlineMs - 2 * MINUTE)])
    expect(await ticket('c-1', 'plan', token)).toBe(403)
    const answer = await claim('c-1', [at(deadlineMs - 5 * MINUTE)], token)
    expect(items(answer.body)).toEqual([
      {
        at: isoTime(deadlineMs - 5 * MINUTE),
        slot: 'plan',
        kept: true,
        counts: true,
        code: 'CLAIM_COUNTS',
        outage: expect.stringContaining('-outside-bangkok'),
      },
    ])
    expect([await ticket('c-1', 'plan', token), await ticket('c-1', 'extras', token)]).toEqual([201, 403])
  })

  it('outside of any outage is kept and does not count, until an outage is noted', async () => {
    const { deadlineMs, token } = await open('c-2')
    h.clock.ms = deadlineMs + MINUTE
    const claimed = at(deadlineMs - 5 * MINUTE)
    expect(items((await claim('c-2', [claimed], token)).body)).toMatchObject([
      { kept: true, counts: false, code: 'CLAIM_OUTSIDE_OUTAGE', outage: null },
    ])
    expect(await ticket('c-2', 'plan', token)).toBe(403)
    await h.deps.attempts.flush()
    await file([entry(deadlineMs - 6 * MINUTE, deadlineMs - 4 * MINUTE)])
    expect(await ticket('c-2', 'plan', token)).toBe(201)
  })

  it('after the deadline does not count, also in an outage', async () => {
    const { deadlineMs, token } = await open('c-3')
    h.clock.ms = deadlineMs + 5 * MINUTE
    await file([entry(deadlineMs - 3 * MINUTE, deadlineMs + 3 * MINUTE)])
    expect(items((await claim('c-3', [at(deadlineMs + 1000)], token)).body)).toMatchObject([{ counts: true }])
    expect(await ticket('c-3', 'plan', token)).toBe(403)
  })

  it.each([
    ['of the future', 'CLAIM_IN_FUTURE', 5 * MINUTE, 'plan'],
    ['of long ago', 'CLAIM_TOO_OLD', -32 * 24 * 60 * MINUTE, 'plan'],
    ['for a slot that there is not', 'CLAIM_SLOT_UNKNOWN', -MINUTE, 'nothing'],
  ])('%s is not kept', async (_what, code, ms, slot) => {
    const id = `r-${slot}-${code.length}`
    await h.put(id)
    const answer = await claim(id, [at(h.clock.ms + ms, slot)])
    expect([answer.status, items(answer.body)]).toEqual([
      200,
      [{ at: isoTime(h.clock.ms + ms), slot, kept: false, counts: false, code, outage: null }],
    ])
    expect(items((await h.call('GET', `/v1/submissions/${id}/attempts`)).body)).toEqual([])
  })

  it('is listed as what it is, signed, once however often it is filed, one a minute', async () => {
    await h.put('c-4')
    const ms = Math.floor(h.clock.ms / MINUTE) * MINUTE - 10 * MINUTE
    const tries = [at(ms), at(ms + 20_000), at(ms + 70_000), at(ms, 'extras')]
    await claim('c-4', tries)
    h.clock.ms += MINUTE
    await claim('c-4', tries)
    const listed = items((await h.call('GET', '/v1/submissions/c-4/attempts')).body)
    expect(listed.map(({ at: when, slot }) => [Date.parse(String(when)) - ms, slot])).toEqual(
      expect.arrayContaining([
        [20_000, 'plan'],
        [70_000, 'plan'],
        [0, 'extras'],
      ]),
    )
    expect(listed).toHaveLength(3)
    expect(listed[0]).toMatchObject({
      outcome: 'claimed',
      code: 'NO_ANSWER',
      outage: null,
      filedAt: expect.any(String),
    })
    const { claims } = await h.deps.receipts.verify({ receipt: String(listed[0]?.['receipt']) })
    expect(claims).toMatchObject({ kind: 'attempt', outcome: 'claimed', at: listed[0]?.['at'] })
  })

  it('needs the right to upload, and a body that is one', async () => {
    await h.put('c-5')
    const one = [at(h.clock.ms - MINUTE)]
    expect((await claim('c-5', one, await h.session('c-5', { can: ['read'] }))).body['code']).toBe('SESSION_SCOPE')
    const wrong = [
      [],
      [{ ...one[0], code: 'no answer' }],
      [{ at: 'yesterday', slot: 'plan', code: 'X' }],
      Array(51).fill(one[0]),
    ]
    for (const attempts of wrong) expect((await claim('c-5', attempts)).body['code']).toBe('BAD_REQUEST')
  })
})

describe('the status', () => {
  const status = () => h.call('GET', '/v1/status', { token: '' })

  it('is public, may be cached, and says what is known without naming anybody', async () => {
    await file([entry(h.clock.ms - 5 * MINUTE, h.clock.ms - 4 * MINUTE)])
    const answer = await status()
    expect([answer.status, answer.headers['cache-control']]).toEqual([200, 'public, max-age=10, stale-if-error=600'])
    expect(answer.body).toMatchObject({ status: 'open', affected: null, reason: null, at: isoTime(h.clock.ms) })
    const [latest = {}] = answer.body['outages'] as Item[]
    expect(Object.keys(latest)).toEqual(['id', 'from', 'to', 'affected'])
    expect(latest['from']).toBe(isoTime(h.clock.ms - 5 * MINUTE))
  })

  it('says that new uploads are closed, and why', async () => {
    h.deps.admission.setClosed({ reason: 'ย้ายเครื่อง', retryAfterSeconds: 60 })
    const fresh = await h.deps.presentState.look()
    h.deps.admission.setClosed(null)
    expect(fresh).toEqual({ affected: 'creations', reason: 'ย้ายเครื่อง' })
  })

  it('lists nothing that is more than seven days ago', async () => {
    h.clock.ms += 8 * 24 * 60 * MINUTE
    expect((await status()).body['outages']).toEqual([])
  })
})
