// What happens when the time of a submission ends and nobody does anything: what is complete is handed in by itself, what is
// not is told, and before that the portal is warned.

import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { isoTime } from '../../../src/core/clock.ts'
import { AFTER_CLOSE_MS } from '../../../src/records/deadline-steps.ts'
import { redisKeys } from '../../../src/records/keys.ts'
import { SESSION_FIELDS } from '../../../src/records/stored-fields.ts'
import type { SubmissionDocument } from '../../../src/submissions/document/schemas.ts'
import { extendDeadline, moveBy } from '../../../src/submissions/extend-deadline.ts'
import { testClock } from '../../support/clock.ts'
import { openEnvironment, type StillEnvironment } from '../../support/environment.ts'
import { testProfile } from '../../support/profiles.ts'
import { reached } from '../../support/records.ts'

const MINUTE_MS = 60_000
const HOUR_MS = 60 * MINUTE_MS
const DAY_MS = 24 * HOUR_MS

/** Whose submissions are handed in by themselves unless their portal says otherwise. */
const BY_ITSELF = testProfile((profile) => {
  profile.id = 'by-itself'
  profile.sealAtDeadline = true
})

let h: StillEnvironment
beforeAll(async () => {
  const clock = testClock()
  const env = { PUBLIC_URL: 'https://songngan.example' }
  h = { ...(await openEnvironment({ clock, listens: false, env, profiles: [BY_ITSELF] })), clock }
})
afterAll(async () => await h.close())

const inMs = (ms: number) => isoTime(h.clock.ms + ms)
const put = (id: string, body: Record<string, unknown> = {}) =>
  h.put(id, { deadline: inMs(2 * HOUR_MS), sealAtDeadline: true, ...body })
const document = async (id: string) =>
  (await h.call('GET', `/v1/submissions/${id}`)).body as unknown as SubmissionDocument
/** Events of the submission itself. */
const told = async (id: string) => (await h.eventsOf(id)).filter(({ type }) => type.startsWith('submission.'))
const types = async (id: string) => (await told(id)).map(({ type }) => type)
/** Time passes, and the services with it. */
const pass = async (ms: number) => {
  h.clock.ms += ms
  return await h.deps.deadlineWork.run()
}
/** When somebody looks at it next, milliseconds from now; null: never. */
const looksIn = async (id: string) => {
  const score = await h.deps.redis.hot.zscore(redisKeys.dueDates, `portal/${id}`)
  return score === null ? null : Math.round(Number(score) - h.clock.ms)
}
const over = async (id: string) => Date.parse((await document(id)).deadline ?? '') + AFTER_CLOSE_MS - h.clock.ms

describe('a complete submission', () => {
  it('is handed in by itself once its time is over, with the time of its last byte', async () => {
    await put('c-1')
    const plan = await h.acceptedUpload('c-1', 'plan')
    const storedAt = isoTime(h.clock.ms)
    expect(await document('c-1')).toMatchObject({ sealAtDeadline: true, state: 'open' })
    await pass((await over('c-1')) - 1)
    expect((await document('c-1')).state).toBe('open')
    await pass(1)
    expect(await document('c-1')).toMatchObject({
      state: 'sealed',
      creditedAt: storedAt,
      revisions: [{ sealedAt: isoTime(h.clock.ms), sealedBy: 'deadline', uploads: { plan: [plan.id] } }],
    })
    expect((await told('c-1')).at(-1)).toMatchObject({ type: 'submission.sealed', data: { by: 'deadline' } })
    await pass(DAY_MS)
    expect(await types('c-1')).toEqual(['submission.complete', 'submission.due', 'submission.sealed'])
    expect(await looksIn('c-1')).toBe(null)
  })

  it('waits for the end of grace', async () => {
    await put('c-2', { graceSeconds: 600 })
    await h.acceptedUpload('c-2', 'plan')
    await pass((await over('c-2')) + 9 * MINUTE_MS)
    expect((await document('c-2')).state).toBe('open')
    await pass(MINUTE_MS)
    expect((await document('c-2')).state).toBe('sealed')
  })

  it('stays open without that wish, and nobody looks at it again', async () => {
    await put('c-3', { sealAtDeadline: false })
    await h.acceptedUpload('c-3', 'plan')
    await pass(await over('c-3'))
    expect(await document('c-3')).toMatchObject({ state: 'open', sealAtDeadline: false })
    expect(await types('c-3')).toEqual(['submission.complete'])
    expect(await looksIn('c-3')).toBe(null)
    // It may still be handed in by hand, or by a wish that comes late.
    expect(
      (
        await h.call('PUT', '/v1/submissions/c-3', {
          body: { profile: 'tiny@1', deadline: (await document('c-3')).deadline, sealAtDeadline: true },
        })
      ).body['state'],
    ).toBe('sealed')
  })

  it('has the wish of its profile if its portal does not say', async () => {
    const body = { profile: 'by-itself@1', deadline: inMs(HOUR_MS) }
    await h.put('c-4', body)
    expect((await document('c-4')).sealAtDeadline).toBe(true)
    await h.put('c-5', { ...body, sealAtDeadline: false })
    expect((await document('c-5')).sealAtDeadline).toBe(false)
    const { version } = await h.deps.heads.require('portal', 'c-4')
    await h.put('c-4', body)
    expect((await h.deps.heads.require('portal', 'c-4')).version).toBe(version)
  })

  it('is handed in also if Redis lost everything before', async () => {
    await put('c-6')
    await h.acceptedUpload('c-6', 'plan')
    await h.deps.redis.hot.flushall()
    await h.deps.rebuilder.run()
    expect(await looksIn('c-6')).toBeGreaterThan(HOUR_MS - MINUTE_MS)
    await pass(await over('c-6'))
    expect((await document('c-6')).state).toBe('sealed')
  })

  it('is found by a service of a later version than the one that took it, whose index is not there yet', async () => {
    await put('c-7')
    await h.acceptedUpload('c-7', 'plan')
    await h.deps.redis.hot.del(redisKeys.dueDates, redisKeys.wholeDates)
    await h.deps.rebuilder.heal()
    await pass(await over('c-7'))
    expect((await document('c-7')).state).toBe('sealed')
  })

  it('is handed in although an upload that nobody sends was forgotten, which is cancelled', async () => {
    await put('c-8')
    await h.acceptedUpload('c-8', 'plan')
    const draft = await h.beginUpload('c-8', 'extras')
    await h.receiveBytes(draft)
    await pass(await over('c-8'))
    expect((await document('c-8')).state).toBe('sealed')
    expect((await h.deps.uploads.fromStore(draft.id))?.state).toBe('cancelled')
  })
})

describe('what is on its way when the time ends', () => {
  it('a pending verdict is waited for, and the one that commits it hands in', async () => {
    await put('p-1')
    const draft = await h.beginUpload('p-1', 'plan')
    await h.storeUpload(draft)
    await pass(await over('p-1'))
    expect(await document('p-1')).toMatchObject({ state: 'open', pending: ['plan'] })
    h.clock.ms += 10 * MINUTE_MS
    await h.judgeUpload(draft.id, 'accepted')
    expect(await document('p-1')).toMatchObject({ state: 'sealed', revisions: [{ sealedBy: 'deadline' }] })
  })

  it('or by the next look, if its worker died', async () => {
    await put('p-2')
    const draft = await h.beginUpload('p-2', 'plan')
    await h.storeUpload(draft)
    await pass(await over('p-2'))
    await h.deps.uploads.commit(draft.id, (current) => current && reached(current, 'accepted'))
    await pass(MINUTE_MS)
    expect((await document('p-2')).state).toBe('sealed')
  })

  it('a rejection ends the wait: what is missing is told', async () => {
    await put('p-3')
    const draft = await h.beginUpload('p-3', 'plan')
    await h.storeUpload(draft)
    await pass(await over('p-3'))
    await h.judgeUpload(draft.id, 'rejected')
    await pass(MINUTE_MS)
    expect((await told('p-3')).at(-1)).toMatchObject({ type: 'submission.lapsed', data: { missing: ['plan'] } })
  })

  it('a verdict that never comes is waited for three days; the file that counts until then is handed in', async () => {
    await put('p-4')
    const old = await h.acceptedUpload('p-4', 'plan')
    await h.storeUpload(await h.beginUpload('p-4', 'plan', { replaces: old.id }))
    await pass((await over('p-4')) + 3 * DAY_MS - MINUTE_MS)
    expect((await document('p-4')).state).toBe('open')
    await pass(MINUTE_MS)
    expect(await document('p-4')).toMatchObject({ state: 'sealed', revisions: [{ uploads: { plan: [old.id] } }] })
  })

  it('… or, where nothing else counts, that is told, and it is handed in when the verdict comes after all', async () => {
    await put('p-5')
    const draft = await h.beginUpload('p-5', 'plan')
    await h.storeUpload(draft)
    await pass((await over('p-5')) + 3 * DAY_MS)
    const { type, data } = (await told('p-5')).at(-1) ?? {}
    expect({ type, data }).toMatchObject({ type: 'submission.lapsed', data: { missing: [], pending: ['plan'] } })
    expect(await looksIn('p-5')).toBe(15 * MINUTE_MS)
    await h.judgeUpload(draft.id, 'accepted')
    expect((await document('p-5')).state).toBe('sealed')
  })

  it('a request that is sending is waited for half a minute', async () => {
    await put('p-6')
    const plan = await h.acceptedUpload('p-6', 'plan')
    const draft = await h.beginUpload('p-6', 'extras')
    await h.receiveBytes(draft)
    h.clock.ms += await over('p-6')
    await h.deps.hot.acquire(draft.id, 'fence', 'here', { offset: 400 })
    // Leases are by the time of Redis, which the clock of this file is ahead of.
    await h.deps.redis.hot.hset(redisKeys.hot(draft.id), SESSION_FIELDS.leaseUntilMs, h.clock.ms + 15_000)
    await pass(0)
    expect((await document('p-6')).state).toBe('open')
    // Its last byte was in time, but its process was slow to say so.
    const storedAtMs = Date.parse((await document('p-6')).deadline ?? '') - 1
    const finishing = { offset: 1000, status: 'finishing' as const, storedAtMs, expiresAtMs: h.clock.ms + DAY_MS }
    expect(await h.deps.hot.saveProgress(draft.id, 'fence', finishing)).toBe(true)
    await pass(31_000)
    expect((await document('p-6')).state).toBe('open')
    const storedAt = isoTime(storedAtMs)
    await h.deps.uploads.commit(draft.id, (current) => current && { ...reached(current, 'stored'), storedAt })
    await h.deps.hot.end(draft.id, 'stored', MINUTE_MS)
    await h.judgeUpload(draft.id, 'accepted')
    expect(await document('p-6')).toMatchObject({
      state: 'sealed',
      revisions: [{ uploads: { plan: [plan.id], extras: [draft.id] } }],
    })
  })
})

describe('a submission that is not complete', () => {
  it('is told as lapsed once, with what was missing', async () => {
    await put('l-1')
    await h.storeUpload(await h.beginUpload('l-1', 'extras'))
    await h.put('l-2', { deadline: inMs(2 * HOUR_MS) })
    await pass((await over('l-1')) + 3 * DAY_MS)
    await pass(DAY_MS)
    expect(await types('l-2')).toEqual(['submission.lapsed'])
    const lapsed = (await told('l-1')).filter(({ type }) => type === 'submission.lapsed')
    expect(lapsed).toMatchObject([{ data: { state: 'open', missing: ['plan'], pending: ['extras'] } }])
    expect(await document('l-1')).toMatchObject({ state: 'open', sequence: lapsed[0]?.data.sequence })
    expect(await looksIn('l-2')).toBe(null)
  })

  it('has another chance at another deadline', async () => {
    await put('l-3')
    await pass(await over('l-3'))
    expect((await types('l-3')).at(-1)).toBe('submission.lapsed')
    await put('l-3')
    await h.acceptedUpload('l-3', 'plan')
    await pass(await over('l-3'))
    expect((await document('l-3')).state).toBe('sealed')
  })

  it('is no news a week later, as after an upgrade', async () => {
    await put('l-4', { sealAtDeadline: false })
    await h.deps.redis.hot.del(redisKeys.dueDates)
    h.clock.ms += 11 * DAY_MS
    await h.deps.heads.rebuild('portal', 'l-4')
    await pass(0)
    expect(await types('l-4')).toEqual([])
    expect(await looksIn('l-4')).toBe(null)
  })
})

describe('before the deadline', () => {
  it('the portal is told a day and an hour before, with what is missing', async () => {
    await put('d-1', { deadline: inMs(2 * DAY_MS) })
    const { deadline } = await document('d-1')
    await pass(DAY_MS)
    await h.acceptedUpload('d-1', 'plan')
    await pass(23 * HOUR_MS)
    const due = (await told('d-1')).filter(({ type }) => type === 'submission.due')
    expect(due.map(({ data }) => data)).toEqual([
      expect.objectContaining({ hours: 24, deadline, complete: false, missing: ['plan'], sealAtDeadline: true }),
      expect.objectContaining({ hours: 1, deadline, complete: true, missing: [] }),
    ])
    expect((await document('d-1')).sequence).toBe(due.at(-1)?.data.sequence)
  })

  it('once, whoever looks, and also after a loss of Redis', async () => {
    await put('d-2', { deadline: inMs(2 * DAY_MS) })
    h.clock.ms += DAY_MS
    await Promise.all(Array.from({ length: 5 }, () => h.deps.deadlineWork.look('portal', 'd-2')))
    await h.deps.redis.hot.flushall()
    await h.deps.rebuilder.run()
    await pass(MINUTE_MS)
    expect(await types('d-2')).toEqual(['submission.due'])
    expect(await looksIn('d-2')).toBe(23 * HOUR_MS - MINUTE_MS)
  })

  it('not at times that had passed when the deadline was set, and not both after an outage', async () => {
    await put('d-3', { deadline: inMs(30 * MINUTE_MS) })
    await pass(MINUTE_MS)
    expect(await types('d-3')).toEqual([])
    await put('d-4', { deadline: inMs(2 * DAY_MS) })
    await pass(2 * DAY_MS - 20 * MINUTE_MS)
    expect((await told('d-4')).map(({ data }) => data.hours)).toEqual([1])
  })

  it('again before a deadline that was moved', async () => {
    await put('d-5', { deadline: inMs(DAY_MS) })
    await pass(23 * HOUR_MS)
    await extendDeadline(h.deps, { owner: 'portal', submissionId: 'd-5' }, moveBy(DAY_MS, 'outage'))
    await pass(DAY_MS)
    expect((await told('d-5')).map(({ data }) => data.hours)).toEqual([1, 1])
  })
})

describe('the time that is left', () => {
  it('is counted from the date of an answer, which is by the clock that decides', async () => {
    await put('t-1')
    h.clock.ms += 7 * DAY_MS
    const { headers } = await h.call('GET', '/v1/submissions/t-1')
    expect(Date.parse(String(headers['date']))).toBe(Math.floor(h.clock.ms / 1000) * 1000)
  })
})

describe('a deadline that is moved', () => {
  it('later moves the hand-in with it', async () => {
    await put('m-1')
    await h.acceptedUpload('m-1', 'plan')
    await extendDeadline(h.deps, { owner: 'portal', submissionId: 'm-1' }, moveBy(HOUR_MS, 'outage'))
    await pass(2 * HOUR_MS + MINUTE_MS)
    expect((await document('m-1')).state).toBe('open')
    await pass(await over('m-1'))
    expect((await document('m-1')).state).toBe('sealed')
  })

  it('earlier too, also into the past', async () => {
    await put('m-2')
    await h.acceptedUpload('m-2', 'plan')
    await pass(HOUR_MS)
    await put('m-2', { deadline: inMs(-MINUTE_MS) })
    await pass(0)
    expect((await document('m-2')).state).toBe('sealed')
  })

  it('to none ends the wish for now', async () => {
    await put('m-3')
    await h.acceptedUpload('m-3', 'plan')
    await h.put('m-3', { sealAtDeadline: true })
    await pass(3 * HOUR_MS)
    expect((await document('m-3')).state).toBe('open')
    expect(await looksIn('m-3')).toBe(null)
  })
})

describe('a returned submission', () => {
  const returned = async (id: string, body: () => Record<string, unknown>) => {
    await put(id, { deadline: inMs(HOUR_MS) })
    const plan = await h.acceptedUpload(id, 'plan')
    await pass(await over(id))
    const answer = await h.call('POST', `/v1/submissions/${id}/return`, { body: { reason: 'again', ...body() } })
    expect(answer.status).toBe(200)
    return plan
  }

  it('is not handed in again in the moment of its return, whose deadline had passed', async () => {
    await returned('r-1', () => ({}))
    await pass(DAY_MS)
    expect((await document('r-1')).state).toBe('returned')
  })

  it('is handed in at the end of the time to repair', async () => {
    await returned('r-2', () => ({ repairUntil: inMs(2 * DAY_MS) }))
    await pass(2 * DAY_MS - MINUTE_MS)
    expect(await document('r-2')).toMatchObject({ state: 'returned' })
    await pass(2 * DAY_MS)
    expect(await document('r-2')).toMatchObject({ state: 'sealed', revision: 2 })
    expect((await told('r-2')).filter(({ type }) => type === 'submission.due')).toHaveLength(1)
  })

  it('with a slot that was to be changed and was not, lapses', async () => {
    await returned('r-3', () => ({ repairUntil: inMs(DAY_MS), slots: ['plan'] }))
    await pass(2 * DAY_MS)
    expect((await told('r-3')).at(-1)).toMatchObject({ type: 'submission.lapsed', data: { missing: ['plan'] } })
    expect((await document('r-3')).state).toBe('returned')
  })

  it('with that slot changed, is handed in', async () => {
    const old = await returned('r-4', () => ({ repairUntil: inMs(DAY_MS), slots: ['plan'] }))
    await h.acceptedUpload('r-4', 'plan', { replaces: old.id, revision: 2 })
    await pass(2 * DAY_MS)
    expect((await document('r-4')).state).toBe('sealed')
  })
})
