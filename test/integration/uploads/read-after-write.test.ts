// Read after write: what the last answer has acknowledged can be read at once and by anybody, however many processes
// make one object of it at that moment.

import { GetObjectCommand } from '@aws-sdk/client-s3'
import { afterAll, afterEach, beforeAll, describe, expect, onTestFinished, test, vi } from 'vitest'
import { AppError } from '../../../src/core/errors.ts'
import { createLogger } from '../../../src/core/logger.ts'
import { connectRedis } from '../../../src/core/redis.ts'
import { AssemblyLeases } from '../../../src/lifecycle/assembly-leases.ts'
import { redisKeys } from '../../../src/records/keys.ts'
import type { ObjectStore } from '../../../src/storage/object-store.ts'
import { S3ObjectStore } from '../../../src/storage/s3.ts'
import { filmBytes, sha256 } from '../../support/bytes.ts'
import { type Environment, openEnvironment } from '../../support/environment.ts'
import { overBothStores } from '../../support/over-both-stores.ts'
import { startRedis } from '../../support/redis.ts'
import { s3Available } from '../../support/s3.ts'
import { at, send, tusUser } from '../../support/tus.ts'
import { expectProblem } from './problem.ts'

const MIB = 1024 ** 2
const PIECES = 3
const PIECE_BYTES = 100_000
const OPEN = { AUTH: 'none' }

/** Status and bytes of a GET. */
async function read(url: string): Promise<{ status: number; sha256: string }> {
  const response = await fetch(url)
  return { status: response.status, sha256: sha256(Buffer.from(await response.arrayBuffer())) }
}

// Regression: 404 for a second, in ten of twelve uploads. Both the reader and the completion sent CompleteMultipartUpload;
// the second was answered before the object was there.
describe.skipIf(!s3Available())('S3', () => {
  let stack: Environment
  let other: Environment
  beforeAll(async () => {
    stack = await openEnvironment({ store: 's3', env: OPEN })
    const { redis, s3 } = stack
    other = await openEnvironment({ store: 's3', redis, ...(s3 === undefined ? {} : { s3 }), env: OPEN })
  })
  afterAll(async () => {
    await other.close()
    await stack.close()
  })

  test('a GET right after the last 204, at this process and another: every byte', async () => {
    const user = tusUser(stack.url, null)
    for (let n = 0; n < 3; n++) {
      const bytes = filmBytes(17 * MIB, `read-${n}`)
      const url = await user.create({ length: bytes.length, name: 'a.mp4' })
      expect((await user.patch(url, 0, bytes)).status).toBe(204)
      const whole = { status: 200, sha256: sha256(bytes) }
      expect(await Promise.all([read(url), read(at(other.url, url)), read(url)])).toEqual([whole, whole, whole])
    }
  })
})

overBothStores((kind) => {
  let stack: Environment
  let other: Environment
  beforeAll(async () => {
    stack = await openEnvironment({ store: kind, env: OPEN })
    const { redis, s3, dataDir } = stack
    const shared = s3 === undefined ? { dataDir } : { s3 }
    other = await openEnvironment({ store: kind, redis, ...shared, env: OPEN })
  })
  afterEach(() => void vi.restoreAllMocks())
  afterAll(async () => {
    await other.close()
    await stack.close()
  })

  test('a file of partials, read in two processes during the join, is joined once', async () => {
    const user = tusUser(stack.url, null)
    const bytes = filmBytes(PIECES * PIECE_BYTES, 'joined')
    const urls: string[] = []
    for (let i = 0; i < PIECES; i++) {
      const piece = bytes.subarray(i * PIECE_BYTES, (i + 1) * PIECE_BYTES)
      const url = await user.create({ length: piece.length, headers: { 'Upload-Concat': 'partial' } })
      expect((await user.patch(url, 0, piece)).status).toBe(204)
      urls.push(new URL(url).pathname)
    }
    const joins = [stack, other].map(({ deps }) => vi.spyOn(deps.store, 'assemble'))
    const headers = { ...user.headers, 'Upload-Concat': `final;${urls.join(' ')}` }
    const finals = await Promise.all(
      [stack, other, stack, other].map(({ url }) => send('POST', `${url}/files`, headers)),
    )
    expect(finals.map(({ status }) => status)).toEqual([201, 201, 201, 201])
    const [url = ''] = finals.map((reply) => reply.headers.location)
    const whole = { status: 200, sha256: sha256(bytes) }
    expect(await Promise.all([other, stack, other].map((from) => read(at(from.url, url))))).toEqual(
      Array(3).fill(whole),
    )
    expect(joins.flatMap(({ mock }) => mock.calls)).toHaveLength(1)
  })

  // A lease is lost with Redis: the other one has then joined the pieces, and removed them, in the middle of this one's work.
  test('partials joined and deleted by another process: the object is found', async () => {
    const { store } = stack.deps
    const prefix = `uploads/000000/${'a'.repeat(40)}/`
    const pieces = ['one', 'two'].map((text, i) => ({
      number: i + 1,
      offset: 3 * i,
      bytes: 3,
      key: `${prefix}${text}`,
    }))
    for (const { key } of pieces) await store.createIfAbsent(key, Buffer.from(key.slice(-3)))
    const joinedByOther = async () => {
      vi.restoreAllMocks()
      await other.deps.store.assemble(`${prefix}data`, pieces, undefined)
      for (const { key } of pieces) await store.remove(key)
    }
    beforeReading(store, joinedByOther)
    await store.assemble(`${prefix}data`, pieces, undefined)
    expect((await store.read(`${prefix}data`))?.toString()).toBe('onetwo')
  })

  test('a stored file that is not joined yet: 409 with Retry-After, never 404', async () => {
    const user = tusUser(stack.url, null)
    const bytes = filmBytes(PIECE_BYTES, 'unseen')
    const url = await user.create({ length: bytes.length, name: 'a.mp4' })
    expect((await user.patch(url, 0, bytes)).status).toBe(204)
    const { object } = await stack.record(url)
    vi.spyOn(stack.deps.store, 'open').mockRejectedValueOnce(new AppError('UPLOAD_UNKNOWN'))
    const refused = await send('GET', url)
    expectProblem(refused, 409, 'MEDIA_NOT_READY')
    expect(refused.headers['retry-after']).toBe('1')
    expect(await read(url)).toEqual({ status: 200, sha256: sha256(bytes) })
    await stack.deps.store.remove(object.key)
    expectProblem(await send('GET', url), 409, 'MEDIA_NOT_READY')
  })
})

test('the join lease of a dead process expires; a failed one is released; a finished join is not repeated', async () => {
  const redis = await startRedis()
  const connection = connectRedis(redis.url, 'hot', createLogger({ name: 'leases', level: 'silent' }))
  onTestFinished(async () => {
    connection.disconnect()
    await redis.stop()
  })
  const [one, two] = [new AssemblyLeases(connection), new AssemblyLeases(connection)]
  await connection.set(redisKeys.assembly('u'), 'of a process that has died', 'PX', 300)
  const failing = one.once('u', () => Promise.reject(new Error('the store is away')))
  await expect(failing).rejects.toThrow('the store is away')
  const work = vi.fn(() => Promise.resolve())
  await Promise.all([two.once('u', work), one.once('u', work), two.once('u', work)])
  await one.once('u', work)
  expect(work).toHaveBeenCalledTimes(1)
})

/** Runs `first` when the pieces are about to be read. */
function beforeReading(store: ObjectStore, first: () => Promise<void>): void {
  if (store instanceof S3ObjectStore) {
    const original = store.client.send.bind(store.client) as (command: unknown) => Promise<unknown>
    vi.spyOn(store.client as { send: typeof original }, 'send').mockImplementation(async (command) => {
      if (command instanceof GetObjectCommand) await first()
      return await original(command)
    })
  } else {
    const original = store.open.bind(store)
    vi.spyOn(store, 'open').mockImplementation(async (...args) => {
      await first()
      return await original(...args)
    })
  }
}
