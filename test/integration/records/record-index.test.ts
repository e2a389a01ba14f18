// What Redis knows of records: versions become visible, events are announced once and in order, numbers are never given
// twice, and nothing is believed that was written under another Redis.

import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { receivingRecord } from '../../../src/lifecycle/transitions.ts'
import { objectKeys, redisKeys } from '../../../src/records/keys.ts'
import type { UploadRecord } from '../../../src/records/upload-record.ts'
import { draftFor, OWNER } from '../../support/drafts.ts'
import { type Environment, openEnvironment } from '../../support/environment.ts'
import { waitFor } from '../../support/http.ts'
import { noted, reached } from '../../support/records.ts'

let stack: Environment
let number = 0
let submissionId: string

beforeEach(async () => {
  stack = await openEnvironment({ listens: false, appendOnly: true })
  submissionId = `s${++number}`
  await stack.commitHead(submissionId)
})
afterEach(() => stack.close())

/** Versions 1 to `versions` of a new upload, in the store only; Redis was away. */
async function committedUnseen(versions: number): Promise<UploadRecord[]> {
  const draft = draftFor(submissionId)
  const records: UploadRecord[] = []
  for (let version = 1; version <= versions; version++) {
    const record: UploadRecord = {
      ...receivingRecord(draft, { key: objectKeys.data(draft.id) }, version),
      version,
      nonce: `n${version}`,
      committedAt: new Date().toISOString(),
      event: version === 2 ? null : `upload.test${version}`,
    }
    const key = `${objectKeys.uploadRecord(draft.id)}${String(version).padStart(6, '0')}.json`
    await stack.deps.store.createIfAbsent(key, Buffer.from(JSON.stringify(record)))
    records.push(record)
  }
  return records
}

const typesOf = async () => (await stack.eventsOf(submissionId)).map(({ type }) => type)

const newRun = async (restart: () => Promise<void>) => {
  const before = stack.deps.runId.current
  await restart()
  await waitFor(() => stack.deps.runId.current !== before && stack.deps.redis.hot.status === 'ready')
}

describe('publishing', () => {
  test('an event is published once, with repeated and concurrent calls', async () => {
    const [record] = await committedUnseen(1)
    if (record === undefined) throw new Error('nothing committed')
    await Promise.all(Array.from({ length: 10 }, () => stack.deps.uploads.announce(record)))
    await stack.deps.uploads.announce(record)
    expect(await typesOf()).toEqual(['upload.test1'])
  })

  test('unpublished earlier versions are published first, in order; those without an event publish nothing', async () => {
    const records = await committedUnseen(4)
    const [first, , , last] = records
    if (first === undefined || last === undefined) throw new Error('nothing committed')
    await stack.deps.uploads.announce(first)
    await stack.deps.uploads.announce(last)
    expect(await typesOf()).toEqual(['upload.test1', 'upload.test3', 'upload.test4'])
    for (const record of records) await stack.deps.uploads.announce(record)
    expect(await typesOf()).toHaveLength(3)
  })

  test('a reader that caches the version first does not suppress its event', async () => {
    const [first, second, third] = await committedUnseen(3)
    if (first === undefined || second === undefined || third === undefined) throw new Error('nothing committed')
    await stack.deps.uploads.announce(first)
    expect((await stack.deps.uploads.latest(first.id))?.version).toBe(1)
    await stack.deps.redis.hot.hdel(redisKeys.record(first.id), 'json')
    expect((await stack.deps.uploads.latest(first.id))?.version).toBe(3)
    await stack.deps.uploads.announce(third)
    expect(await typesOf()).toEqual(['upload.test1', 'upload.test3'])
  })

  test('an older version never replaces a newer one in the cache', async () => {
    const [first, second, third] = await committedUnseen(3)
    if (first === undefined || second === undefined || third === undefined) throw new Error('nothing committed')
    await stack.deps.uploads.announce(third)
    await stack.deps.uploads.restore(first)
    await stack.deps.uploads.announce(second)
    expect((await stack.deps.uploads.latest(first.id))?.version).toBe(3)
  })

  test('a commit counts even if Redis was unavailable; its event is published later', async () => {
    const draft = draftFor(submissionId)
    await stack.deps.redis.hot.config('SET', 'maxmemory', '1')
    const { committed } = await stack.deps.uploads.commit(
      draft.id,
      () => receivingRecord(draft, { key: objectKeys.data(draft.id) }, 1),
      true,
    )
    await stack.deps.redis.hot.config('SET', 'maxmemory', '0')
    expect(committed).toBe(true)
    expect(await typesOf()).toEqual([])
    const record = await stack.deps.uploads.fromStore(draft.id)
    if (record === undefined) throw new Error('not committed')
    await stack.deps.uploads.announce(record)
    expect(await typesOf()).toEqual(['upload.created'])
  })
})

describe('sequence numbers', () => {
  test('concurrent calls: no number twice, none skipped', async () => {
    const numbers = await Promise.all(
      Array.from({ length: 50 }, () => stack.deps.heads.nextSequence(OWNER, submissionId)),
    )
    expect(new Set(numbers).size).toBe(50)
    expect(Math.max(...numbers) - Math.min(...numbers)).toBe(49)
  })

  test.each(['empty', 'older'] as const)('a Redis that returned %s gives no number a second time', async (how) => {
    const older = await stack.redis.snapshot()
    const draft = draftFor(submissionId)
    let last = 0
    // More than there is room for events without a record.
    for (let i = 0; i < 40; i++) {
      last = await stack.deps.heads.nextSequence(OWNER, submissionId)
      await stack.deps.uploads.commit(draft.id, (current) =>
        current === undefined
          ? receivingRecord(draft, { key: objectKeys.data(draft.id) }, last)
          : noted(current, { sequence: last, event: current.event }),
      )
    }
    const dir = how === 'empty' ? await stack.redis.emptyDir() : older
    await newRun(() => stack.redis.restart({ dir }))
    expect(await stack.deps.heads.nextSequence(OWNER, submissionId)).toBeGreaterThan(last)
  })

  // Regression: a request that waited for Redis carried the run id of the one that went away, and believed its successor.
  test('nor to a caller that waited while Redis was unavailable', async () => {
    const older = await stack.redis.snapshot()
    const draft = draftFor(submissionId)
    const last = await stack.deps.heads.nextSequence(OWNER, submissionId)
    await stack.deps.uploads.commit(draft.id, () => receivingRecord(draft, { key: objectKeys.data(draft.id) }, last))
    await stack.redis.kill()
    await waitFor(() => stack.deps.redis.hot.status !== 'ready')
    const waiting = stack.deps.heads.nextSequence(OWNER, submissionId)
    await stack.redis.restart({ dir: older })
    expect(await waiting).toBeGreaterThan(last)
  })

  test('a lower minimum than the known number changes nothing', async () => {
    await stack.deps.index.seedSequence(OWNER, submissionId, 100, [])
    await stack.deps.index.seedSequence(OWNER, submissionId, 7, [])
    expect(await stack.deps.index.nextSequence(OWNER, submissionId)).toBe(101)
  })
})

describe('under another Redis', () => {
  test('cached records are not trusted; the store is read instead', async () => {
    const [record] = await committedUnseen(1)
    if (record === undefined) throw new Error('nothing committed')
    await stack.deps.uploads.announce(record)
    expect(await stack.deps.index.cached(redisKeys.record(record.id))).toBeDefined()
    expect(await stack.deps.index.isCurrent(OWNER, submissionId)).toBe(true)
    await newRun(() => stack.redis.restart())
    expect(await stack.deps.index.cached(redisKeys.record(record.id))).toBeUndefined()
    expect(await stack.deps.index.cachedMany([redisKeys.record(record.id)])).toEqual([undefined])
    expect(await stack.deps.index.isCurrent(OWNER, submissionId)).toBe(false)
    expect((await stack.deps.uploads.latest(record.id))?.version).toBe(1)
    // What the store said is believed again.
    expect(await stack.deps.index.cached(redisKeys.record(record.id))).toBeDefined()
  })

  test('an older cache does not hide a newer version', async () => {
    const draft = draftFor(submissionId)
    const object = { key: objectKeys.data(draft.id) }
    await stack.deps.uploads.commit(draft.id, () => receivingRecord(draft, object, 1))
    const older = await stack.redis.snapshot()
    await stack.deps.uploads.commit(draft.id, (current) => current && reached(current, 'stored'))
    await newRun(() => stack.redis.restart({ dir: older }))
    expect((await stack.deps.uploads.latest(draft.id))?.state).toBe('stored')
    const [view] = await stack.deps.views.ofSubmission(OWNER, submissionId)
    expect(view?.record?.state).toBe('stored')
  })
})
