// A commit that Redis was not told of: the process died, or Redis did not answer. What was stored is told within a minute,
// and an erasure answers 204 for nothing that it has not done.

import { afterAll, beforeAll, beforeEach, expect, it } from 'vitest'
import { AppError } from '../../../src/core/errors.ts'
import { keptBySeal, mediaRemoved } from '../../../src/lifecycle/transitions.ts'
import type { Applied } from '../../../src/records/publish-in-order.ts'
import { openStillEnvironment, type StillEnvironment } from '../../support/environment.ts'
import { findTraces, keptInDirectory, keptInRedis } from '../../support/traces.ts'

let h: StillEnvironment
/** What Redis does not take. */
let isLost: (applied: Applied) => boolean
beforeAll(async () => {
  h = await openStillEnvironment()
  const { index } = h.deps
  const apply = index.apply.bind(index)
  index.apply = async (applied) => {
    if (isLost(applied)) throw new AppError('REDIS_UNAVAILABLE')
    return await apply(applied)
  }
})
afterAll(async () => await h.close())
beforeEach(() => {
  isLost = () => false
})

/** The next versions that are to be told of are not, so many of them. */
const loses = (of: 'uploads' | 'submissions', count: number) => {
  let left = count
  isLost = ({ upload, announce }) => (upload !== undefined) === (of === 'uploads') && announce && left-- > 0
}
const aMinutePasses = async () => {
  isLost = () => false
  h.clock.ms += 61_000
  await h.deps.reconciler.tick()
}
const traces = async (mark: string) =>
  findTraces([...(await keptInDirectory(h.dataDir)), ...(await keptInRedis(h.deps.redis.hot))], { mark })
const told = async (id: string, type: string) => (await h.eventsOf(id)).filter((event) => event.type === type).length

/** Accepted, with nothing due on it any more. */
async function settled(submission: string): Promise<string> {
  await h.put(submission)
  const declared = { filename: `mark-${submission}.pdf`, type: 'application/pdf', bytes: 1000 }
  const { id } = await h.acceptedUpload(submission, 'plan', { declared })
  await h.deps.hot.setDue(id, null)
  return id
}

it('the first version of an erasure: the second one and its removal follow, and its event', async () => {
  const id = await settled('once')
  loses('uploads', 1)
  expect((await h.call('DELETE', `/v1/uploads/${id}`)).status).toBe(204)
  expect(await traces('mark-once')).toEqual([])
  expect((await h.deps.uploads.fromStore(id))?.erasedAt).toBeDefined()
  expect(await told('once', 'upload.cancelled')).toBe(1)
  expect((await h.call('GET', `/v1/uploads/${id}`)).body).toMatchObject({ state: 'cancelled' })
})

it('any version of an erasure: the answer is no 204, and a minute later it is done', async () => {
  for (const from of [1, 2, 3]) {
    const id = await settled(`from-${from}`)
    let n = 0
    isLost = ({ upload, announce }) => upload !== undefined && announce && ++n >= from
    const { status } = await h.call('DELETE', `/v1/uploads/${id}`)
    expect([from, n >= from, status]).toEqual([from, true, 503])
    await aMinutePasses()
    expect(await traces(`mark-from-${from}`)).toEqual([])
    expect((await h.deps.uploads.fromStore(id))?.erasedAt).toBeDefined()
    expect(await told(`from-${from}`, 'upload.cancelled')).toBe(1)
    expect((await h.call('DELETE', `/v1/uploads/${id}`)).status).toBe(204)
  }
})

it('of an upload that somebody put back before its erasure is no 204', async () => {
  const id = await settled('put-back')
  const handedIn = await h.deps.uploads.fromStore(id)
  const { hot } = h.deps
  const read = hot.read
  hot.read = async (asked) => {
    hot.read = read
    if (handedIn !== undefined) await h.commit(id, (current, sequence) => keptBySeal(current, handedIn, sequence))
    return await read.call(hot, asked)
  }
  expect((await h.call('DELETE', `/v1/uploads/${id}`)).status).toBe(500)
  expect((await h.call('GET', `/v1/uploads/${id}`)).body).toMatchObject({ state: 'accepted' })
  expect((await h.call('DELETE', `/v1/uploads/${id}`)).status).toBe(204)
})

it('any version of an upload on which nothing was due: it is told within a minute', async () => {
  const id = await settled('rest')
  loses('uploads', 1)
  const { record } = await h.deps.uploads.commit(id, (current) => current && mediaRemoved(current, h.clock.ms))
  expect((await h.deps.uploads.latest(id))?.mediaRemovedAt).toBeUndefined()
  await aMinutePasses()
  expect((await h.deps.uploads.latest(id))?.version).toBe(record?.version)
})

it('a return: its event follows within a minute', async () => {
  await settled('back')
  expect((await h.call('POST', '/v1/submissions/back/seal', { body: {} })).status).toBe(200)
  await aMinutePasses()
  await aMinutePasses()
  loses('submissions', 1)
  const asked = { body: { reason: 'once more' } }
  expect((await h.call('POST', '/v1/submissions/back/return', asked)).status).toBe(503)
  await aMinutePasses()
  expect(await told('back', 'submission.returned')).toBe(1)
  expect((await h.call('GET', '/v1/submissions/back')).body).toMatchObject({ state: 'returned' })
})
