// Commits: writers that race lose no decision, and an answer that is lost is not a commit that is lost.

import { randomBytes } from 'node:crypto'
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'
import { VersionLog } from '../../../src/records/version-log.ts'
import { overBothStores } from '../../support/over-both-stores.ts'
import { s3Available } from '../../support/s3.ts'
import { openStore, type TestStore } from '../../support/store.ts'

type Counter = { version: number; nonce: string; committedAt: string; count: number; by: string[] }

const now = () => '2026-11-21T08:00:00.000Z'
const prefix = () => `counter/${randomBytes(6).toString('hex')}/`

const add = (log: VersionLog<Counter>, at: string, by: string, first?: Counter) =>
  log.commit(
    at,
    now,
    first,
    () => log.latest(at),
    (current) => ({ count: (current?.count ?? 0) + 1, by: [...(current?.by ?? []), by] }),
  )

overBothStores((kind) => {
  let place: TestStore
  let log: VersionLog<Counter>

  beforeAll(async () => {
    place = await openStore(kind)
    log = new VersionLog(place.store)
  })
  afterAll(() => place.close())

  test('sixteen writers: every commit is based on the previous one, none is lost', async () => {
    const at = prefix()
    const names = Array.from({ length: 16 }, (_, i) => `writer ${i}`)
    const outcomes = await Promise.all(names.map((name) => add(log, at, name)))
    expect(outcomes.every(({ committed }) => committed)).toBe(true)
    const latest = await log.latest(at)
    expect(latest).toMatchObject({ version: 16, count: 16 })
    expect([...(latest?.by ?? [])].sort()).toEqual([...names].sort())
    // Each writer's own version is its own.
    expect(new Set(outcomes.map(({ record }) => record?.version)).size).toBe(16)
  })

  test('versions are immutable and can be read by their number', async () => {
    const at = prefix()
    for (const by of ['a', 'b', 'c']) await add(log, at, by)
    expect((await log.version(at, 2))?.by).toEqual(['a', 'b'])
    expect(await log.version(at, 4)).toBeUndefined()
    expect((await log.latest(at))?.version).toBe(3)
  })

  test('a decision on an old version is repeated on the newest', async () => {
    const at = prefix()
    const { record: first } = await add(log, at, 'a')
    await add(log, at, 'b')
    const late = await add(log, at, 'c', first)
    expect(late).toMatchObject({ committed: true, record: { version: 3, by: ['a', 'b', 'c'] } })
  })

  test('a decision without a change, or one that throws, writes nothing', async () => {
    const at = prefix()
    await add(log, at, 'a')
    const left = await log.commit(
      at,
      now,
      undefined,
      () => log.latest(at),
      (current) => (current === undefined ? { count: 9, by: [] } : undefined),
    )
    expect(left).toMatchObject({ committed: false, record: { version: 1, by: ['a'] } })
    const refused = log.commit(
      at,
      now,
      await log.latest(at),
      () => log.latest(at),
      () => {
        throw new Error('not now')
      },
    )
    await expect(refused).rejects.toThrow('not now')
    expect((await log.latest(at))?.version).toBe(1)
  })
})

describe.skipIf(!s3Available())('lost responses of S3', () => {
  let place: TestStore
  let log: VersionLog<Counter>

  beforeAll(async () => {
    place = await openStore('s3')
    log = new VersionLog(place.store)
  })
  afterEach(() => place.proxy?.reset())
  afterAll(() => place.close())

  test.each([1, 3, 4])('lost %i times: an object with the own nonce counts as success, once', async (times) => {
    const at = prefix()
    await add(log, at, 'a')
    place.proxy?.fault({ when: 'PutObject', act: 'dropResponse', times })
    const outcome = await add(log, at, 'b', await log.latest(at))
    expect(outcome).toMatchObject({ committed: true, record: { version: 2, by: ['a', 'b'] } })
    expect(await log.latest(at)).toEqual(outcome.record)
    expect(await log.version(at, 3)).toBeUndefined()
  })

  test('an object of another writer is no success: the decision is repeated', async () => {
    const at = prefix()
    await add(log, at, 'a')
    const mine = log.commit(
      at,
      now,
      undefined,
      () => log.latest(at),
      (current) => ({ count: 1, by: [...(current?.by ?? []), 'late'] }),
    )
    expect(await mine).toMatchObject({ committed: true, record: { version: 2, by: ['a', 'late'] } })
  })

  test('while the store is unavailable: an error, and no commit', async () => {
    const at = prefix()
    await add(log, at, 'a')
    const first = await log.latest(at)
    place.proxy?.fault({ act: 'answer', status: 503 })
    await expect(add(log, at, 'b', first)).rejects.toMatchObject({ code: 'STORE_UNAVAILABLE' })
    place.proxy?.reset()
    expect((await log.latest(at))?.version).toBe(1)
  })
})
