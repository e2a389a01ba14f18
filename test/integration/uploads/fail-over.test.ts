// Redis fails over and back again. The primary that returns has the run id that it had, and may have lost what was written
// last: nothing in it is believed before the store was asked.

import { Redis } from 'ioredis'
import { expect, test } from 'vitest'
import { filmBytes } from '../../support/bytes.ts'
import { openEnvironment } from '../../support/environment.ts'
import { waitFor } from '../../support/http.ts'
import { startTcpProxy } from '../../support/proxy.ts'
import { startRedis } from '../../support/redis.ts'

const KIB = 1024
const FAST = ['--repl-diskless-sync-delay', '0']

type OnEnd = (end: () => Promise<void> | void) => void

async function server(onEnd: OnEnd) {
  const redis = await startRedis({ appendOnly: true, args: FAST })
  onEnd(() => redis.stop())
  const operator = new Redis(redis.url, { maxRetriesPerRequest: null })
  onEnd(() => operator.disconnect())
  const follows = async (port: number) => {
    await operator.replicaof('127.0.0.1', port)
    await waitFor(async () => /master_link_status:up/.test(await operator.info('replication')), {
      what: 'the replica to follow',
    })
  }
  return { ...redis, operator, follows }
}

/** A service whose primary fails over to another, which never got the last bytes, and comes back. */
async function thereAndBack(onEnd: OnEnd, stay: boolean) {
  const [first, second] = [await server(onEnd), await server(onEnd)]
  await second.follows(first.port)
  const address = await startTcpProxy(first.url)
  onEnd(() => address.stop())
  const stack = await openEnvironment({ redisUrl: address.url })
  onEnd(() => stack.close())
  const bytes = filmBytes(64 * KIB, 'there and back')
  const user = await stack.user('film')
  const url = await user.create({ length: bytes.length, name: 'a.mp4' })
  await user.patch(url, 0, bytes.subarray(0, 16 * KIB))
  await first.operator.wait(1, 0)
  // The link breaks; what comes now is acknowledged and never gets there.
  await second.operator.replicaof('NO', 'ONE')
  await user.patch(url, 16 * KIB, bytes.subarray(16 * KIB, 48 * KIB))
  const before = stack.deps.runId.current
  await first.follows(second.port)
  if (!stay) {
    // Where the service goes meanwhile, it finds the other.
    address.aim(second.port)
    await waitFor(() => Promise.resolve(stack.deps.runId.current !== before), { what: 'the other one to be met' })
  }
  await first.operator.replicaof('NO', 'ONE')
  await second.follows(first.port)
  address.aim(first.port)
  if (!stay) address.cut()
  return { stack, user, url, bytes, before }
}

test.for([true, false])(
  'an upload resumes at its last byte over kept connections: %s',
  async (stay, { onTestFinished: onEnd }) => {
    const { stack, user, url, bytes, before } = await thereAndBack(onEnd, stay)
    const { runId, redis } = stack.deps
    await waitFor(
      async () => runId.current !== before && runId.current.startsWith(before) && (await redis.hot.ping()) === 'PONG',
      { what: 'the return to be noticed' },
    )
    expect(await user.offset(url)).toBe(48 * KIB)
    expect((await user.patch(url, 48 * KIB, bytes.subarray(48 * KIB))).status).toBe(204)
  },
)

test('a promotion is still known after its server has lost it, also to processes that start later', async ({
  onTestFinished: onEnd,
}) => {
  const { stack } = await thereAndBack(onEnd, true)
  const { runId } = stack.deps
  await waitFor(async () => {
    await runId.ask()
    return runId.current.includes(':')
  })
  await waitFor(async () => (await stack.deps.redis.hot.get('sn:promoted')) === runId.current)
  const known = runId.current
  const redisUrl = stack.deps.config.redisUrl
  const operator = new Redis(redisUrl)
  onEnd(() => operator.disconnect())
  // The replica leaves, and with it, after a while, what the primary knew of its past.
  await operator.config('SET', 'repl-backlog-ttl', '1')
  await operator.client('KILL', 'TYPE', 'replica')
  const other = await openEnvironment({ redis: stack.redis, redisUrl })
  onEnd(() => other.close())
  expect(other.deps.runId.current).toBe(known)
})
