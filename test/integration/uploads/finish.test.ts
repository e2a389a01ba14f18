// The end of an upload: the answer waits for the bytes and for the record, and for nothing else; what follows happens
// once, whoever begins it and however often.

import { UnrecoverableError, Worker } from 'bullmq'
import { afterAll, afterEach, beforeAll, describe, expect, test, vi } from 'vitest'
import { systemClock } from '../../../src/core/clock.ts'
import { QUEUE_PREFIX } from '../../../src/jobs/contract.ts'
import { LaneLeases } from '../../../src/lifecycle/lane-leases.ts'
import type { EventEnvelope } from '../../../src/records/event-body.ts'
import { redisKeys } from '../../../src/records/keys.ts'
import { draftOf } from '../../../src/records/upload-session.ts'
import { filmBytes, pdfBytes, sha256 } from '../../support/bytes.ts'
import { type Environment, openEnvironment } from '../../support/environment.ts'
import { waitFor } from '../../support/http.ts'
import { deadProcess, heldBy } from '../../support/lease-holders.ts'
import { overBothStores } from '../../support/over-both-stores.ts'
import { type HttpProxy, startHttpProxy } from '../../support/proxy.ts'
import { s3Available, startS3, type TestS3 } from '../../support/s3.ts'
import { idOf, tusUser } from '../../support/tus.ts'

const MIB = 1024 ** 2

const jobsOf = async ({ deps }: Environment, url: string) =>
  (await deps.queues.byLane.validate.getJobs()).filter(
    ({ data }) => (data as { uploadId: string }).uploadId === idOf(url),
  )

overBothStores((kind) => {
  let stack: Environment
  let skewMs = 0
  beforeAll(async () => {
    stack = await openEnvironment({ store: kind, clock: { now: () => Date.now() + skewMs } })
  })
  afterEach(() => {
    skewMs = 0
  })
  afterAll(() => stack.close())

  const stored = async (length = 20_000) => {
    const user = await stack.user('film')
    const bytes = filmBytes(length, 'stored')
    const url = await user.create({ length, name: 'a.mp4' })
    expect((await user.patch(url, 0, bytes)).status).toBe(204)
    return { user, url, bytes }
  }

  test('at the last response the record has the state stored', async () => {
    for (const length of [20_000, 17 * MIB]) {
      const { url } = await stored(length)
      expect(await stack.record(url)).toMatchObject({ state: 'stored', receivedBytes: length, late: false })
    }
  })

  test('its validate job is queued once, however often completion runs', async () => {
    const { url } = await stored()
    await Promise.all(Array.from({ length: 12 }, () => stack.deps.completion.run(idOf(url))))
    expect((await jobsOf(stack, url)).map(({ id }) => id)).toEqual([`validate-${idOf(url)}-g1`])
    expect(await stack.record(url)).toMatchObject({
      state: 'stored',
      version: (await stack.record(url)).version,
    })
    const { version } = await stack.record(url)
    await Promise.all(Array.from({ length: 4 }, () => stack.deps.reconciler.one(idOf(url))))
    expect((await stack.record(url)).version).toBe(version)
    expect(await jobsOf(stack, url)).toHaveLength(1)
  })

  test('a job that was lost with Redis is queued again, once', async () => {
    const { url } = await stored()
    await stack.deps.redis.hot.flushall()
    const { owner, submissionId } = await stack.record(url)
    await stack.deps.heads.rebuild(owner, submissionId ?? '')
    skewMs = 61_000
    await stack.deps.reconciler.tick()
    await stack.deps.reconciler.tick()
    expect(await jobsOf(stack, url)).toHaveLength(1)
    expect((await stack.record(url)).state).toBe('stored')
  })

  test('a process that finds it complete again stores no second version', async () => {
    const { url, bytes } = await stored()
    const before = await stack.record(url)
    const { completion } = stack.deps
    const late = () => completion.commitStored(draftOf(before), before.object, bytes.length, Date.now() + 5000)
    expect((await Promise.all([late(), late()])).map(({ version }) => version)).toEqual([
      before.version,
      before.version,
    ])
    expect(await stack.record(url)).toEqual(before)
  })

  test('a job that ended without a verdict is queued again, under the next generation', async () => {
    const { url } = await stored()
    const [id, { reconciler, queues, redis }] = [idOf(url), stack.deps]
    await waitFor(async () => (await queues.stateOf('validate', id, 1)) !== 'unknown')
    const options = { connection: redis.jobs, prefix: QUEUE_PREFIX }
    const forgetful = new Worker('validate', () => Promise.resolve('nothing'), options)
    await waitFor(async () => (await queues.stateOf('validate', id, 1)) === 'completed')
    await forgetful.close()
    await Promise.all([reconciler.one(id), reconciler.one(id)])
    expect((await stack.record(url)).lanes.validate).toMatchObject({ generation: 2 })
    expect(await queues.stateOf('validate', id, 2)).not.toBe('unknown')
    await reconciler.one(id)
    expect((await stack.record(url)).lanes.validate).toMatchObject({ generation: 2 })
  })

  test('a job whose workers died too often is queued again immediately, and each death is counted', async () => {
    const { url } = await stored()
    const [id, { reconciler, queues, redis, uploads }] = [idOf(url), stack.deps]
    const leases = new LaneLeases(uploads, systemClock, 'a worker that dies')
    const dieAt = async (generation: number) => {
      await waitFor(async () => (await queues.stateOf('validate', id, generation)) !== 'unknown')
      for (let run = 0; run < 5; run++) {
        await leases.acquire(id, 'validate', { generation, run })
        await heldBy(deadProcess(), uploads, id, 'validate')
      }
      const options = { connection: redis.jobs, prefix: QUEUE_PREFIX }
      const worker = new Worker('validate', () => Promise.reject(new UnrecoverableError('stalled')), options)
      await waitFor(async () => (await queues.stateOf('validate', id, generation)) === 'failed')
      await worker.close()
      await reconciler.one(id)
      return (await stack.record(url)).lanes.validate
    }
    expect(await dieAt(1)).toMatchObject({ generation: 2, deaths: 5 })
    expect(await dieAt(2)).toMatchObject({ generation: 3, deaths: 10 })
  })

  test('several requests that find an upload complete finish it once', async () => {
    const { user, url, bytes } = await stored()
    const before = await stack.record(url)
    const replies = await Promise.all([
      user.head(url),
      user.patch(url, bytes.length, Buffer.alloc(0)),
      user.head(url),
      user.patch(url, 0, bytes),
    ])
    expect(replies.map(({ headers }) => headers['upload-offset'])).toEqual(
      Array.from({ length: 4 }, () => String(bytes.length)),
    )
    expect((await stack.record(url)).version).toBe(before.version)
    expect(await jobsOf(stack, url)).toHaveLength(1)
  })

  test('after a crash between commit and event, the next process publishes the event once', async () => {
    const { deps } = stack
    const [user, bytes] = [await stack.user('film'), filmBytes(20_000, 'untold')]
    const url = await user.create({ length: bytes.length, name: 'a.mp4' })
    const dead = new Error('it dies here')
    const dying: { mockRestore(): void }[] = [vi.spyOn(deps.uploads, 'announce').mockRejectedValueOnce(dead)]
    // On S3 a small file is its own first record; a directory's is committed apart, and failing news do not end that.
    if (kind === 'local') dying.push(vi.spyOn(deps.hot, 'end').mockRejectedValueOnce(dead))
    await user.patch(url, 0, bytes)
    for (const spy of dying) spy.mockRestore()

    expect(await user.offset(url)).toBe(bytes.length)
    // Work begins at once, before the reconciler comes by: a younger version.
    const lease = await new LaneLeases(deps.uploads, systemClock, 'a worker').acquire(idOf(url), 'validate', {
      generation: 1,
      run: 0,
    })
    expect(lease).toBeDefined()
    await deps.reconciler.one(idOf(url))
    const { owner, submissionId } = await stack.record(url)
    const entries = await deps.redis.hot.xrange(redisKeys.submissionEvents(owner, submissionId ?? ''), '-', '+')
    const told = entries.map(([, fields]) => (JSON.parse(fields[1] ?? '') as EventEnvelope).body)
    expect(told.filter(({ type }) => type === 'upload.stored')).toHaveLength(1)
  })

  // A process that died after its last write and before it could say so anywhere.
  test.runIf(kind === 'local')('a complete file without a record is found', async () => {
    const { appendFile } = await import('node:fs/promises')
    const { objectKeys } = await import('../../../src/records/keys.ts')
    const { LocalObjectStore } = await import('../../../src/storage/local.ts')
    const bytes = pdfBytes(9000)
    const submission = await stack.submission()
    const user = tusUser(stack.url, await stack.ticket(submission, 'plan'))
    const url = await user.create({ length: bytes.length, name: 'a.pdf' })
    await user.patch(url, 0, bytes.subarray(0, 4000))
    const path = new LocalObjectStore(stack.dataDir).path(objectKeys.data(idOf(url)))
    await appendFile(path, bytes.subarray(4000))
    await stack.deps.redis.hot.flushall()
    expect(await user.offset(url)).toBe(bytes.length)
    await waitFor(async () => (await stack.record(url)).state === 'stored')
    expect(await stack.storedSha256(url)).toBe(sha256(bytes))
    await waitFor(async () => (await jobsOf(stack, url)).length === 1)
  })
})

describe.skipIf(!s3Available())('S3 that is slow to join parts', () => {
  let s3: TestS3
  let proxy: HttpProxy
  let stack: Environment
  beforeAll(async () => {
    s3 = await startS3()
    proxy = await startHttpProxy(s3.endpoint)
    stack = await openEnvironment({ store: 's3', s3, s3Endpoint: proxy.url })
  })
  afterAll(async () => {
    await stack.close()
    await proxy.stop()
    await s3.stop()
  })

  test('the last response does not wait for the join, and nothing is read before it', async () => {
    const bytes = filmBytes(17 * MIB, 'light')
    const user = await stack.user('film')
    const url = await user.create({ length: bytes.length, name: 'a.mp4' })
    proxy.reset()
    let joined = false
    proxy.fault({
      when: ({ operation }) => {
        if (operation === 'CompleteMultipartUpload') joined = true
        return operation === 'CompleteMultipartUpload'
      },
      act: 'delay',
      ms: 3000,
    })
    expect((await user.patch(url, 0, bytes)).status).toBe(204)
    const finished = proxy.calls.filter(({ operation }) => operation === 'CompleteMultipartUpload')
    expect(finished.every(({ status }) => status === undefined)).toBe(true)
    expect(proxy.counts()).not.toHaveProperty('GetObject')
    await waitFor(() => joined)
    expect(await stack.storedSha256(url)).toBe(sha256(bytes))
  })
})
