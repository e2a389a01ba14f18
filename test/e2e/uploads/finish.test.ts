// kill -9 between the last byte and the queue: the verdict is asked for all the same, once.

import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Queue } from 'bullmq'
import { Redis } from 'ioredis'
import { afterAll, beforeAll, expect, test } from 'vitest'
import type { FaultPoint } from '../../../src/core/fault-points.ts'
import { QUEUE_PREFIX } from '../../../src/jobs/contract.ts'
import { filmBytes, sha256 } from '../../support/bytes.ts'
import { waitFor } from '../../support/http.ts'
import { overBothStores } from '../../support/over-both-stores.ts'
import type { Running } from '../../support/service.ts'
import { idOf, tusUser } from '../../support/tus.ts'
import { openWorld, type World } from './world.ts'

const MIB = 1024 ** 2

overBothStores((kind) => {
  let world: World
  let service: Running
  let orders: string
  let redis: Redis
  let queue: Queue

  beforeAll(async () => {
    world = await openWorld(kind)
    orders = await mkdtemp(join(tmpdir(), 'songngan-finish-'))
    service = await world.service({ FAULT_POINTS: orders })
    redis = new Redis(world.redis.url, { maxRetriesPerRequest: null })
    queue = new Queue('validate', { connection: redis, prefix: QUEUE_PREFIX })
  })
  afterAll(async () => {
    await queue.close()
    redis.disconnect()
    await world.close()
    await rm(orders, { recursive: true, force: true })
  })

  const jobsOf = async (id: string) =>
    (await queue.getJobs()).filter(({ data }) => (data as { uploadId: string }).uploadId === id)

  type Shape = { shape: string; length: number; first: number; s3Only: boolean; point: FaultPoint }
  const shapes = [
    {
      shape: 'a file that a tail makes whole',
      length: 2 * MIB,
      first: MIB,
      s3Only: false,
      point: 'finish.record-stored',
    },
    {
      shape: 'a file whose bytes are its record',
      length: MIB,
      first: 0,
      s3Only: true,
      point: 'finish.hot-finishing',
    },
    {
      shape: 'the same, of whose end Redis heard nothing',
      length: MIB + 1,
      first: 0,
      s3Only: true,
      point: 'finish.bytes-durable',
    },
    {
      shape: 'a file of several parts',
      length: 17 * MIB,
      first: MIB,
      s3Only: true,
      point: 'finish.record-stored',
    },
  ] satisfies Shape[]

  test.each(shapes.filter(({ s3Only }) => kind === 's3' || !s3Only))('$shape', async ({ length, first, point }) => {
    const bytes = filmBytes(length, `finish ${length}`)
    const user = tusUser(service.url, await world.ticket(service.url))
    const url = await user.create({ length, name: 'a.mp4' })
    const id = idOf(url)
    if (first > 0) expect((await user.patch(url, 0, bytes.subarray(0, first))).status).toBe(204)
    await writeFile(join(orders, 'armed'), `${point} 1 ${length}`)
    user.begin(url, first, length - first).end(bytes.subarray(first))
    await waitFor(() => !service.isRunning(), { what: `the service to die at ${point}` })
    expect((await world.record(id))?.state).toBe('stored')
    expect(await jobsOf(id)).toEqual([])

    // Whoever sent it may be gone: it is looked at soon, not when an unfinished upload would expire.
    expect(Number(await redis.zscore('sn:due', id))).toBeLessThan(Date.now() + 10 * 60_000)
    // Its time to be looked at comes.
    await redis.zadd('sn:due', 0, id)
    await service.restart()
    await waitFor(async () => (await jobsOf(id)).length > 0)
    await service.ready()
    // The job is asked for first, so that a death in between loses nothing; then everybody is told.
    await waitFor(async () => (await user.offset(url)) === length, { what: 'all bytes to be acknowledged' })
    // Once more: nothing is asked for twice.
    await service.kill('SIGKILL')
    await redis.zadd('sn:due', 0, id)
    await service.restart()
    await waitFor(async () => Number(await redis.zscore('sn:due', id)) > 0)
    await service.ready()

    expect((await jobsOf(id)).map((job) => job.id)).toEqual([`validate-${id}-g1`])
    expect((await world.record(id))?.lanes.validate).toEqual({ generation: 1, attempts: 0 })
    expect(await world.storedSha256(id)).toBe(sha256(bytes))
  })
})
