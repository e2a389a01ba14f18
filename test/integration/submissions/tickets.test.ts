import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { isoTime } from '../../../src/core/clock.ts'
import { AppError } from '../../../src/core/errors.ts'
import { type CreationRequest, decideCreation } from '../../../src/submissions/creation.ts'
import { START } from '../../support/clock.ts'
import { openStillEnvironment, type StillEnvironment } from '../../support/environment.ts'
import { expectProblem } from './expect-problem.ts'

let h: StillEnvironment
beforeAll(async () => {
  h = await openStillEnvironment()
})
afterAll(async () => await h.close())

const ticket = (id: string, body: Record<string, unknown> = {}) =>
  h.call('POST', `/v1/submissions/${id}/tickets`, { body: { slot: 'plan', ...body } })

const request = (submissionId: string, more: Partial<CreationRequest> = {}): CreationRequest => ({
  owner: 'portal',
  submissionId,
  slot: 'plan',
  replaces: null,
  maxBytes: null,
  declared: { filename: 'a.pdf', type: 'application/pdf', bytes: 1000 },
  issuedAtMs: h.clock.ms,
  nowMs: h.clock.ms,
  via: 'tus',
  ...more,
})

async function refusal(promise: Promise<unknown>): Promise<AppError> {
  const error = await promise.then(
    () => undefined,
    (thrown: unknown) => thrown,
  )
  if (error instanceof AppError) return error
  throw new Error(`expected a refusal, got ${String(error)}`)
}

describe('a ticket', () => {
  it('contains where to upload, what, and until when', async () => {
    await h.put('t-1')
    const { status, body, headers } = await ticket('t-1', {
      subject: 'ครู 1',
      maxBytes: 800,
      expiresInSeconds: 60,
    })
    expect(status).toBe(201)
    expect(headers['cache-control']).toBe('no-store')
    expect(body).toEqual({
      ticket: expect.any(String),
      tusEndpoint: 'https://songngan.example/files',
      expiresAt: isoTime(h.clock.ms + 60_000),
      limits: {
        kinds: ['pdf'],
        extensions: ['pdf'],
        mimeTypes: ['application/pdf'],
        maxBytes: 800,
        maxDurationSeconds: null,
        maxPages: 10,
        filesLeft: 1,
      },
    })
    expect(await h.deps.tokens.verifyTicket(String(body['ticket']), { checkExpiry: true })).toMatchObject({
      owner: 'portal',
      submission: 't-1',
      slot: 'plan',
      subject: 'ครู 1',
      maxBytes: 800,
      replaces: null,
    })
  })

  it('is valid as long as configured, and never allows more than the slot', async () => {
    await h.put('t-2')
    const { body } = await ticket('t-2', { maxBytes: 9_999_999 })
    expect(body).toMatchObject({ expiresAt: isoTime(h.clock.ms + 3_600_000), limits: { maxBytes: 5000 } })
  })

  it('is refused for wrong requests', async () => {
    await h.put('t-3')
    expectProblem(await ticket('t-3', { slot: 'nothing' }), 'SLOT_UNKNOWN', { details: { slot: 'nothing' } })
    expectProblem(await ticket('unmade'), 'SUBMISSION_UNKNOWN')
    expectProblem(await ticket('t-3', { maxBytes: 0 }), 'BAD_REQUEST')
    expectProblem(await ticket('t-3', { expiresInSeconds: 1 }), 'BAD_REQUEST')
    expectProblem(await ticket('t-3', { slots: 'plan' }), 'BAD_REQUEST')
    expectProblem(await ticket('t-3', { replaces: 'nobody' }), 'REPLACES_UNKNOWN', {
      details: { replaces: 'nobody' },
    })
  })

  it('does not name an upload of another slot or submission', async () => {
    await h.put('t-4')
    await h.put('t-5')
    const elsewhere = await h.acceptedUpload('t-5', 'plan')
    const beside = await h.acceptedUpload('t-4', 'extras')
    for (const { id } of [elsewhere, beside]) expectProblem(await ticket('t-4', { replaces: id }), 'REPLACES_UNKNOWN')
  })
})

describe('dates', () => {
  const deadline = START + 86_400_000
  const at = async (ms: number, act: () => Promise<void>) => {
    const before = h.clock.ms
    h.clock.ms = ms
    await act().finally(() => {
      h.clock.ms = before
    })
  }

  it('are refused with the missed time', async () => {
    await h.put('early', { opensAt: isoTime(START + 3_600_000) })
    expectProblem(await ticket('early'), 'NOT_OPEN_YET', { details: { opensAt: isoTime(START + 3_600_000) } })
    await h.put('late', { deadline: isoTime(deadline), graceSeconds: 600 })
    await at(deadline, async () => expect((await ticket('late')).status).toBe(201))
    await at(deadline + 1, async () =>
      expectProblem(await ticket('late'), 'DEADLINE_PASSED', {
        details: { deadline: isoTime(deadline), graceSeconds: 600 },
      }),
    )
  })

  it('allow a ticket issued before the deadline to create until grace is over', async () => {
    await h.put('grace', { deadline: isoTime(deadline), graceSeconds: 600 })
    const create = (issuedAtMs: number | null, nowMs: number) =>
      decideCreation(h.deps, request('grace', { issuedAtMs, nowMs }))
    expect((await create(deadline, deadline + 600_000)).repairs).toBe(false)
    for (const [issued, now] of [
      [deadline, deadline + 600_001],
      [deadline + 1, deadline + 1],
      [null, deadline + 1],
    ] as const)
      expect((await refusal(create(issued, now))).code).toBe('DEADLINE_PASSED')
  })

  it('allow grace for a slot with an attempt in time, and only for that slot', async () => {
    await h.put('attempted', { deadline: isoTime(deadline), graceSeconds: 600 })
    const asked: unknown[] = []
    const attempts = {
      attemptedBy: async (...args: unknown[]) => {
        asked.push(args)
        return args[2] === 'plan'
      },
    }
    const create = (slot: string, nowMs: number) =>
      decideCreation({ ...h.deps, attempts }, request('attempted', { slot, nowMs, issuedAtMs: nowMs }))
    expect((await create('plan', deadline + 1)).slot.id).toBe('plan')
    expect(asked).toEqual([['portal', 'attempted', 'plan', deadline]])
    expect((await refusal(create('extras', deadline + 1))).code).toBe('DEADLINE_PASSED')
    expect((await refusal(create('plan', deadline + 600_001))).code).toBe('DEADLINE_PASSED')
  })

  it('allow to replace a file rejected after the deadline, if a return says so', async () => {
    await h.put('repaired', { deadline: isoTime(START + 60_000) })
    const inTime = await h.beginUpload('repaired', 'plan')
    await h.storeUpload(inTime)
    await at(START + 120_000, async () => {
      await h.judgeUpload(inTime.id, 'rejected')
      expectProblem(await ticket('repaired'), 'DEADLINE_PASSED')
      await h.deps.heads.commit('portal', 'repaired', (head) => {
        if (head === undefined) throw new Error('no head')
        const returned = {
          revision: 1,
          returnedAt: isoTime(h.clock.ms),
          repairUntil: isoTime(START + 300_000),
        }
        return { ...head, state: 'returned', revision: 2, revisions: [returned] }
      })
      expect((await ticket('repaired')).status).toBe(201)
      expectProblem(await ticket('repaired', { slot: 'extras' }), 'DEADLINE_PASSED')
      const { revision, repairs } = await decideCreation(h.deps, request('repaired'))
      expect({ revision, repairs }).toEqual({ revision: 2, repairs: true })
    })
    await at(START + 300_001, async () => expectProblem(await ticket('repaired'), 'DEADLINE_PASSED'))
  })
})

describe('places in a slot', () => {
  it('for one file: the new one replaces the accepted one unless another is named', async () => {
    await h.put('single')
    const place = (more: Partial<CreationRequest> = {}) => decideCreation(h.deps, request('single', more))
    expect((await place()).replaces).toBeNull()
    const first = await h.acceptedUpload('single', 'plan')
    expect((await place()).replaces).toBe(first.id)
    const waiting = await h.beginUpload('single', 'plan')
    expect((await place()).replaces).toBe(first.id)
    expect((await place({ replaces: waiting.id })).replaces).toBe(waiting.id)
    const second = await h.acceptedUpload('single', 'plan', { replaces: first.id })
    expect((await place({ replaces: first.id })).replaces).toBe(second.id)
    expect((await ticket('single')).status).toBe(201)
  })

  it('for several files: unfinished uploads use a place until they end', async () => {
    await h.put('several')
    const place = (more: Partial<CreationRequest> = {}) =>
      decideCreation(h.deps, request('several', { slot: 'extras', ...more }))
    expect((await place()).filesLeft).toBe(2)
    const one = await h.acceptedUpload('several', 'extras')
    expect((await place()).filesLeft).toBe(1)
    const two = await h.beginUpload('several', 'extras')
    const full = { slot: 'extras', limit: 2, occupants: [one.id, two.id] }
    expectProblem(await ticket('several', { slot: 'extras' }), 'SLOT_FULL', { details: full })
    const toTus = await refusal(place())
    expect([toTus.code, toTus.status, toTus.details]).toEqual(['SLOT_FULL', 403, full])
    expect((await place({ replaces: one.id })).replaces).toBe(one.id)
    expect((await place({ nowMs: h.clock.ms + h.deps.config.uploads.expiryMs })).filesLeft).toBe(1)
    await h.deps.hot.endUnstored(two.id, 'cancelled', 60_000)
    expect((await ticket('several', { slot: 'extras' })).status).toBe(201)
  })

  it('are shared by a file and its replacement', async () => {
    await h.put('succession')
    const one = await h.acceptedUpload('succession', 'extras')
    await h.beginUpload('succession', 'extras', { replaces: one.id })
    expect((await ticket('succession', { slot: 'extras' })).body).toMatchObject({ limits: { filesLeft: 1 } })
    await h.acceptedUpload('succession', 'extras')
    expectProblem(await ticket('succession', { slot: 'extras', replaces: one.id }), 'SLOT_FULL')
    expectProblem(await ticket('succession', { slot: 'extras' }), 'SLOT_FULL')
  })

  it('are shared by the partials of a concatenation', async () => {
    await h.put('parts')
    await h.acceptedUpload('parts', 'extras')
    const place = (more: Partial<CreationRequest> = {}) =>
      decideCreation(h.deps, request('parts', { slot: 'extras', ...more }))
    const declared = { filename: null, type: 'video/mp4', bytes: 10 }
    await place({ concat: 'partial', declared })
    await h.beginUpload('parts', 'extras', { concat: { kind: 'partial' } })
    await place({ concat: 'partial', declared })
    expect((await refusal(place())).code).toBe('SLOT_FULL')
    await place({ concat: 'final' })
  })

  it('are released by a rejection', async () => {
    await h.put('rejected')
    await h.acceptedUpload('rejected', 'extras')
    const bad = await h.beginUpload('rejected', 'extras')
    await h.storeUpload(bad)
    expectProblem(await ticket('rejected', { slot: 'extras' }), 'SLOT_FULL')
    await h.judgeUpload(bad.id, 'rejected')
    expect((await ticket('rejected', { slot: 'extras' })).body).toMatchObject({ limits: { filesLeft: 1 } })
  })
})

describe('the declared values', () => {
  it.each([
    ['too many bytes', { bytes: 5001 }, 'UPLOAD_TOO_LARGE', { limit: 5000, actual: 5001 }],
    ['nothing', { bytes: 0 }, 'UPLOAD_EMPTY', {}],
    [
      'a type that the slot does not take',
      { type: 'video/mp4', filename: 'a.mp4' },
      'UPLOAD_TYPE_NOT_ALLOWED',
      { limit: ['pdf'] },
    ],
  ])('is refused: %s', async (_, declared, code, details) => {
    await h.put('declared')
    const file = { filename: 'a.pdf', type: 'application/pdf', bytes: 1000, ...declared }
    const error = await refusal(decideCreation(h.deps, request('declared', { declared: file })))
    expect([error.code, error.details]).toEqual([code, expect.objectContaining(details)])
  })

  it('set the limits of the draft, the smallest of slot, ticket and service', async () => {
    await h.put('declared')
    const place = (maxBytes: number | null) =>
      decideCreation(h.deps, request('declared', { maxBytes, declared: { filename: null, type: null, bytes: null } }))
    expect(await place(null)).toMatchObject({ maxBytes: 5000, kinds: ['pdf'], revision: 1 })
    expect((await place(10)).maxBytes).toBe(10)
    const parts = {
      ...h.deps,
      config: { ...h.deps.config, uploads: { ...h.deps.config.uploads, maxBytes: 7 } },
    }
    expect((await decideCreation(parts, request('declared', { declared: null }))).maxBytes).toBe(7)
  })
})
