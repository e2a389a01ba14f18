// Handing in: what a seal freezes, what it waits for, and what it refuses from then on.

import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { isoTime } from '../../../src/core/clock.ts'
import { decideCreation } from '../../../src/submissions/creation.ts'
import type { SubmissionDocument } from '../../../src/submissions/document/schemas.ts'
import { settleDueSubmissions } from '../../../src/submissions/due-submissions.ts'
import { openStillEnvironment, type StillEnvironment } from '../../support/environment.ts'
import { reached } from '../../support/records.ts'
import { expectProblem } from './expect-problem.ts'

let h: StillEnvironment
beforeAll(async () => {
  h = await openStillEnvironment()
})
afterAll(async () => await h.close())

const seal = (id: string, body?: Record<string, unknown>, token?: string) =>
  h.call('POST', `/v1/submissions/${id}/seal`, {
    ...(body === undefined ? {} : { body }),
    ...(token === undefined ? {} : { token }),
  })
const waiting = (id: string) => seal(id, { whenComplete: true })
const document = async (id: string) =>
  (await h.call('GET', `/v1/submissions/${id}`)).body as unknown as SubmissionDocument
const stateOf = async (id: string) => (await h.call('GET', `/v1/uploads/${id}`)).body['state']
const eventsOf = async (id: string) => (await h.events()).filter(({ data }) => data.submissionId === id)
const told = async (id: string) =>
  (await eventsOf(id)).filter(({ type }) => type.startsWith('submission.')).map(({ type }) => type)
/** A minute passes, and the reconciler with it. */
const later = async () => {
  h.clock.ms += 61_000
  return await settleDueSubmissions(h.deps)
}
const isDue = async (id: string) =>
  (await h.deps.redis.hot.zscore(h.deps.index.keys.dueOf('due-submissions', 'portal', id), `portal/${id}`)) !== null

describe('a seal', () => {
  it('freezes the counting files, with the credited time', async () => {
    await h.put('s-1')
    const plan = await h.acceptedUpload('s-1', 'plan')
    const first = await h.acceptedUpload('s-1', 'extras')
    const storedAt = isoTime(h.clock.ms)
    h.clock.ms += 3_600_000
    const { status, body, headers } = await seal('s-1')
    expect(status).toBe(200)
    expect(headers['etag']).toEqual(expect.any(String))
    const uploads = { plan: [plan.id], extras: [first.id] }
    expect(body).toMatchObject({
      state: 'sealed',
      revision: 1,
      complete: true,
      accepting: false,
      missing: [],
      pending: [],
      creditedAt: storedAt,
      sealRequestedAt: null,
      revisions: [{ revision: 1, sealedAt: isoTime(h.clock.ms), creditedAt: storedAt, uploads }],
    })
    expect(await document('s-1')).toEqual(body)
    expect(await told('s-1')).toEqual(['submission.complete', 'submission.sealed'])
    expect((await eventsOf('s-1')).at(-1)?.data).toEqual({
      submissionId: 's-1',
      revision: 1,
      state: 'sealed',
      by: 'request',
      sequence: body['sequence'],
    })
  })

  it('repeated is no second seal', async () => {
    await h.put('s-2')
    await h.acceptedUpload('s-2', 'plan')
    const { body } = await seal('s-2')
    h.clock.ms += 1000
    expect(await seal('s-2')).toMatchObject({ status: 200, body })
    expect(await waiting('s-2')).toMatchObject({ status: 200, body })
    expect(await told('s-2')).toEqual(['submission.complete', 'submission.sealed'])
  })

  it('by many concurrent calls makes one version', async () => {
    await h.put('s-3')
    await h.acceptedUpload('s-3', 'plan')
    const before = await h.deps.heads.fromStore('portal', 's-3')
    const answers = await Promise.all(Array.from({ length: 10 }, () => seal('s-3')))
    expect(new Set(answers.map(({ status }) => status))).toEqual(new Set([200]))
    expect((await h.deps.heads.fromStore('portal', 's-3'))?.version).toBe((before?.version ?? 0) + 1)
    expect((await told('s-3')).filter((type) => type === 'submission.sealed')).toHaveLength(1)
  })

  it('is refused with the missing files, and with the pending ones', async () => {
    await h.put('s-4')
    const incomplete = (missing: string[], pending: string[]) => ({ details: { missing, pending } })
    expectProblem(await seal('s-4'), 'SUBMISSION_INCOMPLETE', incomplete(['plan'], []))
    expectProblem(await waiting('s-4'), 'SUBMISSION_INCOMPLETE', incomplete(['plan'], []))
    const draft = await h.beginUpload('s-4', 'plan')
    expectProblem(await seal('s-4'), 'SUBMISSION_INCOMPLETE', incomplete(['plan'], []))
    await h.storeUpload(draft)
    expectProblem(await seal('s-4'), 'SUBMISSION_INCOMPLETE', incomplete([], ['plan']))
    await h.judgeUpload(draft.id, 'rejected')
    expectProblem(await seal('s-4'), 'SUBMISSION_INCOMPLETE', incomplete(['plan'], []))
    expect((await document('s-4')).state).toBe('open')
    expectProblem(await seal('s-4', { when: true }), 'BAD_REQUEST')
    expectProblem(await seal('never-made'), 'SUBMISSION_UNKNOWN')
  })

  it('does not seal a file whose replacement is pending', async () => {
    await h.put('s-5')
    const old = await h.acceptedUpload('s-5', 'plan')
    const successor = await h.beginUpload('s-5', 'plan', { replaces: old.id })
    await h.storeUpload(successor)
    expect((await document('s-5')).complete).toBe(true)
    expectProblem(await seal('s-5'), 'SUBMISSION_INCOMPLETE', { details: { missing: [], pending: ['plan'] } })
    await h.judgeUpload(successor.id, 'accepted')
    expect((await seal('s-5')).body).toMatchObject({ revisions: [{ uploads: { plan: [successor.id] } }] })
  })

  it('cancels unfinished uploads, with and without a stored byte', async () => {
    await h.put('s-6')
    await h.acceptedUpload('s-6', 'plan')
    const some = await h.beginUpload('s-6', 'extras')
    await h.receiveBytes(some)
    const none = await h.beginUpload('s-6', 'extras')
    expect((await seal('s-6')).body['complete']).toBe(true)
    expect(await stateOf(some.id)).toBe('cancelled')
    expect((await h.deps.uploads.fromStore(some.id))?.state).toBe('cancelled')
    expect((await h.deps.hot.read(none.id))?.status).toBe('cancelled')
    expect((await h.deps.hot.acquire(some.id, 'fence', 'here', { offset: 400 })).kind).toBe('ended')
    expect((await eventsOf('s-6')).at(-1)).toMatchObject({
      type: 'upload.cancelled',
      data: { uploadId: some.id },
    })
  })

  it('also cancels an upload that was admitted just before it and starts just after it', async () => {
    await h.put('s-7')
    await h.acceptedUpload('s-7', 'plan')
    await seal('s-7')
    const straggler = await h.beginUpload('s-7', 'extras')
    await later()
    expect((await h.deps.hot.read(straggler.id))?.status).toBe('cancelled')
    expect(await isDue('s-7')).toBe(false)
  })

  it('of a process that died right after its commit is published and completed by another', async () => {
    await h.put('s-8')
    await h.acceptedUpload('s-8', 'plan')
    const draft = await h.beginUpload('s-8', 'extras')
    await h.receiveBytes(draft)
    const { heads, index } = h.deps
    // What is left when nothing happens after the object was written: the version, and the place to look.
    const current = await heads.fromStore('portal', 's-8')
    const at = isoTime(h.clock.ms)
    const uploads = { plan: (await document('s-8')).slots[0]?.counted ?? [] }
    const version = (current?.version ?? 0) + 1
    const next = {
      ...current,
      version,
      nonce: 'n',
      committedAt: at,
      state: 'sealed',
      event: 'submission.sealed',
      sequence: await heads.nextSequence('portal', 's-8'),
      revisions: [{ revision: 1, sealedAt: at, uploads }],
    }
    const key = `submissions/portal/s-8/${String(version).padStart(6, '0')}.json`
    await h.deps.store.createIfAbsent(key, Buffer.from(JSON.stringify(next)))
    await index.setSubmissionDue('portal', 's-8', h.clock.ms + 60_000)
    expect((await document('s-8')).state).toBe('open')
    await later()
    expect((await document('s-8')).state).toBe('sealed')
    expect(await told('s-8')).toEqual(['submission.complete', 'submission.sealed'])
    expect(await stateOf(draft.id)).toBe('cancelled')
  })
})

describe('a seal that waits', () => {
  const pending = async (id: string) => {
    await h.put(id)
    const draft = await h.beginUpload(id, 'plan')
    await h.storeUpload(draft)
    return draft
  }

  it('is made before deletions are gone on with, of which there may be thousands', async () => {
    const ids = Array.from({ length: 250 }, (_, i) => `w-deleted-${i}`)
    for (const id of ids) await h.commitHead(id, { state: 'deleted' })
    h.clock.ms += 1000
    const draft = await pending('w-0')
    expect((await waiting('w-0')).status).toBe(202)
    // Its process dies before it looks for waiting seals.
    await h.reach(draft.id, 'accepted')
    await later()
    expect((await document('w-0')).state).toBe('sealed')
    for (let left = 1; left > 0; ) left = await later()
    expect((await h.deps.heads.fromStore('portal', 'w-deleted-249'))?.erasedAt).toBeDefined()
  })

  it('is made by the process that commits the last verdict', async () => {
    const draft = await pending('w-1')
    const { status, body } = await waiting('w-1')
    expect(status).toBe(202)
    expect(body).toMatchObject({ state: 'open', pending: ['plan'], sealRequestedAt: isoTime(h.clock.ms) })
    // Asked again, it waits since then.
    h.clock.ms += 5000
    expect((await waiting('w-1')).body['sealRequestedAt']).toBe(body['sealRequestedAt'])
    await h.judgeUpload(draft.id, 'accepted')
    expect(await document('w-1')).toMatchObject({ state: 'sealed', sealRequestedAt: null })
    const events = await eventsOf('w-1')
    expect(events.map(({ type }) => type)).toEqual([
      'upload.created',
      'upload.stored',
      'upload.accepted',
      'submission.complete',
      'submission.sealed',
    ])
    const sequences = events.map(({ data }) => data.sequence)
    expect(sequences).toEqual(sequences.toSorted((a, b) => a - b))
  })

  it('is made by the reconciler if that worker died', async () => {
    const draft = await pending('w-2')
    await waiting('w-2')
    await h.deps.uploads.commit(draft.id, (current) => current && reached(current, 'accepted'))
    expect((await document('w-2')).state).toBe('open')
    await later()
    expect((await document('w-2')).state).toBe('sealed')
    await later()
    expect(await isDue('w-2')).toBe(false)
  })

  it('survives the loss of Redis', async () => {
    const draft = await pending('w-3')
    await waiting('w-3')
    await h.deps.uploads.commit(draft.id, (current) => current && reached(current, 'accepted'))
    await h.deps.redis.hot.flushall()
    expect(await document('w-3')).toMatchObject({ state: 'open', complete: true })
    await later()
    expect((await document('w-3')).state).toBe('sealed')
  })

  it('keeps waiting after a rejection, and for its replacement', async () => {
    const draft = await pending('w-4')
    await waiting('w-4')
    await h.judgeUpload(draft.id, 'rejected')
    expect(await document('w-4')).toMatchObject({ state: 'open', missing: ['plan'] })
    const mended = await h.beginUpload('w-4', 'plan')
    const beside = await h.beginUpload('w-4', 'extras')
    await h.receiveBytes(beside)
    await h.storeUpload(mended)
    await h.judgeUpload(mended.id, 'accepted')
    // Begun since: whoever is sending it wants it handed in as well.
    expect(await document('w-4')).toMatchObject({ state: 'open', complete: true })
    await later()
    expect((await document('w-4')).state).toBe('open')
    h.clock.ms += h.deps.config.uploads.expiryMs
    await later()
    expect(await document('w-4')).toMatchObject({
      state: 'sealed',
      revisions: [{ uploads: { plan: [mended.id] } }],
    })
  })

  it('is made immediately by a call that does not wait, whatever is pending', async () => {
    const draft = await pending('w-5')
    await waiting('w-5')
    const beside = await h.beginUpload('w-5', 'extras')
    await h.judgeUpload(draft.id, 'accepted')
    expect((await document('w-5')).state).toBe('open')
    expect((await seal('w-5')).body['state']).toBe('sealed')
    expect((await h.deps.hot.read(beside.id))?.status).toBe('cancelled')
  })

  it('can be cancelled until it is made', async () => {
    const draft = await pending('w-6')
    await waiting('w-6')
    const withdraw = () => h.call('DELETE', '/v1/submissions/w-6/seal')
    expect((await withdraw()).body).toMatchObject({ state: 'open', sealRequestedAt: null })
    expect((await withdraw()).status).toBe(200)
    await h.judgeUpload(draft.id, 'accepted')
    expect((await document('w-6')).state).toBe('open')
    await seal('w-6')
    expectProblem(await withdraw(), 'SUBMISSION_SEALED', { status: 409 })
  })

  it('misses no verdict that is committed while the request is stored', async () => {
    for (let i = 0; i < 8; i++) {
      const id = `w-7-${i}`
      const draft = await pending(id)
      const [answer] = await Promise.all([waiting(id), h.judgeUpload(draft.id, 'accepted')])
      expect([200, 202]).toContain(answer.status)
      expect((await document(id)).state).toBe('sealed')
      expect((await told(id)).filter((type) => type === 'submission.sealed')).toHaveLength(1)
    }
  })
})

describe('a sealed submission', () => {
  it('refuses every change', async () => {
    await h.put('r-1')
    const plan = await h.acceptedUpload('r-1', 'plan')
    const bad = await h.beginUpload('r-1', 'extras')
    await h.storeUpload(bad)
    await h.judgeUpload(bad.id, 'rejected')
    const { body } = await seal('r-1')
    const conflict = { status: 409 }
    const put = (change: object) => h.call('PUT', '/v1/submissions/r-1', { body: { profile: 'tiny@1', ...change } })
    expectProblem(await put({ deadline: isoTime(h.clock.ms + 1000) }), 'SUBMISSION_SEALED', conflict)
    expectProblem(await put({}), 'SUBMISSION_SEALED', conflict)
    expectProblem(
      await h.call('POST', '/v1/submissions/r-1/tickets', { body: { slot: 'extras' } }),
      'SUBMISSION_SEALED',
    )
    expectProblem(
      await h.call('PATCH', '/v1/submissions/r-1/slots/plan', { body: { metadata: { plannedMinutes: 9 } } }),
      'SUBMISSION_SEALED',
      conflict,
    )
    for (const { id } of [plan, bad])
      expectProblem(await h.call('DELETE', `/v1/uploads/${id}`), 'SUBMISSION_SEALED', conflict)
    await expect(
      decideCreation(h.deps, {
        owner: 'portal',
        submissionId: 'r-1',
        slot: 'plan',
        replaces: null,
        maxBytes: null,
        declared: { filename: 'a.pdf', type: 'application/pdf', bytes: 10 },
        issuedAtMs: h.clock.ms,
        nowMs: h.clock.ms,
        via: 'tus',
      }),
    ).rejects.toMatchObject({ code: 'SUBMISSION_SEALED', status: 403 })
    expect(await document('r-1')).toEqual(body)
  })

  it('is sealed only by a session with the right to seal', async () => {
    await h.put('r-2')
    await h.put('r-3')
    await h.acceptedUpload('r-2', 'plan')
    const uploader = await h.session('r-2', { can: ['read', 'upload'] })
    const sealer = await h.session('r-2', { can: ['read', 'seal'] })
    expectProblem(await seal('r-2', {}, uploader), 'SESSION_SCOPE')
    expectProblem(await seal('r-3', {}, sealer), 'SUBMISSION_UNKNOWN')
    expect((await seal('r-2', {}, sealer)).body['state']).toBe('sealed')
  })

  it('can still be deleted by its portal', async () => {
    await h.put('r-4')
    await h.acceptedUpload('r-4', 'plan')
    await seal('r-4')
    expect((await h.call('DELETE', '/v1/submissions/r-4')).status).toBe(204)
    expectProblem(await seal('r-4'), 'SUBMISSION_DELETED')
    h.clock.ms += 86_400_000
    await later()
    expect(await isDue('r-4')).toBe(false)
  })
})
