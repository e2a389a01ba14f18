// A rebuild that begins from the checkpoint of the index finds the same as one that reads every record: what has not changed since
// is not read, what came after is, and a checkpoint that is missing, damaged or old does no harm.

import { afterEach, beforeEach, expect, test } from 'vitest'
import { redisKeys } from '../../../src/records/keys.ts'
import { OWNER } from '../../support/drafts.ts'
import { type Environment, openEnvironment } from '../../support/environment.ts'
import { overBothStores } from '../../support/over-both-stores.ts'

const HOUR_MS = 3_600_000
const FOLDER = 'checkpoint/'

overBothStores((store) => {
  let stack: Environment
  let aheadMs = 0
  beforeEach(async () => {
    aheadMs = 0
    stack = await openEnvironment({ store, listens: false, clock: { now: () => Date.now() + aheadMs } })
  })
  afterEach(() => stack.close())

  /** A submission with an upload that is ready, one that was rejected, and nothing more to do. */
  const finished = async (id: string): Promise<void> => {
    await stack.commitHead(id, { metadata: { name: `ครู ${id}` } })
    for (const state of ['ready', 'rejected'] as const) {
      const upload = await stack.putUpload(id)
      await stack.reach(upload.id, state, { sha256: 'a'.repeat(64) })
    }
  }

  const several = async (): Promise<string[]> => {
    const ids = ['one', 'two', 'three', 'four']
    for (const id of ids) await finished(id)
    aheadMs += 2 * HOUR_MS
    return ids
  }

  const listed = async (): Promise<string[]> => {
    const { status, body } = await stack.call('GET', '/v1/submissions?limit=200')
    expect(status).toBe(200)
    return (body['items'] as { id: string }[]).map(({ id }) => id)
  }
  const documents = async (ids: string[]) =>
    await Promise.all(ids.map(async (id) => (await stack.call('GET', `/v1/submissions/${id}?expand=uploads`)).body))

  /** @returns the keys of what was read */
  const lost = async (): Promise<string[]> => {
    await stack.deps.redis.hot.flushall()
    const { store: objects } = stack.deps
    const [keys, { read }] = [[] as string[], objects]
    objects.read = (key) => {
      keys.push(key)
      return read.call(objects, key)
    }
    // The log of events reads every version of what changed lately; the lists are whole before.
    const { mark } = stack.deps.index.completeness
    stack.deps.index.completeness.mark = (mine, part) => {
      objects.read = read
      return mark.call(stack.deps.index.completeness, mine, part)
    }
    await stack.deps.rebuilder.heal()
    objects.read = read
    return keys.filter((key) => !key.startsWith(FOLDER))
  }

  const parts = async (): Promise<string[]> => {
    const keys: string[] = []
    for await (const { key } of stack.deps.store.list(FOLDER)) keys.push(key)
    return keys
  }

  test('what has not changed since the checkpoint is not read, and everything is as it was', async () => {
    const ids = await several()
    const before = [await listed(), await documents(ids)]
    expect(await stack.deps.rebuilder.writeCheckpoint()).toHaveLength(ids.length)
    expect(await lost()).toEqual([])
    expect([await listed(), await documents(ids)]).toEqual(before)
  })

  test('a deadline of a submission that is not read is looked at in time', async () => {
    const deadline = new Date(Date.now() + 480 * HOUR_MS).toISOString()
    await stack.commitHead('dated', { deadline, sealAtDeadline: true })
    await several()
    // Longer than the log of events is kept, for which recent ones are read.
    aheadMs += 240 * HOUR_MS
    await stack.deps.rebuilder.writeCheckpoint()
    const dueAt = async () => Number(await stack.deps.redis.hot.zscore(redisKeys.dueDates, `${OWNER}/dated`))
    const before = await dueAt()
    expect(before).toBeGreaterThan(0)
    expect(await lost()).toEqual([])
    expect(await dueAt()).toBeCloseTo(before, 0)
  })

  test('a rebuild writes the checkpoint for the next one', async () => {
    const ids = await several()
    expect(await lost()).not.toEqual([])
    expect(await lost()).toEqual([])
    expect((await listed()).toSorted()).toEqual(ids.toSorted())
  })

  test('what came after the checkpoint is read', async () => {
    await several()
    await stack.deps.rebuilder.writeCheckpoint()
    await finished('five')
    await stack.commitHead('one', { metadata: { name: 'another' } })
    const changed = await stack.putUpload('two')
    await stack.reach(changed.id, 'ready', { sha256: 'b'.repeat(64) })
    await stack.deps.erasure.submission(OWNER, 'three')
    const all = ['one', 'two', 'four', 'five']
    const before = [await listed(), await documents([...all, 'three'])]
    const read = await lost()
    expect(read.some((key) => key.includes('/one/'))).toBe(true)
    expect(read.some((key) => key.includes(changed.id))).toBe(true)
    expect(read.filter((key) => key.includes('/four/'))).toEqual([])
    expect([await listed(), await documents([...all, 'three'])]).toEqual(before)
  })

  test('a checkpoint that is damaged, of another version, older or missing is as good as none', async () => {
    const ids = await several()
    await stack.deps.rebuilder.writeCheckpoint()
    const { store: objects } = stack.deps
    const keys = await parts()
    expect(keys.length).toBeGreaterThan(0)
    const older = new Map<string, Buffer>()
    for (const key of keys) older.set(key, (await objects.read(key)) ?? Buffer.alloc(0))
    await stack.commitHead('one', { metadata: { name: 'later' } })
    const before = [await listed(), await documents(ids)]
    const damages: ((key: string) => Promise<void>)[] = [
      (key) => objects.replace(key, Buffer.from('no checkpoint')),
      (key) => objects.replace(key, (older.get(key) ?? Buffer.alloc(0)).subarray(0, 60)),
      // Another part's content: whole, and not of these shards.
      (key) => objects.replace(key, older.get(keys.at(keys.indexOf(key) - 1) ?? '') ?? Buffer.alloc(0)),
      (key) => objects.replace(key, older.get(key) ?? Buffer.alloc(0)),
      (key) => objects.remove(key),
    ]
    for (const damage of damages) {
      for (const key of keys) await damage(key)
      await lost()
      expect([await listed(), await documents(ids)]).toEqual(before)
    }
  })

  test('is written by one process at a time, and by none that has lost its lease', async () => {
    await several()
    const { rebuilder, redis, store: objects } = stack.deps
    const outcomes = await Promise.all([1, 2, 3].map(() => rebuilder.writeCheckpoint()))
    expect(outcomes.filter((names) => names !== undefined)).toHaveLength(1)
    for (const key of await parts()) await objects.remove(key)
    const { list } = objects
    objects.list = (...asked) => {
      void redis.hot.set(redisKeys.rebuilding, 'of another process')
      return list.call(objects, ...asked)
    }
    await rebuilder.writeCheckpoint()
    objects.list = list
    expect(await parts()).toEqual([])
  })
})
