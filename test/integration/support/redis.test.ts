import { setTimeout as delay } from 'node:timers/promises'
import { Redis } from 'ioredis'
import { expect, test } from 'vitest'
import { statusOf, waitFor } from '../../support/http.ts'
import { startRedis } from '../../support/redis.ts'

test('an append-only Redis killed with -9 comes back with its data, on the same port', async ({ onTestFinished }) => {
  const redis = await startRedis({ appendOnly: true })
  onTestFinished(() => redis.stop())
  const client = new Redis(redis.url)
  client.on('error', () => {}) // refused while the server is down: expected
  onTestFinished(() => client.disconnect())
  await client.set('kept', 'yes')
  await redis.kill()
  await redis.restart()
  await waitFor(async () => (await client.get('kept')) === 'yes')
})

test('Redis comes back empty, and comes back older', async ({ onTestFinished }) => {
  const redis = await startRedis({ appendOnly: true })
  onTestFinished(() => redis.stop())
  const ask = async (run: (client: Redis) => Promise<unknown>) => {
    const client = new Redis(redis.url)
    try {
      return await run(client)
    } finally {
      client.disconnect()
    }
  }
  await ask((client) => client.set('n', '1'))
  const older = await redis.snapshot()
  await ask((client) => client.set('n', '2'))
  await redis.restart({ dir: await redis.emptyDir() })
  expect(await ask((client) => client.get('n'))).toBeNull()
  await redis.restart({ dir: older })
  expect(await ask((client) => client.get('n'))).toBe('1')
})

test('two Redis do not see each other, and stopping ends the process', async () => {
  const [one, two] = await Promise.all([startRedis(), startRedis()])
  expect(one.port).not.toBe(two.port)
  const client = new Redis(one.url)
  await client.set('only', 'here')
  const other = new Redis(two.url)
  expect(await other.get('only')).toBeNull()
  client.disconnect()
  other.disconnect()
  await Promise.all([one.stop(), two.stop()])
  expect(await statusOf(`http://127.0.0.1:${one.port}`)).toBe(0)
})

test('a paused Redis keeps its connections and does not answer until it is resumed', async ({ onTestFinished }) => {
  const redis = await startRedis()
  onTestFinished(() => redis.stop())
  const client = new Redis(redis.url)
  onTestFinished(() => client.disconnect())
  expect(await client.ping()).toBe('PONG')
  redis.pause()
  const answer = client.ping()
  expect(await Promise.race([answer, delay(300, 'silence')])).toBe('silence')
  redis.resume()
  expect(await answer).toBe('PONG')
})
