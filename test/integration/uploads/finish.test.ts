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
  let house: Environment
  let skewMs = 0
  beforeAll(async () => {
    house = await openEnvironment({ store: kind, clock: { now: () => Date.now() + skewMs } })
  })
  afterEach(() => {
    skewMs = 0
  })
  afterAll(() => house.close())

  const stored = async (length = 20_000) => {
    const user = await house.user('film')
    const bytes = filmBytes(length, 'stored')
    const url = await user.create({ length, name: 'a.mp4' })
    expect((await user.patch(url, 0, bytes)).status).toBe(204)
    return { user, url, bytes }
  }

  test('at the last response the record has the state stored', async () => {
    for (const length of [20_000, 17 * MIB]) {
      const { url } = await stored(length)
      expect(await house.record(url)).toMatchObject({ state: 'stored', receivedBytes: length, late: false })
    }
  })

  test('its validate job is queued once, however often completion runs', async () => {
    const { url } = await stored()
    await Promise.all(Array.from({ length: 12 }, () => house.deps.completion.run(idOf(url))))
    expect((await jobsOf(house, url)).map(({ id }) => id)).toEqual([`validate-${idOf(url)}-g1`])
    expect(await house.record(url)).toMatchObject({
      state: 'stored',
      version: (await house.record(url)).version,
    })
    const { version } = await house.record(url)
    await Promise.all(Array.from({ length: 4 }, () => house.deps.reconciler.one(idOf(url))))
    expect((await house.record(url)).version).toBe(version)
    expect(await jobsOf(house, url)).toHaveLength(1)
  })

  test('a job that was lost with Redis is queued again, once', async () => {
    const { url } = await stored()
    await house.deps.redis.hot.flushall()
    const { owner, submissionId } = await house.record(url)
    await house.deps.heads.rebuild(owner, submissionId ?? '')
    skewMs = 61_000
    await house.deps.reconciler.tick()
    await house.deps.reconciler.tick()
    expect(await jobsOf(house, url)).toHaveLength(1)
    expect((await house.record(url)).state).toBe('stored')
  })

  test('a process that finds it complete again stores no second version', async () => {
    const { url, bytes } = await stored()
    const before = await house.record(url)
    const { completion } = house.deps
    const late = () => completion.commitStored(draftOf(before), before.object, bytes.length, Date.now() + 5000)
    expect((await Promise.all([late(), late()])).map(({ version }) => version)).toEqual([
      before.version,
      before.version,
    ])
    expect(await house.record(url)).toEqual(before)
  })

  test('a job that ended without a verdict is queued again, under the next generation', async () => {
    const { url } = await stored()
    const [id, { reconciler, queues, redis }] = [idOf(url), house.deps]
    await waitFor(async () => (await queues.stateOf('validate', id, 1)) !== 'unknown')
    const options = { connection: redis.jobs, prefix: QUEUE_PREFIX }
    const forgetful = new Worker('validate', () => Promise.resolve('nothing'), options)
    await waitFor(async () => (await queues.stateOf('validate', id, 1)) === 'completed')
    await forgetful.close()
    await Promise.all([reconciler.one(id), reconciler.one(id)])
    expect((await house.record(url)).lanes.validate).toMatchObject({ generation: 2 })
    expect(await queues.stateOf('validate', id, 2)).not.toBe('unknown')
    await reconciler.one(id)
    expect((await house.record(url)).lanes.validate).toMatchObject({ generation: 2 })
  })

  test('a job whose workers died too often is queued again immediately, and each death is counted', async () => {
    const { url } = await stored()
    const [id, { reconciler, queues, redis, uploads }] = [idOf(url), house.deps]
    const claims = new LaneLeases(uploads, systemClock, 'a worker that dies')
    const dieAt = async (generation: number) => {
      await waitFor(async () => (await queues.stateOf('validate', id, generation)) !== 'unknown')
      for (let run = 0; run < 5; run++) await claims.acquire(id, 'validate', { generation, run })
      const options = { connection: redis.jobs, prefix: QUEUE_PREFIX }
      const worker = new Worker('validate', () => Promise.reject(new UnrecoverableError('stalled')), options)
      await waitFor(async () => (await queues.stateOf('validate', id, generation)) === 'failed')
      await worker.close()
      await reconciler.one(id)
      return (await house.record(url)).lanes.validate
    }
    expect(await dieAt(1)).toMatchObject({ generation: 2, deaths: 5 })
    expect(await dieAt(2)).toMatchObject({ generation: 3, deaths: 10 })
  })

  test('several requests that find an upload complete finish it once', async () => {
    const { user, url, bytes } = await stored()
    const before = await house.record(url)
    const replies = await Promise.all([
      user.head(url),
      user.patch(url, bytes.length, Buffer.alloc(0)),
      user.head(url),
      user.patch(url, 0, bytes),
    ])
    expect(replies.map(({ headers }) => headers['upload-offset'])).toEqual(
      Array.from({ length: 4 }, () => String(bytes.length)),
    )
    expect((await house.record(url)).version).toBe(before.version)
    expect(await jobsOf(house, url)).toHaveLength(1)
  })

  test('after a crash between commit and event, the next process publishes the event once', async () => {
    const { deps } = house
    const [user, bytes] = [await house.user('film'), filmBytes(20_000, 'untold')]
    const url = await user.create({ length: bytes.length, name: 'a.mp4' })
    const dead = new Error('it dies here')
    const dying: { mockRestore(): void }[] = [vi.spyOn(deps.uploads, 'announce').mockRejectedValueOnce(dead)]
    // On S3 a small file is its own first record; a directory's is committed apart, and failing news do not end that.
    if (kind === 'local') dying.push(vi.spyOn(deps.hot, 'end').mockRejectedValueOnce(dead))
    await user.patch(url, 0, bytes)
    for (const spy of dying) spy.mockRestore()

    expect(await user.offset(url)).toBe(bytes.length)
    // Work begins at once, before the reconciler comes by: a younger version.
    const claim = await new LaneLeases(deps.uploads, systemClock, 'a worker').acquire(idOf(url), 'validate', {
      generation: 1,
      run: 0,
    })
    expect(claim).toBeDefined()
    await deps.reconciler.one(idOf(url))
    const { owner, submissionId } = await house.record(url)
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
    const submission = await house.submission()
    const user = tusUser(house.url, await house.ticket(submission, 'plan'))
    const url = await user.create({ length: bytes.length, name: 'a.pdf' })
    await user.patch(url, 0, bytes.subarray(0, 4000))
    const path = new LocalObjectStore(house.dataDir).path(objectKeys.data(idOf(url)))
    await appendFile(path, bytes.subarray(4000))
    await house.deps.redis.hot.flushall()
    expect(await user.offset(url)).toBe(bytes.length)
    await waitFor(async () => (await house.record(url)).state === 'stored')
    expect(await house.storedSha256(url)).toBe(sha256(bytes))
    await waitFor(async () => (await jobsOf(house, url)).length === 1)
  })
})

describe.skipIf(!s3Available())('S3 that is slow to join parts', () => {
  let s3: TestS3
  let proxy: HttpProxy
  let house: Environment
  beforeAll(async () => {
    s3 = await startS3()
    proxy = await startHttpProxy(s3.endpoint)
    house = await openEnvironment({ store: 's3', s3, s3Endpoint: proxy.url })
  })
  afterAll(async () => {
    await house.close()
    await proxy.stop()
    await s3.stop()
  })

  test('the last response does not wait for the join, and nothing is read before it', async () => {
    const bytes = filmBytes(17 * MIB, 'light')
    const user = await house.user('film')
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
    expect(await house.storedSha256(url)).toBe(sha256(bytes))
  })
})
