// The running upload in Redis: who holds it, what counts, and what is believed after a loss.

import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { redisKeys } from '../../../src/records/keys.ts'
import type { UploadDraft, UploadSession } from '../../../src/records/upload-session.ts'
import { slotKey } from '../../../src/records/upload-session.ts'
import { LEASE_MS, UploadSessionStore } from '../../../src/records/upload-session-store.ts'
import { draftFor } from '../../support/drafts.ts'
import { type Environment, openEnvironment } from '../../support/environment.ts'
import { waitFor } from '../../support/http.ts'

const HOUR_MS = 3_600_000

let stack: Environment
let draft: UploadDraft
let id: string

beforeAll(async () => {
  stack = await openEnvironment({ listens: false, appendOnly: true })
})
afterAll(() => stack.close())
beforeEach(async () => {
  draft = draftFor('s1')
  id = draft.id
  await create(draft)
})

const later = () => Date.now() + HOUR_MS
const create = (of: UploadDraft, fingerprintKey?: string) =>
  stack.deps.hot.create(of, {
    size: 1000,
    expiresAtMs: later(),
    partBytes: 100,
    ...(fingerprintKey === undefined ? {} : { fingerprintKey }),
  })
const acquire = (fence: string, options = {}) => stack.deps.hot.acquire(id, fence, `channel of ${fence}`, options)
const commit = (fence: string, offset: number, more = {}) =>
  stack.deps.hot.saveProgress(id, fence, { offset, expiresAtMs: later(), ...more })
const read = async (): Promise<UploadSession> => {
  const state = await stack.deps.hot.read(id)
  if (state === undefined) throw new Error('Redis does not know the upload')
  return state
}
/** The holder's lease runs out, by Redis's own clock. */
const endLease = () => stack.deps.redis.hot.hset(redisKeys.hot(id), 'lease', 1)

test('a new upload: no bytes, no holder, and due when it expires', async () => {
  expect(await read()).toMatchObject({
    draft,
    size: 1000,
    offset: 0,
    status: 'receiving',
    version: 0,
    holder: null,
    trusted: true,
  })
  expect(Number(await stack.deps.redis.hot.zscore('sn:due', id))).toBeGreaterThan(Date.now())
})

test('of many concurrent requests one gets the lease; the others get its holder', async () => {
  const fences = Array.from({ length: 20 }, (_, i) => `fence ${i}`)
  const outcomes = await Promise.all(fences.map((fence) => acquire(fence)))
  const won = outcomes.findIndex(({ kind }) => kind === 'acquired')
  expect(outcomes.filter(({ kind }) => kind === 'acquired')).toHaveLength(1)
  for (const outcome of outcomes.filter((_, i) => i !== won))
    expect(outcome).toMatchObject({
      kind: 'held',
      fence: `fence ${won}`,
      channel: `channel of fence ${won}`,
    })
})

test('only a request at the durable offset, with a ticket for the slot, interrupts a holder', async () => {
  await acquire('a')
  await commit('a', 100)
  expect(await acquire('b', { offset: 99 })).toMatchObject({ kind: 'offset', state: { offset: 100 } })
  expect(await acquire('b', { offset: 100 })).toMatchObject({ kind: 'held', fence: 'a' })
  expect(await acquire('b', { offset: 100, ticketSlot: 'another slot' })).toEqual({ kind: 'scope' })
  expect(await acquire('b', { offset: 100, ticketSlot: slotKey(draft) })).toMatchObject({ kind: 'held' })
})

test('after a release the next holder continues directly; after an unresponsive holder or an expired lease it must recover', async () => {
  await acquire('a')
  await stack.deps.hot.release(id, 'a')
  expect(await acquire('b')).toMatchObject({ kind: 'acquired', formerHolder: null })
  expect(await acquire('c', { steal: 'somebody else' })).toMatchObject({ kind: 'held' })
  expect(await acquire('c', { steal: 'b' })).toMatchObject({
    kind: 'acquired',
    formerHolder: 'channel of b',
  })
  await endLease()
  expect(await acquire('d')).toMatchObject({ kind: 'acquired', formerHolder: 'channel of c' })
})

test('a lease is kept only by renewals with its own fence', async () => {
  await acquire('a')
  await endLease()
  await stack.deps.hot.renew([{ id, fence: 'stranger' }])
  expect((await read()).holder).toBeNull()
  const renewedAtMs = Date.now()
  await stack.deps.hot.renew([{ id, fence: 'a' }])
  expect((await read()).holder).toMatchObject({ fence: 'a' })
  const lease = Number(await stack.deps.redis.hot.hget(redisKeys.hot(id), 'lease'))
  expect(lease - LEASE_MS).toBeGreaterThanOrEqual(renewedAtMs)
  expect(lease - LEASE_MS).toBeLessThanOrEqual(Date.now())
})

describe('progress', () => {
  test('is saved under the fence only', async () => {
    await acquire('a')
    expect(await commit('a', 100)).toBe(true)
    await acquire('b', { steal: 'a' })
    expect(await commit('a', 500)).toBe(false)
    expect(await stack.deps.hot.markInFlight(id, 'a', 2)).toBe(false)
    expect((await read()).offset).toBe(100)
    await stack.deps.hot.release(id, 'a')
    expect((await read()).holder).toMatchObject({ fence: 'b' })
  })

  test('never decreases', async () => {
    await acquire('a')
    expect(await commit('a', 100)).toBe(true)
    expect(await commit('a', 99)).toBe(false)
    expect(await commit('a', 100)).toBe(true)
    expect((await read()).offset).toBe(100)
  })

  test('includes parts, a tail, and the mark of a part in flight', async () => {
    await acquire('a')
    await stack.deps.hot.markInFlight(id, 'a', 1)
    expect((await read()).inFlight).toMatch(/^1:\d+$/)
    const part = { number: 1, offset: 0, bytes: 100, etag: '"e1"' }
    await commit('a', 100, { parts: [part], multipartId: 'm', clearInFlight: true })
    await commit('a', 150, { tailKey: 'tail' })
    expect(await read()).toMatchObject({ offset: 150, multipartId: 'm', tailKey: 'tail', inFlight: null })
    expect(await stack.deps.hot.parts(id)).toEqual([part])
  })

  test('the next holder gets the age of the mark of a part by the clock of Redis, not by its own', async () => {
    const aheadMs = 45_000
    const ahead = new UploadSessionStore(stack.deps.redis.hot, stack.deps.runId, { now: () => Date.now() + aheadMs })
    await acquire('a')
    await stack.deps.hot.markInFlight(id, 'a', 1)
    const taken = await ahead.acquire(id, 'b', 'channel of b', { steal: 'a' })
    if (taken.kind !== 'acquired') throw new Error(taken.kind)
    const [part, since] = (taken.state.inFlight ?? '').split(':').map(Number)
    expect(part).toBe(1)
    expect(Math.abs(performance.now() - Number(since))).toBeLessThan(aheadMs / 2)
  })

  test('is not saved after the end of the upload; a finishing upload cannot be taken over', async () => {
    await acquire('a')
    await commit('a', 1000, { status: 'finishing', storedAtMs: 5 })
    expect(await commit('a', 1000)).toBe(false)
    expect(await acquire('b', { steal: 'a' })).toMatchObject({
      kind: 'ended',
      state: { status: 'finishing' },
    })
    await stack.deps.hot.end(id, 'stored', HOUR_MS, 1000)
    expect(await commit('a', 1000, { status: 'finishing' })).toBe(false)
    expect(await read()).toMatchObject({ status: 'stored', offset: 1000, holder: null })
  })
})

test('a deferred length is declared once, by the holder', async () => {
  await stack.deps.hot.create(draftFor('s1', { id: `${id}-deferred` }), {
    size: null,
    expiresAtMs: later(),
    partBytes: 100,
  })
  id = `${id}-deferred`
  await acquire('a')
  expect(await stack.deps.hot.declareLength(id, 'stranger', 10)).toBe(false)
  expect(await stack.deps.hot.declareLength(id, 'a', 10)).toBe(true)
  expect(await stack.deps.hot.declareLength(id, 'a', 10)).toBe(true)
  expect(await stack.deps.hot.declareLength(id, 'a', 11)).toBe(false)
  expect((await read()).size).toBe(10)
})

test('a creation with a fingerprint that an unfinished upload holds creates nothing', async () => {
  const key = `fingerprint of ${id}`
  const [first, second] = [draftFor('s1'), draftFor('s1')]
  expect(await create(first, key)).toEqual({ joined: null })
  expect(await create(second, key)).toEqual({ joined: first.id })
  expect(await stack.deps.hot.read(second.id)).toBeUndefined()
  await stack.deps.hot.end(first.id, 'stored', HOUR_MS)
  expect(await create(second, key)).toEqual({ joined: null })
})

test('an upload without bytes ends in Redis only, unless a request holds it or a byte is stored', async () => {
  await acquire('a')
  expect(await stack.deps.hot.endUnstored(id, 'cancelled', HOUR_MS)).toBe(false)
  await commit('a', 1)
  await stack.deps.hot.release(id, 'a')
  expect(await stack.deps.hot.endUnstored(id, 'cancelled', HOUR_MS)).toBe(false)
  const other = draftFor('s1')
  await create(other)
  expect(await stack.deps.hot.endUnstored(other.id, 'cancelled', HOUR_MS)).toBe(true)
  expect((await stack.deps.hot.read(other.id))?.status).toBe('cancelled')
})

describe('a session is restored from the store', () => {
  const parts = [{ number: 1, offset: 0, bytes: 100, etag: '"e1"' }]
  const found = (offset: number): UploadSession => ({
    draft,
    size: 1000,
    offset,
    status: 'receiving',
    version: 1,
    expiresAtMs: later(),
    storedAtMs: null,
    multipartId: 'm',
    partBytes: 100,
    tailKey: null,
    inFlight: null,
    holder: null,
    abandoned: false,
    trusted: true,
  })

  test('if Redis has lost it, not if Redis has it', async () => {
    await acquire('a')
    await commit('a', 200)
    expect(await stack.deps.hot.restore(found(100), parts, null)).toBe(false)
    expect((await read()).offset).toBe(200)
    await stack.deps.redis.hot.del(redisKeys.hot(id), redisKeys.parts(id))
    expect(await stack.deps.hot.restore(found(100), parts, null)).toBe(true)
    expect(await read()).toMatchObject({ offset: 100, multipartId: 'm', holder: null, trusted: true })
    expect(await stack.deps.hot.parts(id)).toEqual(parts)
  })

  test('repeatedly, but not to a lower offset, until a request holds it', async () => {
    await stack.deps.redis.hot.del(redisKeys.hot(id))
    await stack.deps.hot.restore(found(100), parts, null)
    expect(await stack.deps.hot.restore(found(50), [], null)).toBe(false)
    expect(await stack.deps.hot.restore(found(300), parts, null)).toBe(true)
    expect((await read()).restored).toBe(true)
    expect(await acquire('a')).toMatchObject({ kind: 'acquired', state: { offset: 300, restored: true } })
    expect((await read()).restored).toBe(false)
    expect(await stack.deps.hot.restore(found(500), parts, null)).toBe(false)
  })

  test('by the holder always; by others never under a wrong fence', async () => {
    await acquire('a')
    await commit('a', 200)
    expect(await stack.deps.hot.restore(found(100), parts, 'stranger')).toBe(false)
    expect(await stack.deps.hot.restore(found(100), parts, 'a')).toBe(true)
    expect(await read()).toMatchObject({ offset: 100, holder: { fence: 'a' } })
  })

  test('over an older Redis, unless the holder has a higher offset', async () => {
    await acquire('a')
    await commit('a', 200)
    await stack.deps.redis.hot.hset(redisKeys.hot(id), 'run', 'another')
    expect((await read()).trusted).toBe(false)
    expect(await stack.deps.hot.restore(found(100), parts, null)).toBe(false)
    // A commit does not make an entry trustworthy: what came before it may be missing.
    await commit('a', 250)
    expect((await read()).trusted).toBe(false)
    expect(await stack.deps.hot.restore(found(300), parts, null)).toBe(true)
    expect(await read()).toMatchObject({ offset: 300, trusted: true, holder: { fence: 'a' } })
  })
})

test('after a restart of Redis a session is not trusted, and offsets are not compared with it', async () => {
  await acquire('a')
  await commit('a', 200)
  await stack.deps.hot.release(id, 'a')
  const before = stack.deps.runId.current
  await stack.redis.restart()
  await waitFor(() => stack.deps.runId.current !== before && stack.deps.redis.hot.status === 'ready')
  expect((await read()).trusted).toBe(false)
  expect(await acquire('b', { offset: 999 })).toMatchObject({ kind: 'acquired', state: { trusted: false } })
})
