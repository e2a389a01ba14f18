// Giving back: the next revision, with what was accepted still there, and the one before it to be read.

import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { isoTime } from '../../../src/core/clock.ts'
import type { SubmissionDocument } from '../../../src/submissions/document/schemas.ts'
import { openStillEnvironment, type StillEnvironment } from '../../support/environment.ts'
import { expectProblem } from './expect-problem.ts'

let h: StillEnvironment
beforeAll(async () => {
  h = await openStillEnvironment()
})
afterAll(async () => await h.close())

const seal = (id: string) => h.call('POST', `/v1/submissions/${id}/seal`)
const give = (id: string, body: Record<string, unknown> = {}, token?: string) =>
  h.call('POST', `/v1/submissions/${id}/return`, {
    body: { reason: 'ไม่มีเสียง', ...body },
    ...(token === undefined ? {} : { token }),
  })
const document = async (id: string) =>
  (await h.call('GET', `/v1/submissions/${id}`)).body as unknown as SubmissionDocument
const ticket = (id: string, slot = 'plan') => h.call('POST', `/v1/submissions/${id}/tickets`, { body: { slot } })
const eventsOf = async (id: string) => (await h.events()).filter(({ data }) => data.submissionId === id)
const told = async (id: string) =>
  (await eventsOf(id)).filter(({ type }) => type.startsWith('submission.')).map(({ type }) => type)

const sealed = async (id: string, body: Record<string, unknown> = {}) => {
  await h.put(id, body)
  const plan = await h.acceptedUpload(id, 'plan')
  const extra = await h.acceptedUpload(id, 'extras')
  expect((await seal(id)).body['state']).toBe('sealed')
  return { plan, extra }
}

describe('a return', () => {
  it('opens the next revision with the accepted files of the previous one', async () => {
    const { plan, extra } = await sealed('r-1')
    const before = await document('r-1')
    h.clock.ms += 60_000
    const { status, body } = await give('r-1')
    expect(status).toBe(200)
    const uploads = { plan: [plan.id], extras: [extra.id] }
    const returned = { returnedAt: isoTime(h.clock.ms), reason: 'ไม่มีเสียง' }
    expect(body).toMatchObject({
      state: 'returned',
      revision: 2,
      complete: true,
      accepting: true,
      missing: [],
      creditedAt: before.creditedAt,
      revisions: [
        { ...before.revisions[0], ...returned },
        { revision: 2, uploads },
      ],
    })
    expect(await told('r-1')).toEqual(['submission.complete', 'submission.sealed', 'submission.returned'])
    expect((await eventsOf('r-1')).at(-1)?.data).toMatchObject({ revision: 2, state: 'returned' })
    expect((await ticket('r-1')).status).toBe(201)
    expect((await h.put('r-1', { metadata: { changed: true } })).status).toBe(200)
  })

  it('does not change the sealed revision while a file is replaced and sealed again', async () => {
    const { plan, extra } = await sealed('r-2')
    const first = (await document('r-2')).revisions[0]
    await give('r-2')
    const better = await h.acceptedUpload('r-2', 'plan', { revision: 2, replaces: plan.id })
    const { body } = await seal('r-2')
    expect(body).toMatchObject({ state: 'sealed', revision: 2, creditedAt: isoTime(h.clock.ms) })
    const { revisions } = await document('r-2')
    expect(revisions[0]).toMatchObject(first ?? {})
    expect(revisions[1]).toMatchObject({
      revision: 2,
      sealedAt: isoTime(h.clock.ms),
      uploads: { plan: [better.id], extras: [extra.id] },
    })
    const listed = (await h.call('GET', '/v1/submissions/r-2/uploads')).body['items'] as object[]
    expect(listed).toMatchObject([
      { id: plan.id, revision: 1, state: 'accepted', superseded: true },
      { id: extra.id, superseded: false },
      { id: better.id, revision: 2, superseded: false },
    ])
    // Evidence of the first revision.
    expectProblem(await h.call('DELETE', `/v1/uploads/${plan.id}`), 'SUBMISSION_SEALED', { status: 409 })
  })

  it('can be repeated, one revision at a time', async () => {
    await sealed('r-3')
    for (let revision = 2; revision < 5; revision++) {
      expect((await give('r-3', { reason: `once more ${revision}` })).body['revision']).toBe(revision)
      expect((await seal('r-3')).body).toMatchObject({ state: 'sealed', revision })
    }
    const { revisions } = await document('r-3')
    expect(revisions.map(({ revision, reason }) => [revision, reason])).toEqual([
      ...[2, 3, 4].map((revision) => [revision - 1, `once more ${revision}`]),
      [4, undefined],
    ])
  })

  it('repeated is no second return', async () => {
    await sealed('r-4')
    const repairUntil = isoTime(h.clock.ms + 3_600_000)
    const first = await give('r-4', { repairUntil })
    h.clock.ms += 7_200_000
    const again = await give('r-4', { repairUntil })
    expect([again.status, again.body['revisions'], again.body['revision']]).toEqual([200, first.body['revisions'], 2])
    expectProblem(await give('r-4', { reason: 'another' }), 'SUBMISSION_NOT_SEALED')
    expect((await told('r-4')).filter((type) => type === 'submission.returned')).toHaveLength(1)
  })

  it('names the slots to change, which must exist', async () => {
    await sealed('r-slots')
    expectProblem(await give('r-slots', { slots: ['plan', 'nowhere'] }), 'SLOT_UNKNOWN')
    const { body } = await give('r-slots', { slots: ['plan'] })
    expect(body['revisions']).toMatchObject([{ revision: 1, slots: ['plan'] }, { revision: 2 }])
    expect((await give('r-slots', { slots: ['plan'] })).body['revision']).toBe(2)
    expectProblem(await give('r-slots', { slots: ['extras'] }), 'SUBMISSION_NOT_SEALED')
  })

  it('by several concurrent calls is one return', async () => {
    await sealed('r-5')
    const answers = await Promise.all(Array.from({ length: 6 }, () => give('r-5')))
    expect(answers.map(({ status, body }) => [status, body['revision']])).toEqual(Array(6).fill([200, 2]))
  })

  it('is refused for an open submission, and to sessions', async () => {
    await h.put('r-6')
    expectProblem(await give('r-6'), 'SUBMISSION_NOT_SEALED')
    expectProblem(await give('r-6', { repairUntil: isoTime(h.clock.ms + 1000) }), 'SUBMISSION_NOT_SEALED')
    expectProblem(await give('never-made'), 'SUBMISSION_UNKNOWN')
    await h.acceptedUpload('r-6', 'plan')
    await seal('r-6')
    const token = await h.session('r-6', { can: ['read', 'upload', 'seal'] })
    expectProblem(await give('r-6', {}, token), 'SESSION_SCOPE')
    for (const body of [
      { reason: '' },
      { reason: undefined },
      { repairUntil: 'tomorrow' },
      { repairUntil: isoTime(h.clock.ms) },
    ])
      expectProblem(await give('r-6', body), 'BAD_REQUEST')
    expect((await document('r-6')).state).toBe('sealed')
    await h.call('DELETE', '/v1/submissions/r-6')
    expectProblem(await give('r-6'), 'SUBMISSION_DELETED')
  })

  it('survives the loss of Redis, with all earlier revisions', async () => {
    await sealed('r-7')
    await give('r-7')
    await h.acceptedUpload('r-7', 'plan', { revision: 2 })
    const before = await document('r-7')
    await h.deps.redis.hot.flushall()
    const { sequence, ...after } = await document('r-7')
    expect(after).toEqual({ ...before, sequence: undefined })
    expect(sequence).toBeGreaterThan(0)
  })
})
