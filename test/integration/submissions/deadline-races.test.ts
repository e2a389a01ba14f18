// What happens in the moment in which a submission is handed in by itself: its deadline is moved, its portal seals it, a verdict
// comes, its process dies, another service takes part. And that no clock but that of Redis ends anybody's time.

import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest'
import { isoTime } from '../../../src/core/clock.ts'
import { AFTER_CLOSE_MS } from '../../../src/records/deadline-steps.ts'
import { objectKeys, redisKeys } from '../../../src/records/keys.ts'
import { DeadlineWork } from '../../../src/submissions/deadlines/deadline-work.ts'
import { settleEndOfTime } from '../../../src/submissions/deadlines/end-of-time.ts'
import type { SealDeps } from '../../../src/submissions/seal.ts'
import { openStillEnvironment, type StillEnvironment } from '../../support/environment.ts'
import { reached } from '../../support/records.ts'
import { expectProblem } from './expect-problem.ts'

const HOUR_MS = 3_600_000

let h: StillEnvironment
beforeAll(async () => {
  h = await openStillEnvironment()
})
afterAll(async () => await h.close())

const put = (id: string, deadline = isoTime(h.clock.ms + HOUR_MS)) =>
  h.call('PUT', `/v1/submissions/${id}`, { body: { profile: 'tiny@1', deadline, sealAtDeadline: true } })
const head = async (id: string) => await h.deps.heads.require('portal', id)
const scoreOf = async (id: string) => Number(await h.deps.redis.hot.zscore(redisKeys.dueDates, `portal/${id}`))
const told = async (id: string) =>
  (await h.eventsOf(id)).filter(({ type }) => type.startsWith('submission.')).map(({ type }) => type)

/** A complete one, whose time is over; nobody has looked at it. */
const ended = async (id: string) => {
  await put(id)
  const plan = await h.acceptedUpload(id, 'plan')
  h.clock.ms += HOUR_MS + AFTER_CLOSE_MS
  return plan
}

/** Closes it, and does something once between the look at the uploads and the commit. */
async function closeWhile(id: string, act: () => Promise<unknown>): Promise<void> {
  let done = false
  const nextSequence = async (...args: Parameters<SealDeps['heads']['nextSequence']>) => {
    const next = await h.deps.heads.nextSequence(...args)
    if (!done) {
      done = true
      await act()
    }
    return next
  }
  const heads = new Proxy(h.deps.heads, {
    get(target, name) {
      if (name === 'nextSequence') return nextSequence
      const member: unknown = Reflect.get(target, name)
      return typeof member === 'function' ? member.bind(target) : member
    },
  })
  await settleEndOfTime({ ...h.deps, heads }, await heads.require('portal', id))
  expect(done).toBe(true)
}

describe('while it is sealed', () => {
  it('a deadline that is moved first counts: it is not sealed, and is at the new one', async () => {
    await ended('m-1')
    await closeWhile('m-1', async () => expect((await put('m-1')).status).toBe(200))
    expect((await head('m-1')).state).toBe('open')
    expect(await scoreOf('m-1')).toBeLessThanOrEqual(h.clock.ms + HOUR_MS + AFTER_CLOSE_MS)
    await h.deps.deadlineWork.run()
    expect((await head('m-1')).state).toBe('open')
    h.clock.ms += HOUR_MS + AFTER_CLOSE_MS
    await h.deps.deadlineWork.run()
    expect((await head('m-1')).state).toBe('sealed')
  })

  it('a deadline that is moved second is refused', async () => {
    await ended('m-2')
    await h.deps.deadlineWork.run()
    expectProblem(await put('m-2'), 'SUBMISSION_SEALED', { status: 409 })
  })

  it('of both at once one wins, and all agree', async () => {
    for (let i = 0; i < 10; i++) {
      const id = `m-3-${i}`
      await ended(id)
      const [moved] = await Promise.all([put(id), h.deps.deadlineWork.run()])
      expect([moved.status, (await head(id)).state]).toEqual(moved.status === 200 ? [200, 'open'] : [409, 'sealed'])
      expect((await told(id)).filter((type) => type === 'submission.sealed')).toHaveLength(moved.status === 200 ? 0 : 1)
    }
  })

  it('a portal that seals it in the same second is answered as ever, and there is one seal', async () => {
    for (let i = 0; i < 10; i++) {
      const id = `p-${i}`
      await ended(id)
      const [answer] = await Promise.all([
        h.call('POST', `/v1/submissions/${id}/seal`),
        h.deps.deadlineWork.run(),
        h.deps.deadlineWork.look('portal', id),
      ])
      expect(answer).toMatchObject({ status: 200, body: { state: 'sealed', revision: 1 } })
      const sealed = (await h.eventsOf(id)).filter(({ type }) => type === 'submission.sealed')
      expect(sealed.map(({ data }) => data.by)).toEqual([(await head(id)).revisions[0]?.sealedBy])
      const seals = (await h.deps.heads.versions('portal', id)).filter(({ event }) => event === 'submission.sealed')
      expect(seals).toHaveLength(1)
    }
  })

  it('a rejection that is committed first is seen; one that is second changes nothing', async () => {
    const first = await ended('v-1')
    const reject = async (id: string) => {
      await h.deps.uploads.commit(id, (current) => current && reached(current, 'rejected'))
      // What a worker does after a verdict that takes an acceptance back: the head is written, or has the seal.
      await h.call('PATCH', '/v1/submissions/v-1/slots/plan', { body: { metadata: { plannedMinutes: 9 } } })
    }
    await closeWhile('v-1', () => reject(first.id))
    expect(await head('v-1')).toMatchObject({ state: 'open', lapsed: { missing: ['plan'] } })
    const second = await ended('v-2')
    await h.deps.deadlineWork.run()
    await h.deps.uploads.commit(second.id, (current) => current && reached(current, 'rejected'))
    const { body } = await h.call('GET', '/v1/submissions/v-2')
    expect(body).toMatchObject({ state: 'sealed', complete: true, revisions: [{ uploads: { plan: [second.id] } }] })
  })

  it('a file that begins to be checked is waited for', async () => {
    const old = await ended('v-3')
    const next = await h.beginUpload('v-3', 'plan', { replaces: old.id })
    await closeWhile('v-3', async () => {
      // Stored in time, by a process that was slow to say so.
      await h.receiveBytes(next, 1000)
      const storedAt = isoTime(Date.parse((await head('v-3')).deadline ?? ''))
      await h.deps.uploads.commit(next.id, (current) => current && { ...reached(current, 'stored'), storedAt })
      await h.deps.hot.end(next.id, 'stored', 60_000)
      await h.call('PATCH', '/v1/submissions/v-3/slots/plan', { body: { metadata: { plannedMinutes: 9 } } })
    })
    expect((await head('v-3')).state).toBe('open')
    await h.judgeUpload(next.id, 'accepted')
    expect(await head('v-3')).toMatchObject({ state: 'sealed', revisions: [{ uploads: { plan: [next.id] } }] })
  })
})

describe('a process that dies', () => {
  it('after its lease: another looks as soon as the lease is over', async () => {
    await ended('k-1')
    const leased = await h.deps.index.dueDates.lease(h.clock.ms, 100)
    expect(leased.map(({ submissionId }) => submissionId)).toContain('k-1')
    expect(await h.deps.deadlineWork.run()).toBe(0)
    h.clock.ms += 15_000
    await h.deps.deadlineWork.run()
    expect((await head('k-1')).state).toBe('sealed')
  })

  it('between the commit of another date and its place in the index: its intent makes another look', async () => {
    await put('k-2', isoTime(h.clock.ms + 24 * HOUR_MS))
    await h.acceptedUpload('k-2', 'plan')
    const current = await head('k-2')
    await h.deps.index.dueDates.intend('portal', 'k-2', h.clock.ms)
    const deadline = isoTime(h.clock.ms + HOUR_MS)
    const next = { ...current, version: current.version + 1, nonce: 'n', committedAt: isoTime(h.clock.ms), deadline }
    const key = `${objectKeys.submission('portal', 'k-2')}${String(next.version).padStart(6, '0')}.json`
    await h.deps.store.createIfAbsent(key, Buffer.from(JSON.stringify(next)))
    h.clock.ms += 60_000
    await h.deps.deadlineWork.run()
    h.clock.ms += HOUR_MS
    await h.deps.deadlineWork.run()
    expect((await head('k-2')).state).toBe('sealed')
    expect((await h.deps.redis.hot.zrange(redisKeys.dueDates, 0, -1)).filter((name) => name.includes('k-2'))).toEqual(
      [],
    )
  })

  it('right after its seal: the seal is told by another, once, and the unfinished uploads end', async () => {
    await ended('k-3')
    const draft = await h.beginUpload('k-3', 'extras')
    const current = await head('k-3')
    const at = isoTime(h.clock.ms)
    const revisions = [{ revision: 1, sealedAt: at, sealedBy: 'deadline', uploads: {} }]
    const sequence = await h.deps.heads.nextSequence('portal', 'k-3')
    const next = { ...current, version: current.version + 1, nonce: 'n', committedAt: at, sequence, revisions }
    const sealed = { ...next, state: 'sealed', event: 'submission.sealed' }
    const key = `${objectKeys.submission('portal', 'k-3')}${String(next.version).padStart(6, '0')}.json`
    await h.deps.store.createIfAbsent(key, Buffer.from(JSON.stringify(sealed)))
    await h.deps.deadlineWork.run()
    await h.deps.deadlineWork.look('portal', 'k-3')
    expect(await told('k-3')).toEqual(['submission.complete', 'submission.sealed'])
    await h.deps.index.setSubmissionDue('portal', 'k-3', h.clock.ms)
    await h.deps.reconciler.tick()
    expect((await h.deps.hot.read(draft.id))?.status).toBe('cancelled')
  })
})

describe('a date that is moved while somebody looks', () => {
  it('stays in the index where the look would have put a later one', async () => {
    const { dueDates } = h.deps.index
    await dueDates.lower('portal', 'i-1', h.clock.ms)
    const [leased] = await dueDates.lease(h.clock.ms, 10)
    if (leased === undefined) throw new Error('nothing was due')
    // By a commit whose next step is later than the end of the lease, but earlier than what was read before.
    await dueDates.lower('portal', 'i-1', h.clock.ms + HOUR_MS)
    await dueDates.release(leased, h.clock.ms + 9 * HOUR_MS)
    expect(await scoreOf('i-1')).toBeLessThan(h.clock.ms + HOUR_MS)
    await dueDates.forget('portal', 'i-1')
  })

  it('and is not lost where the look would have ended it', async () => {
    const { dueDates } = h.deps.index
    await dueDates.lower('portal', 'i-2', h.clock.ms)
    const [leased] = await dueDates.lease(h.clock.ms, 10)
    if (leased === undefined) throw new Error('nothing was due')
    await dueDates.lower('portal', 'i-2', h.clock.ms + HOUR_MS)
    await dueDates.release(leased, null)
    expect(await scoreOf('i-2')).toBeGreaterThan(0)
    await dueDates.forget('portal', 'i-2')
  })
})

describe('services', () => {
  it('share the work: each submission is looked at by one', async () => {
    const ids = Array.from({ length: 80 }, (_, i) => `s-${i}`)
    for (const id of ids) await put(id)
    h.clock.ms += HOUR_MS + AFTER_CLOSE_MS
    const other = new DeadlineWork({ ...h.deps, isClockSure: () => true })
    const looked = await Promise.all([h.deps.deadlineWork.run(), other.run()])
    expect(Math.min(...looked)).toBeGreaterThan(0)
    expect(looked[0] + looked[1]).toBe(ids.length)
    for (const id of ids) expect((await told(id)).at(-1)).toBe('submission.lapsed')
  })

  it('that have not heard the time of Redis end nobody’s time', async () => {
    await ended('s-own')
    const unsure = new DeadlineWork({ ...h.deps, isClockSure: () => false })
    expect(await unsure.run()).toBe(0)
    expect((await head('s-own')).state).toBe('open')
    await h.deps.deadlineWork.run()
    expect((await head('s-own')).state).toBe('sealed')
  })

  it('that stop give back what they have not begun', async () => {
    for (const id of ['g-1', 'g-2']) await put(id)
    h.clock.ms += HOUR_MS + AFTER_CLOSE_MS
    const work = new DeadlineWork({
      ...h.deps,
      isClockSure: () => {
        queueMicrotask(stop)
        return true
      },
    })
    const stop = work.start()
    onTestFinished(stop)
    await expect.poll(() => scoreOf('g-1'), { timeout: 20_000 }).toBe(h.clock.ms)
    await h.deps.deadlineWork.run()
    expect((await told('g-1')).at(-1)).toBe('submission.lapsed')
  })
})
