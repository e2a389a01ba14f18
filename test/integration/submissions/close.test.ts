// After the decision: a portal closes what was handed in, and says until when its files stay. Then they go, once, whoever dies
// meanwhile; documents and receipts stay. Until then the date can be moved, and the closing be withdrawn.

import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { isoTime } from '../../../src/core/clock.ts'
import { renditionChanged } from '../../../src/lifecycle/transitions.ts'
import { objectKeys } from '../../../src/records/keys.ts'
import type { SubmissionDocument } from '../../../src/submissions/document/schemas.ts'
import { removeClosedMedia } from '../../../workers/lanes/closed-media.ts'
import { applyRetention } from '../../../workers/lanes/retention.ts'
import { openStillEnvironment, type StillEnvironment } from '../../support/environment.ts'
import { begun } from '../../support/records.ts'
import { expectProblem } from './expect-problem.ts'

const DAY_MS = 86_400_000

let h: StillEnvironment
beforeAll(async () => {
  h = await openStillEnvironment()
})
afterAll(async () => await h.close())

const inDays = (days: number) => isoTime(h.clock.ms + days * DAY_MS)
const close = (id: string, body: Record<string, unknown> = {}) =>
  h.call('POST', `/v1/submissions/${id}/close`, { body: { keepUntil: inDays(30), ...body } })
const reopen = (id: string) => h.call('DELETE', `/v1/submissions/${id}/close`)
const give = (id: string) => h.call('POST', `/v1/submissions/${id}/return`, { body: { reason: 'once more' } })
const document = async (id: string) =>
  (await h.call('GET', `/v1/submissions/${id}`)).body as unknown as SubmissionDocument
const closingOf = async (id: string) => (await document(id)).revisions.at(-1)?.closed
const links = (upload: string) => h.call('POST', `/v1/uploads/${upload}/links`, { body: {} })
const told = async (id: string) => (await h.eventsOf(id)).filter(({ type }) => type.startsWith('submission.'))
const types = async (id: string) => (await told(id)).map(({ type }) => type)
const mediaOf = async (upload: string) => {
  const keys: string[] = []
  for await (const { key } of h.deps.store.list(objectKeys.upload(upload)))
    if (!key.startsWith(objectKeys.uploadRecord(upload))) keys.push(key)
  return keys
}
const isOver = async (days: number) => {
  h.clock.ms += days * DAY_MS
  return await applyRetention(h.deps)
}

/** Handed in, with a file that was read to its end. */
const handIn = async (id: string) => {
  await h.put(id)
  const plan = await h.acceptedUpload(id, 'plan')
  await h.reach(plan.id, 'ready', { sha256: 'a'.repeat(64) })
  expect((await h.call('POST', `/v1/submissions/${id}/seal`)).status).toBe(200)
  return plan.id
}

describe('a closing', () => {
  it('is noted with date and outcome, told, and repeated without effect', async () => {
    await handIn('c-1')
    const keepUntil = inDays(30)
    const { status, body } = await close('c-1', { keepUntil, outcome: 'passed' })
    expect([status, body['state']]).toEqual([200, 'sealed'])
    const closed = { at: isoTime(h.clock.ms), keepUntil, outcome: 'passed' }
    expect(await closingOf('c-1')).toEqual(closed)
    h.clock.ms += 40 * DAY_MS
    expect((await close('c-1', { keepUntil, outcome: 'passed' })).status).toBe(200)
    expect(await closingOf('c-1')).toEqual(closed)
    expect((await told('c-1')).map(({ type, data }) => [type, data.keepUntil])).toEqual([
      ['submission.complete', undefined],
      ['submission.sealed', undefined],
      ['submission.closed', keepUntil],
    ])
    expect(JSON.stringify(await told('c-1'))).not.toContain('passed')
  })

  it('is refused with the reason', async () => {
    expectProblem(await close('c-none'), 'SUBMISSION_UNKNOWN', { status: 404 })
    expectProblem(await reopen('c-none'), 'SUBMISSION_UNKNOWN', { status: 404 })
    await h.put('c-open')
    expectProblem(await close('c-open'), 'SUBMISSION_NOT_SEALED', { status: 409 })
    expectProblem(await reopen('c-open'), 'SUBMISSION_NOT_SEALED', { status: 409 })
    await handIn('c-2')
    const wrong = [
      { keepUntil: isoTime(h.clock.ms) },
      { keepUntil: inDays(-1) },
      { keepUntil: '2026-02-30T25:00:00Z' },
      { keepUntil: 'next year' },
      { keepUntil: null },
      { keepUntil: inDays(1), outcome: '' },
      { keepUntil: inDays(1), outcome: 'x'.repeat(201) },
      { keepUntil: inDays(1), outcom: 'passed' },
    ]
    for (const body of wrong) expectProblem(await close('c-2', body), 'BAD_REQUEST', { status: 400 })
    const session = await h.session('c-2', { can: ['read', 'upload', 'seal'] })
    const asSession = { token: session, body: { keepUntil: inDays(1) } }
    expectProblem(await h.call('POST', '/v1/submissions/c-2/close', asSession), 'SESSION_SCOPE', { status: 403 })
    expectProblem(await h.call('DELETE', '/v1/submissions/c-2/close', { token: session }), 'SESSION_SCOPE')
    expect(await closingOf('c-2')).toBeUndefined()
    await h.call('DELETE', '/v1/submissions/c-2')
    expectProblem(await close('c-2'), 'SUBMISSION_DELETED', { status: 410 })
  })

  it('can be moved, in both directions, and withdrawn, as long as nothing was removed', async () => {
    const plan = await handIn('c-3')
    await close('c-3', { keepUntil: inDays(10) })
    await close('c-3', { keepUntil: inDays(40), outcome: 'appeal' })
    await isOver(20)
    expect(await mediaOf(plan)).toHaveLength(1)
    // The date has passed, and no worker has come by.
    h.clock.ms += 21 * DAY_MS
    expect((await close('c-3', { keepUntil: inDays(5) })).status).toBe(200)
    expect(await isOver(0)).toBe(0)
    expect((await reopen('c-3')).status).toBe(200)
    expect((await reopen('c-3')).status).toBe(200)
    await isOver(400)
    expect(await mediaOf(plan)).toHaveLength(1)
    expect(await closingOf('c-3')).toBeUndefined()
    expect((await types('c-3')).slice(2)).toEqual([
      'submission.closed',
      'submission.closed',
      'submission.closed',
      'submission.reopened',
    ])
  })

  it('is history after a return: what is handed in again stays until it is closed again', async () => {
    const plan = await handIn('c-4')
    await close('c-4', { keepUntil: inDays(10) })
    expect((await give('c-4')).status).toBe(200)
    await isOver(20)
    await h.call('POST', '/v1/submissions/c-4/seal')
    await isOver(20)
    expect(await mediaOf(plan)).toHaveLength(1)
    expect((await document('c-4')).revisions.map(({ closed }) => closed === undefined)).toEqual([false, true])
    await close('c-4', { keepUntil: inDays(10) })
    await isOver(10)
    expect(await mediaOf(plan)).toEqual([])
  })
})

describe('when its date has come', () => {
  it('all its media go; documents, receipts and the right answers stay', async () => {
    const first = await handIn('d-1')
    await give('d-1')
    const second = await h.acceptedUpload('d-1', 'plan', { revision: 2, replaces: first })
    await h.reach(second.id, 'accepted', { sha256: 'b'.repeat(64) })
    const bad = await h.beginUpload('d-1', 'extras')
    await h.storeUpload(bad)
    await h.judgeUpload(bad.id, 'rejected')
    await h.call('POST', '/v1/submissions/d-1/seal')
    await close('d-1', { keepUntil: inDays(10), outcome: 'passed' })
    const before = await document('d-1')
    const receipt = await h.call('GET', `/v1/uploads/${first}/receipt`)
    expect((await links(second.id)).status).toBe(200)

    expect(await isOver(10)).toBe(3)
    for (const id of [first, second.id, bad.id]) expect(await mediaOf(id)).toEqual([])
    const after = await document('d-1')
    const closed = { ...before.revisions[1]?.closed, mediaRemovedAt: isoTime(h.clock.ms) }
    const { sequence, updatedAt } = after
    expect(after).toMatchObject({ ...before, revisions: [before.revisions[0], { closed }], sequence, updatedAt })
    expect((await told('d-1')).at(-1)).toMatchObject({
      type: 'submission.media_removed',
      data: { state: 'sealed', revision: 2, sequence },
    })
    expectProblem(await links(second.id), 'MEDIA_REMOVED', { status: 410 })
    expect((await h.call('GET', `/v1/uploads/${first}/receipt`)).body['claims']).toMatchObject({
      ...(receipt.body['claims'] as object),
      iat: Math.floor(h.clock.ms / 1000),
    })
    const verified = await h.call('POST', '/v1/receipts/verify', { body: { receipt: receipt.body['receipt'] } })
    expect(verified.body['valid']).toBe(true)
    const whole = await h.call('GET', '/v1/submissions/d-1/receipt')
    expect([whole.status, JSON.stringify(whole.body)]).toEqual([200, expect.stringContaining('b'.repeat(64))])
    expect(await isOver(400)).toBe(0)
    expect((await types('d-1')).filter((type) => type === 'submission.media_removed')).toHaveLength(1)
  })

  it('nothing can bring it back', async () => {
    await handIn('d-2')
    const keepUntil = inDays(10)
    await close('d-2', { keepUntil })
    await isOver(10)
    const at = { mediaRemovedAt: isoTime(h.clock.ms) }
    for (const answer of [await close('d-2'), await reopen('d-2'), await give('d-2')])
      expectProblem(answer, 'MEDIA_REMOVED', { status: 409, details: at })
    expect((await close('d-2', { keepUntil })).status).toBe(200)
  })

  it('what has no verdict yet is cancelled, and a rendition that is being made does not come back', async () => {
    await h.put('d-3')
    const plan = await h.acceptedUpload('d-3', 'plan')
    const poster = { name: 'poster', kind: 'poster' as const, required: true, state: 'waiting' as const }
    await h.commit(plan.id, (current) => {
      const read = { ...current, sha256: 'a'.repeat(64), renditions: [poster] }
      return begun(read, 'transcode', h.clock.ms)
    })
    const late = await h.beginUpload('d-3', 'extras')
    await h.call('POST', '/v1/submissions/d-3/seal')
    // A request that had been let in before the seal.
    await h.deps.hot.create(late, { size: 1000, expiresAtMs: h.clock.ms + 90 * DAY_MS, partBytes: 1 })
    const stuck = { ...late, id: (await h.beginUpload('d-3', 'extras')).id }
    await h.storeUpload(stuck)
    await close('d-3', { keepUntil: inDays(10) })
    await isOver(10)
    expect((await h.latest(stuck.id)).state).toBe('cancelled')
    for (const id of [plan.id, stuck.id]) expect(await mediaOf(id)).toEqual([])
    const { lanes, renditions } = await h.latest(plan.id)
    expect(lanes.transcode?.claim).toBeUndefined()
    expect(renditions).toMatchObject([{ state: 'skipped', reason: 'RETENTION' }])
    const lease = { uploadId: plan.id, lane: 'transcode', token: 'test', record: await h.latest(plan.id) } as const
    const made = (current: Parameters<typeof renditionChanged>[0]) =>
      renditionChanged(current, 'poster', { state: 'ready', key: 'out' })
    expect(await h.deps.leases.commit(lease as never, (current) => made(current))).toBe(false)
  })

  it('a file whose SHA-256 is not known yet keeps it for another day', async () => {
    await h.put('d-4')
    const plan = await h.acceptedUpload('d-4', 'plan')
    await h.call('POST', '/v1/submissions/d-4/seal')
    await close('d-4', { keepUntil: inDays(10) })
    expect(await isOver(10)).toBe(0)
    expect(await closingOf('d-4')).not.toHaveProperty('mediaRemovedAt')
    await h.reach(plan.id, 'accepted', { sha256: 'a'.repeat(64) })
    expect(await isOver(1)).toBe(1)
    expect(await mediaOf(plan.id)).toEqual([])
  })

  it('it is found years later without being read until then, also after a loss of Redis', async () => {
    const plan = await handIn('d-5')
    await close('d-5', { keepUntil: inDays(1000) })
    await isOver(2)
    await h.deps.redis.hot.flushall()
    await h.deps.rebuilder.heal()
    const { read } = h.deps.store
    const keys: string[] = []
    h.deps.store.read = (key) => {
      keys.push(key)
      return read.call(h.deps.store, key)
    }
    await isOver(900)
    h.deps.store.read = read
    expect(keys.filter((key) => key.includes('d-5') || key.includes(plan))).toEqual([])
    expect(await mediaOf(plan)).toHaveLength(1)
    await isOver(100)
    expect(await mediaOf(plan)).toEqual([])
  })

  it('a deletion goes before it', async () => {
    const plan = await handIn('d-6')
    await close('d-6', { keepUntil: inDays(10) })
    h.clock.ms += 11 * DAY_MS
    const head = await h.deps.heads.require('portal', 'd-6')
    expect((await h.call('DELETE', '/v1/submissions/d-6')).status).toBe(204)
    expect(await removeClosedMedia(h.deps, head)).toBe(0)
    expect((await h.deps.heads.fromStore('portal', 'd-6'))?.state).toBe('deleted')
    expect((await h.latest(plan)).erasedAt).toBeDefined()
  })
})

describe('in the moment of the removal', () => {
  const due = async (id: string) => {
    const plan = await handIn(id)
    await close(id, { keepUntil: inDays(10) })
    h.clock.ms += 10 * DAY_MS
    return plan
  }

  it.each(['moved', 'withdrawn', 'returned'])('of both, a date that is %s and the removal, one wins', async (how) => {
    for (let i = 0; i < 8; i++) {
      const id = `m-${how}-${i}`
      const plan = await due(id)
      const act = { moved: () => close(id), withdrawn: () => reopen(id), returned: () => give(id) }[how]
      if (act === undefined) throw new Error(how)
      const [answer] = await Promise.all([act(), removeClosedMedia(h.deps, { owner: 'portal', id })])
      const isKept = answer.status === 200
      if (!isKept) expectProblem(answer, 'MEDIA_REMOVED', { status: 409 })
      expect([(await mediaOf(plan)).length, (await types(id)).includes('submission.media_removed')]).toEqual([
        isKept ? 1 : 0,
        !isKept,
      ])
    }
  })

  it('several workers remove it once', async () => {
    const plan = await due('m-all')
    await Promise.all([1, 2, 3].map(() => removeClosedMedia(h.deps, { owner: 'portal', id: 'm-all' })))
    expect(await mediaOf(plan)).toEqual([])
    expect((await types('m-all')).filter((type) => type === 'submission.media_removed')).toHaveLength(1)
  })

  it('a worker that dies at any write to the store is followed: gone and told, once', async () => {
    let died = true
    for (let write = 1; died; write++) {
      const id = `k-${write}`
      const plan = await due(id)
      died = await dyingAt(write, () => removeClosedMedia(h.deps, { owner: 'portal', id }))
      await applyRetention(h.deps)
      // What was committed and not told, the reconciler tells a minute later.
      h.clock.ms += 61_000
      await h.deps.reconciler.tick()
      await applyRetention(h.deps)
      const context = `died at write ${write}`
      expect(await mediaOf(plan), context).toEqual([])
      expect(await closingOf(id), context).toHaveProperty('mediaRemovedAt')
      expect((await types(id)).filter((type) => type === 'submission.media_removed').length, context).toBe(1)
      expect(write, 'it never ends').toBeLessThan(40)
    }
  })
})

/** Runs it, and lets the process die before (odd) or right after (even) a write to the store. @returns whether it came so far */
async function dyingAt(write: number, work: () => Promise<unknown>): Promise<boolean> {
  const { store } = h.deps
  const { createIfAbsent, remove } = store
  let writes = 0
  let dead = false
  const step = async <T>(act: () => Promise<T>): Promise<T> => {
    const die = () => {
      dead = true
      throw new Error('this process dies')
    }
    if (dead || ++writes === write) die()
    const done = await act()
    if (++writes === write) die()
    return done
  }
  store.createIfAbsent = (...args) => step(() => createIfAbsent.apply(store, args))
  store.remove = (...args) => step(() => remove.apply(store, args))
  await work().catch((error: unknown) => {
    if (!dead) throw error
  })
  Object.assign(store, { createIfAbsent, remove })
  return dead
}
