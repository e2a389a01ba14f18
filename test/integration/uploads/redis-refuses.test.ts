// A Redis that is connected and refuses: whatever its reason, it is Redis trouble with the answers of the contract, never
// a 500; and a line to a server that is no longer the primary is given up for another.

import { mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import { isDeepStrictEqual } from 'node:util'
import { Redis } from 'ioredis'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { createLogger } from '../../../src/core/logger.ts'
import { connectRedis, waitForRedis } from '../../../src/core/redis.ts'
import { RedisWatch } from '../../../src/core/redis-watch.ts'
import { buildOpsServer } from '../../../src/ops/ops-server.ts'
import { filmBytes } from '../../support/bytes.ts'
import { type Environment, openEnvironment } from '../../support/environment.ts'
import { waitFor } from '../../support/http.ts'
import { INTAKE } from '../../support/profiles.ts'
import { startTcpProxy } from '../../support/proxy.ts'
import { startRedis, type TestRedis } from '../../support/redis.ts'

const KIB = 1024
const bytes = filmBytes(64 * KIB, 'refused')

/** The lists of a Redis that was lost are made again, and said to be. */
const REFUSED = ['REDIS_UNAVAILABLE', 'INDEX_REBUILDING']

/** Node's warning of a memory leak would send the operator of a refusing Redis the wrong way. */
const leakWarnings: Error[] = []
const onWarning = (warning: Error) => {
  if (warning.name === 'MaxListenersExceededWarning') leakWarnings.push(warning)
}
beforeAll(() => void process.on('warning', onWarning))
afterAll(() => {
  process.off('warning', onWarning)
  expect(leakWarnings).toEqual([])
})

type OnEnd = (end: () => Promise<void> | void) => void

async function server(onEnd: OnEnd, args: string[] = []): Promise<TestRedis> {
  const redis = await startRedis({ appendOnly: true, args })
  onEnd(() => redis.stop())
  return redis
}

function operator(onEnd: OnEnd, redis: TestRedis): Redis {
  const client = new Redis(redis.url, { maxRetriesPerRequest: null })
  onEnd(() => client.disconnect())
  return client
}

async function stack(onEnd: OnEnd, redis: TestRedis, redisUrl = redis.url): Promise<Environment> {
  const opened = await openEnvironment({ redis, redisUrl })
  onEnd(() => opened.close())
  return opened
}

/** What a balancer, a scrape and a person are told of this service. */
async function operations(onEnd: OnEnd, { deps }: Environment) {
  const state = { started: true, draining: false }
  const app = await buildOpsServer({ ...deps, redis: deps.redis.producer, state })
  onEnd(() => app.close())
  return async () => {
    const [ready, details, metrics] = await Promise.all(
      ['/health/ready', '/health/details', '/metrics'].map((url) => app.inject({ url })),
    )
    const up = /^redis_up (\d)$/m.exec(metrics?.body ?? '')?.[1]
    return { ready: ready?.statusCode, reason: ready?.json().reason, redis: details?.json().redis.up, up }
  }
}

type Trouble = {
  what: string
  /** What a write is told, where that is another word. */
  written?: string
  /** Of the server, from its start. */
  args?: string[]
  begin: (redis: Redis, server: TestRedis) => Promise<unknown>
  end: (redis: Redis) => Promise<unknown>
}

const TROUBLES: Trouble[] = [
  {
    what: 'READONLY',
    begin: (redis) => redis.replicaof('127.0.0.1', 1),
    end: (redis) => redis.replicaof('NO', 'ONE'),
  },
  {
    what: 'MASTERDOWN',
    written: 'READONLY',
    begin: async (redis) => {
      await redis.config('SET', 'replica-serve-stale-data', 'no')
      await redis.replicaof('127.0.0.1', 1)
    },
    end: (redis) => redis.replicaof('NO', 'ONE'),
  },
  {
    what: 'OOM',
    begin: (redis) => redis.config('SET', 'maxmemory', '1'),
    end: (redis) => redis.config('SET', 'maxmemory', '0'),
  },
  {
    what: 'MISCONF',
    args: ['--save', '900 1'],
    begin: async (redis, { dir }) => {
      // A folder in the place of the snapshot: it cannot be written.
      await mkdir(join(dir, 'dump.rdb'))
      await redis.bgsave()
      await waitFor(async () => /rdb_last_bgsave_status:err/.test(await redis.info('persistence')), {
        what: 'a snapshot to fail',
      })
    },
    end: (redis) => redis.config('SET', 'stop-writes-on-bgsave-error', 'no'),
  },
  {
    what: 'NOREPLICAS',
    begin: (redis) => redis.config('SET', 'min-replicas-to-write', '1'),
    end: (redis) => redis.config('SET', 'min-replicas-to-write', '0'),
  },
  {
    what: 'NOPERM',
    begin: (redis) => redis.call('ACL', 'SETUSER', 'default', '-@write', '-@scripting'),
    end: (redis) => redis.call('ACL', 'SETUSER', 'default', '+@all'),
  },
]

describe.concurrent('connected, but refusing commands', () => {
  test.for(TROUBLES)(
    '$what: POST 503, PATCH 423, never a 500; normal again afterwards',
    async ({ what, written = what, args, begin, end }, { onTestFinished: onEnd }) => {
      const redis = await server(onEnd, args)
      const there = await stack(onEnd, redis)
      const control = operator(onEnd, redis)
      const [user, submission] = [await there.user('film'), await there.submission()]
      const url = await user.create({ length: bytes.length, name: 'a.mp4' })
      await user.patch(url, 0, bytes.subarray(0, 32 * KIB))
      const told = await operations(onEnd, there)
      expect(await told()).toEqual({ ready: 200, redis: true, up: '1' })
      await begin(control, redis)
      const post = await user.post({ length: 10, name: 'b.mp4' })
      const [patch, head, put, list, ticket, events] = await Promise.all([
        user.patch(url, 32 * KIB, bytes.subarray(32 * KIB)),
        user.head(url),
        there.call('PUT', `/v1/submissions/${submission}-new`, { body: { profile: INTAKE } }),
        there.call('GET', `/v1/submissions?limit=1`),
        there.call('POST', `/v1/submissions/${submission}/tickets`, { body: { slot: 'film' } }),
        there.call('GET', '/v1/events'),
      ])
      expect({ status: post.status, code: post.problem?.code }).toEqual({
        status: 503,
        code: 'REDIS_UNAVAILABLE',
      })
      expect({ status: patch.status, code: patch.problem?.code }).toEqual({
        status: 423,
        code: 'REDIS_UNAVAILABLE',
      })
      // Reads may be answered still.
      expect([200, 423]).toContain(head.status)
      for (const { status, body } of [put, list, ticket, events])
        expect(status < 300 || REFUSED.includes(String(body['code'])), JSON.stringify(body)).toBe(true)
      await waitFor(async () => (await told()).ready === 503, { what: 'readiness to see it' })
      expect(await told()).toEqual({
        ready: 503,
        reason: expect.stringMatching(`^Redis takes no writes: .*${written}`),
        redis: false,
        up: '0',
      })
      await end(control)
      await waitFor(async () => (await told()).ready === 200, { what: 'readiness to see that it is over' })
      await waitFor(
        async () => {
          const offset = Number((await user.head(url)).headers['upload-offset'] ?? -1)
          if (offset >= 0 && offset < bytes.length) await user.patch(url, offset, bytes.subarray(offset))
          return offset === bytes.length
        },
        { what: 'the upload to go on' },
      )
    },
  )
})

test('a refusal is seen on a connection that others always use first, and that is made anew each time', async ({
  onTestFinished: onEnd,
}) => {
  const redis = await server(onEnd)
  const logger = createLogger({ name: 'refused', level: 'silent' })
  const connection = connectRedis(redis.url, 'producer', logger)
  onEnd(() => connection.disconnect())
  await waitForRedis(connection, 30_000)
  const watch = new RedisWatch({ redis: connection, runId: { ask: () => Promise.resolve() }, logger })
  await watch.look()
  expect(watch.refusal()).toBeUndefined()
  const refused: string[] = []
  const write = () => connection.set('other', '1').catch(({ message }: Error) => refused.push(message))
  connection.on('ready', () => void write())
  await operator(onEnd, redis).replicaof('127.0.0.1', 1)
  await write()
  for (let look = 0; look < 2; look++) {
    await waitFor(() => Promise.resolve(connection.status === 'reconnecting'), {
      what: 'the connection to be given up',
      intervalMs: 1,
    })
    await watch.look()
  }
  expect(watch.refusal()).toMatch(/^READONLY/)
  expect(refused).toContainEqual(expect.stringMatching(/^READONLY/))
})

test('a connection to a primary that became a replica is closed, and the upload continues with the new primary', async ({
  onTestFinished: onEnd,
}) => {
  const [former, next] = [await server(onEnd), await server(onEnd)]
  const [old, young] = [operator(onEnd, former), operator(onEnd, next)]
  await young.replicaof('127.0.0.1', former.port)
  await waitFor(async () => /master_link_status:up/.test(await young.info('replication')), {
    what: 'the replica to follow',
  })
  const address = await startTcpProxy(former.url)
  onEnd(() => address.stop())
  const there = await stack(onEnd, former, address.url)
  const user = await there.user('film')
  const url = await user.create({ length: bytes.length, name: 'a.mp4' })
  await user.patch(url, 0, bytes.subarray(0, 32 * KIB))
  await young.replicaof('NO', 'ONE')
  await old.replicaof('127.0.0.1', next.port)
  address.aim(next.port)
  // Before anybody has asked for something on this line: a look at it every two seconds is enough.
  const told = await operations(onEnd, there)
  await waitFor(async () => (await there.deps.redis.producer.role())[0] === 'master', {
    what: 'the line to be given up',
  })
  await waitFor(async () => isDeepStrictEqual(await told(), { ready: 200, reason: undefined, redis: true, up: '1' }), {
    what: 'operations to see the new primary',
  })
  expect((await user.patch(url, 32 * KIB, bytes.subarray(32 * KIB))).status).toBe(204)
  expect((await user.post({ length: 10, name: 'b.mp4' })).status).toBe(201)
})
