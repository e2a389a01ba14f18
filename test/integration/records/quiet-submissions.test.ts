// What is quiet leaves Redis, and everybody who asks for it finds it as it was: it is read from the store again.

import { afterEach, beforeEach, expect, test } from 'vitest'
import { run } from '../../../src/core/lua-commands.ts'
import { unloadSubmission } from '../../../src/records/commands.ts'
import { redisKeys } from '../../../src/records/keys.ts'
import { unloadQuiet } from '../../../src/records/quiet-submissions.ts'
import { OWNER } from '../../support/drafts.ts'
import { type Environment, openEnvironment } from '../../support/environment.ts'

const DAY_MS = 86_400_000

let stack: Environment
let aheadMs = 0
let uploads: string[]
beforeEach(async () => {
  aheadMs = 0
  stack = await openEnvironment({ listens: false, clock: { now: () => Date.now() + aheadMs } })
  expect(
    (await stack.call('PUT', '/v1/submissions/quiet', { body: { profile: 'test@1', uniqueKey: 'a person' } })).status,
  ).toBe(201)
  uploads = []
  for (const state of ['ready', 'rejected'] as const) {
    const { id } = await stack.putUpload('quiet')
    uploads.push(id)
    await stack.reach(id, state, { sha256: 'a'.repeat(64) })
  }
})
afterEach(() => stack.close())

const body = async (path: string) => {
  const { status, body: told } = await stack.call('GET', path)
  expect([path, status]).toEqual([path, 200])
  return told
}
const documents = async () => ({
  submission: await body('/v1/submissions/quiet?expand=uploads'),
  list: await body('/v1/submissions?limit=10'),
  complete: await body('/v1/submissions?complete=false'),
  attempts: await body('/v1/submissions/quiet/attempts'),
  uploads: await Promise.all(uploads.map((id) => body(`/v1/uploads/${id}`))),
  views: (await stack.deps.views.ofSubmission(OWNER, 'quiet')).map(({ record }) => record),
})

/** After three days. @returns how many left */
async function unloaded(): Promise<number> {
  aheadMs += 3 * DAY_MS
  return await unloadQuiet(stack.deps)
}

const kept = async () =>
  await stack.deps.redis.hot.exists(
    ...[redisKeys.sequence(OWNER, 'quiet'), redisKeys.uploadsOf(OWNER, 'quiet'), redisKeys.head(OWNER, 'quiet')],
    ...uploads.map(redisKeys.record),
  )

test('nothing of it stays but its entry in the list, and all readers find it as it was', async () => {
  const before = await documents()
  expect(await unloadQuiet(stack.deps)).toBe(0)
  expect(await unloaded()).toBe(1)
  expect(await kept()).toBe(0)
  expect(await documents()).toEqual(before)
  expect(await kept()).toBe(5)
  expect(await unloaded()).toBe(1)
  expect(await kept()).toBe(0)
})

test('it can be changed: numbers go on, its unique key is held, and it can be erased', async () => {
  const given = await stack.deps.heads.nextSequence(OWNER, 'quiet')
  await unloaded()
  expect(await stack.deps.heads.nextSequence(OWNER, 'quiet')).toBeGreaterThan(given)
  await unloaded()
  const other = await stack.call('PUT', '/v1/submissions/other', { body: { profile: 'test@1', uniqueKey: 'a person' } })
  expect([other.status, other.body.code]).toEqual([409, 'SUBMISSION_DUPLICATE'])
  const changed = await stack.call('PUT', '/v1/submissions/quiet', {
    body: { profile: 'test@1', uniqueKey: 'a person', deadline: '2099-01-01T00:00:00.000Z' },
  })
  expect(changed.body).toMatchObject({ deadline: '2099-01-01T00:00:00.000Z' })
  await unloaded()
  const { id } = await stack.putUpload('quiet')
  expect((await stack.deps.heads.uploadIds(OWNER, 'quiet')).toSorted()).toEqual([...uploads, id].toSorted())
  await unloaded()
  expect((await stack.call('DELETE', '/v1/submissions/quiet')).status).toBe(204)
  expect((await stack.call('GET', `/v1/uploads/${uploads[0]}`)).status).toBe(410)
})

test('no event is told again when a version is looked at of which Redis has forgotten whether it was told', async () => {
  const before = await stack.eventsOf('quiet')
  expect(before.map(({ type }) => type)).toContain('upload.ready')
  await unloaded()
  for (const id of uploads) await stack.deps.reconciler.one(id)
  const head = await stack.deps.heads.fromStore(OWNER, 'quiet')
  if (head !== undefined) await stack.deps.heads.announce(head)
  expect(await stack.eventsOf('quiet')).toEqual(before)
})

test('one with an unfinished upload stays', async () => {
  await stack.beginUpload('quiet', 'plan')
  expect(await unloaded()).toBe(0)
  expect(await kept()).toBe(5)
})

test('an upload that begins while it leaves stays in its list, and those that were taken out come back', async () => {
  const keys = [redisKeys.sequence(OWNER, 'quiet'), redisKeys.uploadsOf(OWNER, 'quiet')]
  const begun = await stack.beginUpload('quiet', 'plan')
  await run(stack.deps.redis.hot, unloadSubmission, keys, uploads)
  expect((await stack.deps.heads.uploadIds(OWNER, 'quiet')).toSorted()).toEqual([...uploads, begun.id].toSorted())
})

test('one that is read again while it leaves is whole, or counts as not read', async () => {
  const keys = [redisKeys.sequence(OWNER, 'quiet'), redisKeys.uploadsOf(OWNER, 'quiet')]
  const { heads, index, redis } = stack.deps
  const { seedSequence } = index
  index.seedSequence = async (...asked) => {
    await run(redis.hot, unloadSubmission, keys, uploads)
    await seedSequence.apply(index, asked)
  }
  await heads.rebuild(OWNER, 'quiet')
  index.seedSequence = seedSequence
  expect((await heads.uploadIds(OWNER, 'quiet')).toSorted()).toEqual(uploads.toSorted())
})
