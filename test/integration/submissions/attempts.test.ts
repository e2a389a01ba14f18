// Every attempt is kept: beside requests that it must not hold up, through a Redis that goes away, in the store for good.

import Fastify from 'fastify'
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest'
import { portalApi } from '../../../src/api/routes.ts'
import { isoTime } from '../../../src/core/clock.ts'
import { AppError } from '../../../src/core/errors.ts'
import { connectRedis } from '../../../src/core/redis.ts'
import { type Attempt, AttemptJournal } from '../../../src/evidence/attempt-journal.ts'
import { Attempts, type NewAttempt } from '../../../src/evidence/attempts.ts'
import { objectKeys, redisKeys } from '../../../src/records/keys.ts'
import type { ObjectStore } from '../../../src/storage/object-store.ts'
import { openEnvironment, openStillEnvironment, PORTAL_KEY, type StillEnvironment } from '../../support/environment.ts'
import { waitFor } from '../../support/http.ts'
import { startTcpProxy } from '../../support/proxy.ts'
import { expectProblem } from './expect-problem.ts'

let h: StillEnvironment
beforeAll(async () => {
  h = await openStillEnvironment()
})
afterAll(async () => await h.close())

const attempt = (submissionId: string, more: Partial<NewAttempt> = {}): NewAttempt => ({
  owner: 'portal',
  submissionId,
  slot: 'plan',
  subject: 'ครู 1',
  declared: { filename: 'แผน.pdf', type: 'application/pdf', bytes: 1000 },
  outcome: 'refused',
  code: 'OVERLOADED',
  uploadId: null,
  ...more,
})

type Listed = { id: string; at: string; slot: string; code: string | null; receipt: string }
const listed = async (id: string, query = ''): Promise<Listed[]> => {
  const { body } = await h.call('GET', `/v1/submissions/${id}/attempts${query}`)
  return body['items'] as Listed[]
}
const inStore = async (id: string) => {
  const keys: string[] = []
  for await (const { key } of h.deps.store.list(objectKeys.attempts('portal', id))) keys.push(key)
  return keys
}
const inRedis = (id: string) => h.deps.redis.hot.llen(redisKeys.attempts('portal', id))
/** The store, and something that happens once just before an object is created. */
const whileCreating = (act: () => Promise<void>): ObjectStore => {
  let done = false
  return new Proxy(h.deps.store, {
    get(target, name) {
      const member: unknown = Reflect.get(target, name)
      if (name !== 'createIfAbsent') return typeof member === 'function' ? member.bind(target) : member
      return async (...args: Parameters<ObjectStore['createIfAbsent']>) => {
        if (!done) {
          done = true
          await act()
        }
        return await target.createIfAbsent(...args)
      }
    },
  })
}
const another = () => new Attempts({ ...h.deps, redis: h.deps.redis.hot })

describe('an attempt', () => {
  it('is listed with what was declared, why it was refused, and its signature', async () => {
    await h.put('a-1')
    h.deps.attempts.record(attempt('a-1'))
    h.clock.ms += 1000
    h.deps.attempts.record(attempt('a-1', { outcome: 'accepted', code: null, uploadId: 'u1' }))
    const items = await listed('a-1')
    expect(items).toEqual([
      {
        id: expect.any(String),
        at: isoTime(h.clock.ms - 1000),
        slot: 'plan',
        subject: 'ครู 1',
        declared: { filename: 'แผน.pdf', type: 'application/pdf', bytes: 1000 },
        outcome: 'refused',
        code: 'OVERLOADED',
        uploadId: null,
        receipt: expect.any(String),
      },
      expect.objectContaining({ outcome: 'accepted', code: null, uploadId: 'u1' }),
    ])
    const { claims } = await h.deps.receipts.verify({ receipt: items[0]?.receipt ?? '' })
    expect(claims).toMatchObject({
      kind: 'attempt',
      portal: 'portal',
      submission: 'a-1',
      slot: 'plan',
      at: items[0]?.at,
      outcome: 'refused',
      code: 'OVERLOADED',
      attempt: items[0]?.id,
    })
  })

  it('has the time of its start, not of its failure', async () => {
    await h.put('a-2')
    h.deps.attempts.record(attempt('a-2', { atMs: h.clock.ms - 20_000 }))
    expect((await listed('a-2'))[0]?.at).toBe(isoTime(h.clock.ms - 20_000))
  })

  it('without a submission is listed nowhere', async () => {
    h.deps.attempts.record({ ...attempt('none'), submissionId: null })
    expect(await h.deps.attempts.flush()).toBeGreaterThanOrEqual(0)
    expect(await inStore('null')).toEqual([])
  })

  it('is visible to every process', async () => {
    await h.put('a-3')
    another().record(attempt('a-3'))
    await waitFor(async () => (await listed('a-3')).length === 1, { what: 'the attempt of another process' })
  })

  it('is recorded for a ticket refused because of a system error, and for no other', async () => {
    await h.put('a-4', { deadline: isoTime(h.clock.ms + 60_000), graceSeconds: 600 })
    const app = Fastify()
    const heads = new Proxy(h.deps.heads, {
      get(target, name) {
        if (name === 'require')
          return async () => {
            throw new AppError('REDIS_UNAVAILABLE')
          }
        const member: unknown = Reflect.get(target, name)
        return typeof member === 'function' ? member.bind(target) : member
      },
    })
    await portalApi(app, { ...h.deps, heads })
    const response = await app.inject({
      method: 'POST',
      url: '/v1/submissions/a-4/tickets',
      payload: { slot: 'plan', subject: 'ครู 4' },
      headers: { authorization: `Bearer ${PORTAL_KEY}` },
    })
    await app.close()
    expect(response.statusCode).toBeGreaterThanOrEqual(500)
    await h.call('POST', '/v1/submissions/a-4/tickets', { body: { slot: 'nothing' } })
    expect(await listed('a-4')).toMatchObject([{ code: 'REDIS_UNAVAILABLE', slot: 'plan', subject: 'ครู 4' }])
    h.clock.ms += 120_000
    expect((await h.call('POST', '/v1/submissions/a-4/tickets', { body: { slot: 'plan' } })).status).toBe(201)
  })
})

describe('the list', () => {
  it('is paginated, and can be limited to one slot', async () => {
    await h.put('l-1')
    for (const slot of ['plan', 'extras', 'plan', 'plan']) {
      h.clock.ms += 10
      h.deps.attempts.record(attempt('l-1', { slot }))
    }
    const all = await listed('l-1')
    expect(all.map(({ slot }) => slot)).toEqual(['plan', 'extras', 'plan', 'plan'])
    const first = await h.call('GET', '/v1/submissions/l-1/attempts?slot=plan&limit=2')
    const next = String(first.body['nextCursor'])
    const second = await h.call('GET', `/v1/submissions/l-1/attempts?slot=plan&limit=2&cursor=${next}`)
    const ids = [first, second].flatMap(({ body }) => (body['items'] as Listed[]).map(({ id }) => id))
    expect(ids).toEqual([0, 2, 3].map((i) => all[i]?.id))
    expect(second.body['nextCursor']).toBeNull()
    expectProblem(await h.call('GET', '/v1/submissions/l-1/attempts?cursor=no'), 'CURSOR_INVALID')
    expectProblem(await h.call('GET', '/v1/submissions/never/attempts'), 'SUBMISSION_UNKNOWN')
  })

  it('is readable by its portal, and by a session with the right to read', async () => {
    await h.put('l-2')
    const reader = await h.session('l-2', { can: ['read'] })
    const uploader = await h.session('l-2', { can: ['upload'] })
    const list = (token: string) => h.call('GET', '/v1/submissions/l-2/attempts', { token })
    expect((await list(reader)).body).toEqual({ items: [], nextCursor: null })
    expectProblem(await list(uploader), 'SESSION_SCOPE')
  })
})

describe('the store', () => {
  it('has every attempt after a minute, even if Redis is lost', async () => {
    await h.put('f-1')
    for (let i = 0; i < 5; i++) h.deps.attempts.record(attempt('f-1'))
    const before = await listed('f-1')
    expect(before).toHaveLength(5)
    expect(await h.deps.attempts.flush()).toBeGreaterThanOrEqual(5)
    expect([await inRedis('f-1'), (await inStore('f-1')).length]).toEqual([0, 1])
    h.clock.ms += 1000
    h.deps.attempts.record(attempt('f-1', { code: 'NO_SPACE' }))
    await waitFor(async () => (await inRedis('f-1')) === 1, { what: 'the sixth attempt in Redis' })
    await h.deps.attempts.flush()
    h.deps.attempts.record(attempt('f-1', { code: 'DRAINING' }))
    await waitFor(async () => (await inRedis('f-1')) === 1, { what: 'the seventh attempt in Redis' })
    await h.deps.redis.hot.flushall()
    const after = await listed('f-1')
    expect(after.map(({ id }) => id).slice(0, 5)).toEqual(before.map(({ id }) => id))
    expect(after.slice(5).map(({ code }) => code)).toEqual(['NO_SPACE'])
  })

  it('is written once, though many processes write', async () => {
    await h.put('f-2')
    const processes = Array.from({ length: 4 }, another)
    for (const process of processes) process.record(attempt('f-2'))
    await waitFor(async () => (await inRedis('f-2')) === 4, { what: 'four attempts in Redis' })
    const written = await Promise.all(processes.map((process) => process.flush()))
    expect(written.reduce((sum, count) => sum + count, 0)).toBe(4)
    expect(await inStore('f-2')).toHaveLength(1)
  })

  it('lists an attempt once even if it was written twice', async () => {
    await h.put('f-3')
    h.deps.attempts.record(attempt('f-3'))
    await waitFor(async () => (await inRedis('f-3')) === 1, { what: 'the attempt in Redis' })
    const line = (await h.deps.redis.hot.lindex(redisKeys.attempts('portal', 'f-3'), 0)) ?? ''
    await h.deps.attempts.flush()
    // As where a process dies after the object and before the list.
    await h.deps.redis.hot.rpush(redisKeys.attempts('portal', 'f-3'), line)
    expect(await listed('f-3')).toHaveLength(1)
    await h.deps.redis.hot.zadd('sn:due-attempts', 0, 'portal/f-3')
    await h.deps.attempts.flush()
    expect(await inStore('f-3')).toHaveLength(2)
    expect(await listed('f-3')).toHaveLength(1)
  })

  it('keeps attempts that arrive during the write', async () => {
    await h.put('f-4')
    h.deps.attempts.record(attempt('f-4', { code: 'DRAINING' }))
    await waitFor(async () => (await inRedis('f-4')) === 1, { what: 'the attempt in Redis' })
    const store = whileCreating(async () => {
      another().record(attempt('f-4', { code: 'NO_SPACE' }))
      await waitFor(async () => (await inRedis('f-4')) === 2, { what: 'an attempt meanwhile' })
    })
    await new Attempts({ ...h.deps, redis: h.deps.redis.hot, store }).flush()
    expect(await inRedis('f-4')).toBe(1)
    h.clock.ms += 1000
    await h.deps.attempts.flush()
    expect((await listed('f-4')).map(({ code }) => code).sort()).toEqual(['DRAINING', 'NO_SPACE'])
    expect(await inRedis('f-4')).toBe(0)
  })

  it('loses nothing if two processes write the same attempts', async () => {
    await h.put('f-7')
    const of = { owner: 'portal', submissionId: 'f-7' }
    const line = (id: string) => ({ ...attempt('f-7'), id, at: isoTime(h.clock.ms) }) as unknown as Attempt
    const second = new AttemptJournal({ redis: h.deps.redis.hot, store: h.deps.store })
    await second.append(of, [line('first')], h.clock.ms)
    const store = whileCreating(async () => {
      await second.moveToStore(of, h.clock.ms)
      await second.append(of, [line('second')], h.clock.ms)
    })
    await new AttemptJournal({ redis: h.deps.redis.hot, store }).moveToStore(of, h.clock.ms)
    expect((await listed('f-7')).map(({ id }) => id).sort()).toEqual(['first', 'second'])
    expect(await h.deps.redis.hot.zscore('sn:due-attempts', 'portal/f-7')).not.toBeNull()
  })

  it('gets attempts that Redis cannot store, without delaying the request', async () => {
    await h.put('f-5')
    const nowhere = connectRedis('redis://127.0.0.1:1', 'producer', h.deps.logger)
    const cutOff = new Attempts({ ...h.deps, redis: nowhere })
    // There is nothing that a request could wait for.
    for (let i = 0; i < 3; i++) expect(cutOff.record(attempt('f-5', { code: 'REDIS_UNAVAILABLE' }))).toBeUndefined()
    await cutOff.stop()
    nowhere.disconnect()
    expect((await listed('f-5')).map(({ code }) => code)).toEqual(Array(3).fill('REDIS_UNAVAILABLE'))
  })

  /** Another process, whose Redis is away altogether: for attempts, heads and everything else. */
  async function cutOff() {
    const proxy = await startTcpProxy(h.redis.url)
    const { redis, dataDir, clock } = h
    const stack = await openEnvironment({ redis, dataDir, clock, redisUrl: proxy.url, listens: false })
    onTestFinished(async () => {
      proxy.reset()
      await stack.leave()
      await proxy.stop()
    })
    proxy.set({ refuse: true })
    proxy.cut()
    await waitFor(() => stack.deps.redis.hot.status !== 'ready', { what: 'the connection to be lost' })
    return { attempts: stack.deps.attempts, end: () => proxy.reset() }
  }
  const counted = async (id: string) =>
    ((await listed(id)) as (Listed & { count?: number })[]).reduce((sum, { count = 1 }) => sum + count, 0)

  it('gets them when the process ends during an outage of Redis', async () => {
    await h.put('o-1')
    const { attempts } = await cutOff()
    for (let i = 0; i < 30; i++) attempts.record(attempt('o-1', { code: 'REDIS_UNAVAILABLE' }))
    await attempts.stop()
    expect(await counted('o-1')).toBe(30)
  })

  it('gets them within a minute of such an outage', async () => {
    await h.put('o-2')
    const { attempts, end } = await cutOff()
    for (let i = 0; i < 5; i++) attempts.record(attempt('o-2', { code: 'REDIS_UNAVAILABLE' }))
    // It goes on with those of other processes, which wait in Redis.
    const flushed = attempts.flush()
    await waitFor(async () => (await counted('o-2')) === 5, { what: 'the attempts in the store' })
    end()
    await flushed
    expect(await counted('o-2')).toBe(5)
  })

  it('gets the others where those of one submission cannot be written', async () => {
    for (const id of ['o-3', 'o-4', 'o-5']) await h.put(id)
    let refused = 0
    const store = new Proxy(h.deps.store, {
      get(target, name) {
        const member: unknown = Reflect.get(target, name)
        if (name !== 'createIfAbsent') return typeof member === 'function' ? member.bind(target) : member
        return async (key: string, body: Buffer) => {
          if (key.startsWith(objectKeys.attempts('portal', 'o-3')) && refused++ === 0)
            throw new AppError('STORE_UNAVAILABLE')
          return await target.createIfAbsent(key, body)
        }
      },
    })
    const nowhere = connectRedis('redis://127.0.0.1:1', 'producer', h.deps.logger)
    const attempts = new Attempts({ ...h.deps, redis: nowhere, store })
    for (const id of ['o-3', 'o-4', 'o-5']) attempts.record(attempt(id))
    await expect(attempts.stop()).rejects.toMatchObject({ code: 'STORE_UNAVAILABLE' })
    expect([await counted('o-3'), await counted('o-4'), await counted('o-5')]).toEqual([0, 1, 1])
    await attempts.stop()
    nowhere.disconnect()
    expect([await counted('o-3'), await counted('o-4'), await counted('o-5')]).toEqual([1, 1, 1])
  })

  it('is not filled by endless attempts of one person', async () => {
    await h.put('f-6')
    for (let i = 0; i < 1100; i++) h.deps.attempts.record(attempt('f-6', { outcome: 'accepted', code: null }))
    await waitFor(async () => (await inRedis('f-6')) === 1000, { what: 'a thousand attempts' })
    await waitFor(() => h.lines.some((line) => line.includes('some were dropped')), { what: 'a line that says so' })
  })
})

describe('endless refused attempts of one person', () => {
  type Counted = Listed & { count?: number }

  it('are stored as a few attempts and a count, signed', async () => {
    await h.put('n-1')
    for (let i = 0; i < 1000; i++) h.deps.attempts.record(attempt('n-1', { code: 'RATE_LIMITED' }))
    for (let i = 0; i < 5; i++) h.deps.attempts.record(attempt('n-1', { code: 'SLOT_FULL', slot: 'extras' }))
    h.deps.attempts.record(attempt('n-1', { subject: 'ครู 2' }))
    await waitFor(async () => (await inRedis('n-1')) === 16, {
      what: 'ten attempts, five for another slot, and that of another person',
    })
    await h.deps.attempts.flush()
    expect(await listed('n-1')).toHaveLength(16)
    h.clock.ms += 61_000
    await h.deps.attempts.flush()
    const all = (await listed('n-1')) as Counted[]
    const sums = all.filter(({ count }) => count !== undefined)
    expect(sums.map(({ code, slot, count }) => ({ code, slot, count }))).toEqual([
      { code: 'RATE_LIMITED', slot: 'plan', count: 990 },
    ])
    expect(all).toHaveLength(17)
    const answer = await h.call('POST', '/v1/receipts/verify', { body: { receipt: sums[0]?.receipt } })
    expect(answer.body).toMatchObject({ valid: true, claims: { kind: 'attempt', count: sums[0]?.count } })
  })

  // While nobody can look up a submission, a page may name any slot.
  it('are a few attempts and a count too where each names another slot', async () => {
    await h.put('n-3')
    const process = another()
    for (let i = 0; i < 3000; i++) process.record(attempt('n-3', { slot: `slot_${i}`, code: 'REDIS_UNAVAILABLE' }))
    process.record(attempt('n-3', { slot: 'slot_0', code: 'REDIS_UNAVAILABLE' }))
    await process.stop()
    const all = (await listed('n-3', '?limit=200')) as Counted[]
    expect(all).toHaveLength(112)
    expect(all.reduce((sum, { count = 1 }) => sum + count, 0)).toBe(3001)
    expect(all.filter(({ slot }) => slot === 'slot_0')).toHaveLength(2)
    expect(all.filter(({ count }) => count !== undefined)).toMatchObject([{ slot: null, count: 2890 }])
  })

  it('are all kept if the process ends within the minute', async () => {
    await h.put('n-2')
    const process = another()
    for (let i = 0; i < 50; i++) process.record(attempt('n-2'))
    await process.stop()
    const all = (await listed('n-2')) as Counted[]
    expect(all.reduce((sum, { count = 1 }) => sum + count, 0)).toBe(50)
  })
})

describe('a long journal', () => {
  const of = { owner: 'portal', submissionId: 'j-1' }
  const read = (names: string[]) =>
    new Proxy(h.deps.store, {
      get(target, name) {
        const member: unknown = Reflect.get(target, name)
        if (name !== 'read') return typeof member === 'function' ? member.bind(target) : member
        return async (key: string) => {
          names.push(key)
          return await target.read(key)
        }
      },
    })

  it('is read no further than its page, also if older objects overlap', async () => {
    await h.put('j-1')
    const start = h.clock.ms
    const line = (ms: number) => ({ ...attempt('j-1'), id: `at-${ms}`, at: isoTime(start + ms) }) as unknown as Attempt
    const journal = new AttemptJournal({ redis: h.deps.redis.hot, store: h.deps.store })
    for (let minute = 0; minute < 20; minute++) {
      const from = minute * 60_000
      await journal.write(of, [line(from), line(from + 90_000 - 1)])
    }
    // As an earlier version wrote it: without the time of its last attempt.
    const name = `${objectKeys.attempts('portal', 'j-1')}${String(start + 30_000).padStart(14, '0')}-old.json`
    const old = { schema: 1, attempts: [line(30_000), line(600_001)] }
    await h.deps.store.createIfAbsent(name, Buffer.from(JSON.stringify(old)))
    const names: string[] = []
    const attempts = new Attempts({ ...h.deps, redis: h.deps.redis.hot, store: read(names) })
    const ask = async (after: string, limit: number) =>
      await attempts.page('portal', 'j-1', { after, slot: undefined, limit })
    const first = await ask('', 1)
    expect(first.items.map(({ id }) => id)).toEqual(['at-0'])
    expect(names.length).toBeLessThanOrEqual(2)
    const ids: string[] = []
    for (let after: string | null = ''; after !== null; ) {
      const page = await ask(after, 7)
      ids.push(...page.items.map(({ id }) => id))
      after = page.nextCursor
    }
    const all = [...Array(20).keys()].flatMap((m) => [m * 60_000, m * 60_000 + 89_999])
    const expected = [...all, 30_000, 600_001].toSorted((a, b) => a - b).map((ms) => `at-${ms}`)
    expect(ids).toEqual(expected)
    names.length = 0
    await ask(`${isoTime(start + 19 * 60_000)} zzz`, 1)
    expect(names.length).toBeLessThanOrEqual(4)
  })
})

describe('attempted in time', () => {
  it('is found in memory, in Redis and in the store, for that slot and until that moment', async () => {
    await h.put('t-1')
    const { attempts } = h.deps
    const at = h.clock.ms
    const asked = (slot: string, ms: number) => attempts.attemptedBy('portal', 't-1', slot, ms)
    attempts.record(attempt('t-1'))
    const found = async () =>
      await Promise.all([asked('plan', at), asked('plan', at - 1), asked('extras', at), asked('plan', at + 9)])
    expect(await found()).toEqual([true, false, false, true])
    await waitFor(async () => (await inRedis('t-1')) === 1, { what: 'the attempt in Redis' })
    expect(await found()).toEqual([true, false, false, true])
    await attempts.flush()
    await h.deps.redis.hot.flushall()
    expect(await found()).toEqual([true, false, false, true])
    expect(await attempts.attemptedBy('other', 't-1', 'plan', at)).toBe(false)
  })
})
