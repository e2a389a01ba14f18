// Dates, case by case, with a clock that the test moves: who may still begin, what still counts, and what it is marked as.

import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { isoTime } from '../../../src/core/clock.ts'
import { AppError } from '../../../src/core/errors.ts'
import type { UploadDraft } from '../../../src/records/upload-session.ts'
import { decideCreation } from '../../../src/submissions/creation.ts'
import type { SubmissionDocument, UploadDocument } from '../../../src/submissions/document/schemas.ts'
import { START } from '../../support/clock.ts'
import { openStillEnvironment, type StillEnvironment } from '../../support/environment.ts'
import { noted } from '../../support/records.ts'
import { expectProblem } from './expect-problem.ts'

const SECOND = 1000
const HOUR = 3_600_000
/** 23:59 and a minute. */
const DEADLINE = START + 24 * HOUR
const GRACE_SECONDS = 600
const CLOSED = DEADLINE + GRACE_SECONDS * SECOND

let h: StillEnvironment
beforeAll(async () => {
  h = await openStillEnvironment()
})
afterAll(async () => await h.close())

const document = async (id: string) =>
  (await h.call('GET', `/v1/submissions/${id}`)).body as unknown as SubmissionDocument
const upload = async (id: string) => (await h.call('GET', `/v1/uploads/${id}`)).body as unknown as UploadDocument
const put = (id: string, change: Record<string, unknown> = {}) =>
  h.put(id, { deadline: isoTime(DEADLINE), graceSeconds: GRACE_SECONDS, ...change })
const seal = (id: string) => h.call('POST', `/v1/submissions/${id}/seal`)
const giveBack = (id: string, body: Record<string, unknown> = {}) =>
  h.call('POST', `/v1/submissions/${id}/return`, { body: { reason: 'mend it', ...body } })

const at = <T>(ms: number, act: () => Promise<T>): Promise<T> => {
  h.clock.ms = ms
  return act()
}
const ticketAt = (ms: number, id: string, slot = 'plan') =>
  at(ms, () => h.call('POST', `/v1/submissions/${id}/tickets`, { body: { slot, expiresInSeconds: 604_800 } }))

/** What a tus POST at that moment decides. */
const creationAt = async (ms: number, token: unknown, slot = 'plan'): Promise<string> => {
  h.clock.ms = ms
  const ticket = await h.deps.tokens.verifyTicket(String(token), { checkExpiry: true })
  try {
    await decideCreation(h.deps, {
      owner: ticket.owner,
      submissionId: ticket.submission,
      slot,
      replaces: ticket.replaces,
      maxBytes: ticket.maxBytes,
      issuedAtMs: ticket.issuedAtMs,
      nowMs: ms,
      via: 'tus',
      declared: { filename: 'a.pdf', type: 'application/pdf', bytes: 1000 },
    })
    return 'created'
  } catch (error) {
    if (error instanceof AppError) return error.code
    throw error
  }
}

/** Begun and ended at those moments; judged right after. */
const fileAt = async (
  id: string,
  begunMs: number,
  storedMs: number,
  more: Partial<UploadDraft> & { verdict?: 'accepted' | 'rejected'; judgedMs?: number } = {},
): Promise<string> => {
  const { verdict = 'accepted', judgedMs = storedMs + SECOND, ...draft } = more
  const begun = await at(begunMs, () => h.beginUpload(id, 'plan', { createdAt: isoTime(begunMs), ...draft }))
  await at(storedMs, () => h.storeUpload(begun))
  await at(judgedMs, () => h.judgeUpload(begun.id, verdict))
  return begun.id
}

const attemptAt = async (ms: number, id: string, code = 'OVERLOADED', slot = 'plan') => {
  h.clock.ms = ms
  h.deps.attempts.record({
    owner: 'portal',
    submissionId: id,
    slot,
    subject: null,
    declared: null,
    outcome: 'refused',
    code,
    uploadId: null,
  })
  await h.deps.attempts.flush()
}

describe('a file whose last byte is stored', () => {
  it.each([
    ['an hour before the deadline', DEADLINE - HOUR, { late: false, counts: true }],
    ['a millisecond before the deadline', DEADLINE - 1, { late: false, counts: true }],
    ['on the deadline', DEADLINE, { late: false, counts: true }],
    ['a millisecond after the deadline', DEADLINE + 1, { late: true, counts: true }],
    ['in the last millisecond of grace', CLOSED, { late: true, counts: true }],
    ['a millisecond after grace', CLOSED + 1, { late: true, counts: false }],
    ['six hours late', DEADLINE + 6 * HOUR, { late: true, counts: false }],
  ])('%s', async (name, storedMs, { late, counts }) => {
    const id = `stored-${name.replaceAll(' ', '-')}`
    await at(START, () => put(id))
    const file = await fileAt(id, DEADLINE - 2 * HOUR, storedMs)
    expect(await upload(file)).toMatchObject({ state: 'accepted', late, repaired: false })
    const { complete, creditedAt, missing, slots } = await document(id)
    expect({ complete, missing }).toEqual({ complete: counts, missing: counts ? [] : ['plan'] })
    expect(creditedAt).toBe(counts ? isoTime(storedMs) : null)
    // Kept and marked, whether it counts or not.
    expect(slots[0]?.uploads).toEqual([file])
    expect(slots[0]?.problems.map(({ code }) => code)).toEqual(counts ? [] : ['STORED_TOO_LATE'])
    expect((await seal(id)).status).toBe(counts ? 200 : 409)
  })

  it('is never late without a deadline', async () => {
    await at(START, () => h.put('timeless'))
    const file = await fileAt('timeless', START, DEADLINE + 99 * HOUR)
    expect(await upload(file)).toMatchObject({ late: false })
    expect((await document('timeless')).complete).toBe(true)
  })

  it('gets that time as its time of receipt, however long verdict and seal take', async () => {
    await at(START, () => put('slow'))
    await fileAt('slow', DEADLINE - HOUR, DEADLINE - 1, { judgedMs: CLOSED + 5 * HOUR })
    const { body } = await at(CLOSED + 9 * HOUR, () => seal('slow'))
    expect(body).toMatchObject({ state: 'sealed', creditedAt: isoTime(DEADLINE - 1) })
  })
})

describe('an upload that is running', () => {
  it('is not refused because of the deadline, and can finish', async () => {
    await at(START, () => put('running'))
    const draft = await at(DEADLINE - SECOND, () => h.beginUpload('running', 'plan'))
    h.clock.ms = CLOSED + HOUR
    expect((await h.deps.hot.acquire(draft.id, 'fence', 'here', { offset: 0 })).kind).toBe('acquired')
    await h.deps.hot.release(draft.id, 'fence')
    await h.storeUpload(draft)
    await h.judgeUpload(draft.id, 'accepted')
    expect(await upload(draft.id)).toMatchObject({ state: 'accepted', late: true })
    expect((await document('running')).complete).toBe(false)
  })
})

describe('a ticket', () => {
  it('is not issued before the opening', async () => {
    await at(START, () => put('early', { opensAt: isoTime(START + HOUR) }))
    expectProblem(await ticketAt(START + HOUR - 1, 'early'), 'NOT_OPEN_YET')
    expect((await ticketAt(START + HOUR, 'early')).status).toBe(201)
  })

  it('issued before the deadline creates uploads until grace is over', async () => {
    await at(START, () => put('graced'))
    const { body } = await ticketAt(DEADLINE, 'graced')
    expect(await creationAt(DEADLINE + 1, body['ticket'])).toBe('created')
    expect(await creationAt(CLOSED, body['ticket'])).toBe('created')
    expect(await creationAt(CLOSED + 1, body['ticket'])).toBe('DEADLINE_PASSED')
  })

  it('is not issued after the deadline to a person without earlier attempts', async () => {
    await at(START, () => put('tardy'))
    for (const ms of [DEADLINE + 1, CLOSED, CLOSED + 1])
      expectProblem(await ticketAt(ms, 'tardy'), 'DEADLINE_PASSED', {
        details: { deadline: isoTime(DEADLINE), graceSeconds: GRACE_SECONDS },
      })
  })

  it('is issued within grace if an attempt was refused with 503 at 23:59', async () => {
    await at(START, () => put('refused'))
    await attemptAt(DEADLINE - 60 * SECOND, 'refused')
    const { status, body } = await ticketAt(DEADLINE + 60 * SECOND, 'refused')
    expect(status).toBe(201)
    expect(await creationAt(CLOSED, body['ticket'])).toBe('created')
    expect(await creationAt(CLOSED + 1, body['ticket'])).toBe('DEADLINE_PASSED')
    expectProblem(await ticketAt(DEADLINE + 60 * SECOND, 'refused', 'extras'), 'DEADLINE_PASSED')
    expectProblem(await ticketAt(CLOSED + 1, 'refused'), 'DEADLINE_PASSED')
  })

  it('is issued within grace even if Redis has lost that attempt', async () => {
    await at(START, () => put('forgotten'))
    await attemptAt(DEADLINE - 1, 'forgotten')
    await h.deps.redis.hot.flushall()
    expect((await ticketAt(CLOSED, 'forgotten')).status).toBe(201)
  })

  it('is not issued because of an attempt after the deadline', async () => {
    await at(START, () => put('too-late'))
    await attemptAt(DEADLINE + 1, 'too-late', 'DEADLINE_PASSED')
    expectProblem(await ticketAt(DEADLINE + 2, 'too-late'), 'DEADLINE_PASSED')
  })

  it('is issued within grace if an upload was created in time, whatever its end', async () => {
    for (const [id, end] of [
      ['begun-left', async () => undefined],
      ['begun-gone', (file: UploadDraft) => h.call('DELETE', `/v1/uploads/${file.id}`)],
    ] as const) {
      await at(START, () => put(id))
      const file = await at(DEADLINE - SECOND, () => h.beginUpload(id, 'plan'))
      await at(DEADLINE, () => end(file))
      const { status, body } = await ticketAt(CLOSED, id)
      expect(status).toBe(201)
      expect(await creationAt(CLOSED, body['ticket'])).toBe('created')
      expect(await creationAt(CLOSED + 1, body['ticket'])).toBe('DEADLINE_PASSED')
    }
    await at(START, () => put('begun-rejected'))
    await fileAt('begun-rejected', DEADLINE - 2 * SECOND, DEADLINE - SECOND, {
      verdict: 'rejected',
      judgedMs: DEADLINE,
    })
    expect((await ticketAt(CLOSED, 'begun-rejected')).status).toBe(201)
  })
})

describe('a deadline that the portal moves', () => {
  it('to a later time applies immediately, to files and tickets', async () => {
    await at(START, () => put('moved'))
    const file = await fileAt('moved', DEADLINE - HOUR, CLOSED + HOUR)
    expectProblem(await ticketAt(CLOSED + HOUR, 'moved'), 'DEADLINE_PASSED')
    await put('moved', { deadline: isoTime(CLOSED + 2 * HOUR) })
    expect(await upload(file)).toMatchObject({ late: false })
    expect(await document('moved')).toMatchObject({ complete: true, creditedAt: isoTime(CLOSED + HOUR) })
    expect((await ticketAt(CLOSED + HOUR, 'moved')).status).toBe(201)
  })

  it('to an earlier time makes later files late', async () => {
    await at(START, () => put('moved-back', { graceSeconds: 0 }))
    const file = await fileAt('moved-back', START + HOUR, START + 2 * HOUR)
    expect((await document('moved-back')).complete).toBe(true)
    await put('moved-back', { deadline: isoTime(START + HOUR), graceSeconds: 0 })
    expect(await upload(file)).toMatchObject({ late: true })
    expect(await document('moved-back')).toMatchObject({ complete: false, missing: ['plan'] })
  })
})

describe('the repair period', () => {
  const UNTIL = DEADLINE + 72 * HOUR

  it('applies to a file that arrived at 23:59 and was rejected after midnight', async () => {
    await at(START, () => put('repair'))
    const bad = await fileAt('repair', DEADLINE - HOUR, DEADLINE - SECOND, {
      verdict: 'rejected',
      judgedMs: DEADLINE + 60 * SECOND,
    })
    expectProblem(await ticketAt(CLOSED + HOUR, 'repair'), 'DEADLINE_PASSED')
    expectProblem(await giveBack('repair'), 'SUBMISSION_NOT_SEALED')
    const returned = await giveBack('repair', { repairUntil: isoTime(UNTIL) })
    expect(returned.body).toMatchObject({
      state: 'returned',
      revision: 2,
      accepting: true,
      missing: ['plan'],
      revisions: [{ revision: 1, repairUntil: isoTime(UNTIL), uploads: {} }, { revision: 2 }],
    })
    const { body } = await ticketAt(UNTIL, 'repair')
    expect(await creationAt(UNTIL, body['ticket'])).toBe('created')
    expectProblem(await ticketAt(UNTIL, 'repair', 'extras'), 'DEADLINE_PASSED')
    expectProblem(await ticketAt(UNTIL + 1, 'repair'), 'DEADLINE_PASSED')
    expect(await creationAt(UNTIL + 1, body['ticket'])).toBe('DEADLINE_PASSED')
    const good = await fileAt('repair', UNTIL - HOUR, UNTIL, { revision: 2, replaces: bad })
    expect(await upload(good)).toMatchObject({ late: true, repaired: true })
    expect((await seal('repair')).body).toMatchObject({ state: 'sealed', creditedAt: isoTime(UNTIL) })
  })

  it('does not apply to a file that was rejected before the deadline', async () => {
    await at(START, () => put('had-time'))
    await fileAt('had-time', START, START + HOUR, { verdict: 'rejected' })
    h.clock.ms = CLOSED + HOUR
    expectProblem(await giveBack('had-time', { repairUntil: isoTime(UNTIL) }), 'SUBMISSION_NOT_SEALED')
  })

  it('does not apply to a late file', async () => {
    await at(START, () => put('came-late'))
    await fileAt('came-late', START, CLOSED + 1, { verdict: 'rejected' })
    expectProblem(await giveBack('came-late', { repairUntil: isoTime(UNTIL) }), 'SUBMISSION_NOT_SEALED')
  })

  it('does not start with later changes of a record', async () => {
    await at(START, () => put('touched'))
    const file = await fileAt('touched', START, START + HOUR, { verdict: 'rejected' })
    await at(CLOSED + HOUR, () => h.deps.uploads.commit(file, (current) => current && noted(current, { event: null })))
    expectProblem(await giveBack('touched', { repairUntil: isoTime(UNTIL) }), 'SUBMISSION_NOT_SEALED')
  })

  it('applies to the files of a returned revision', async () => {
    await at(START, () => put('given-back'))
    const first = await fileAt('given-back', DEADLINE - HOUR, DEADLINE)
    await seal('given-back')
    await at(CLOSED + HOUR, () => giveBack('given-back', { repairUntil: isoTime(UNTIL) }))
    expect((await document('given-back')).complete).toBe(true)
    expect((await ticketAt(UNTIL, 'given-back')).status).toBe(201)
    expectProblem(await ticketAt(UNTIL, 'given-back', 'extras'), 'DEADLINE_PASSED')
    expectProblem(await ticketAt(UNTIL + 1, 'given-back'), 'DEADLINE_PASSED')
    const late = await fileAt('given-back', UNTIL - HOUR, UNTIL + 1, { revision: 2, replaces: first })
    expect(await upload(late)).toMatchObject({ late: true, repaired: false })
    // What came too late for the repair takes nothing away.
    expect((await document('given-back')).slots[0]?.counted).toEqual([first])
    const mended = await fileAt('given-back', UNTIL - HOUR, UNTIL, { revision: 2, replaces: first })
    expect(await upload(mended)).toMatchObject({ late: true, repaired: true })
    expect((await document('given-back')).slots[0]?.counted).toEqual([mended])
  })

  it('does not apply to a return without it', async () => {
    await at(START, () => put('no-time'))
    await fileAt('no-time', DEADLINE - HOUR, DEADLINE)
    await seal('no-time')
    await at(CLOSED + HOUR, () => giveBack('no-time'))
    expectProblem(await ticketAt(CLOSED + HOUR, 'no-time'), 'DEADLINE_PASSED')
    await put('no-time', { deadline: isoTime(CLOSED + 2 * HOUR) })
    expect((await ticketAt(CLOSED + HOUR, 'no-time')).status).toBe(201)
  })
})

describe('a clock that jumps', () => {
  it('forward and back does not affect files that were not stored in between', async () => {
    await at(START, () => put('ahead'))
    const draft = await at(START, () => h.beginUpload('ahead', 'plan'))
    expectProblem(await ticketAt(CLOSED + HOUR, 'ahead', 'extras'), 'DEADLINE_PASSED')
    expect(await document('ahead')).toMatchObject({ accepting: false, state: 'open' })
    expect((await ticketAt(START + HOUR, 'ahead', 'extras')).status).toBe(201)
    await h.storeUpload(draft)
    await h.judgeUpload(draft.id, 'accepted')
    expect(await document('ahead')).toMatchObject({ complete: true, accepting: true })
  })

  it('back does not bring a replaced file back', async () => {
    await at(START, () => put('back'))
    const old = await fileAt('back', START + 2 * HOUR, START + 3 * HOUR)
    const successor = await fileAt('back', START + HOUR, START + HOUR + SECOND, { replaces: old })
    const { slots, creditedAt, complete } = await document('back')
    expect({ counted: slots[0]?.counted, complete }).toEqual({ counted: [successor], complete: true })
    expect(creditedAt).toBe(isoTime(START + HOUR + SECOND))
    expect(await upload(old)).toMatchObject({ superseded: true })
  })

  it('back keeps the order of events, and the seal', async () => {
    await at(START, () => put('ordered'))
    await fileAt('ordered', START + 2 * HOUR, START + 3 * HOUR)
    await at(START + HOUR, () => seal('ordered'))
    const events = (await h.events()).filter(({ data }) => data.submissionId === 'ordered')
    const sequences = events.map(({ data }) => data.sequence)
    expect(sequences).toEqual(sequences.toSorted((a, b) => a - b))
    expect(events.at(-1)?.type).toBe('submission.sealed')
    expect(await document('ordered')).toMatchObject({ creditedAt: isoTime(START + 3 * HOUR) })
  })
})
