// A cluster: its primary fails in the middle of uploads and jobs, and all of its nodes lose everything.

import { expect, test } from 'vitest'
import { isCluster } from '../../../src/core/redis.ts'
import { FindIndex } from '../../../src/ops/find/find-index.ts'
import { countOpenUploads } from '../../../src/records/open-uploads.ts'
import { startCluster } from '../../support/cluster.ts'
import { openEnvironment } from '../../support/environment.ts'
import { begun, losePrimary, sendTo } from './primary-lost.ts'

test.for(['kill', 'pause'] as const)('%s of the primary in the middle', async (how, { onTestFinished: onEnd }) => {
  const redis = await startCluster({ appendOnly: true })
  onEnd(() => redis.stop())
  await losePrimary(redis, how, onEnd)
})

test('a primary that comes back without the last bytes, over kept connections', async ({ onTestFinished: onEnd }) => {
  const redis = await startCluster({ appendOnly: true, failsOver: false })
  onEnd(() => redis.stop())
  const stack = await openEnvironment({ redisUrl: redis.url })
  onEnd(() => stack.close())
  const clients = await Promise.all(Array.from({ length: 6 }, (_, n) => begun(stack, n)))
  await redis.takeOver()
  for (const client of clients) await sendTo(client, 128 * 1024)
  await redis.part()
  for (const client of clients) await sendTo(client, 192 * 1024)
  await redis.takeOver()
  for (const client of clients) {
    expect(await client.user.offset(client.url)).toBe(192 * 1024)
    await sendTo(client, client.bytes.length)
  }
})

test('everything that is listed, told, found and counted is the same after all nodes lost it', async ({
  onTestFinished: onEnd,
}) => {
  const redis = await startCluster({ failsOver: false })
  onEnd(() => redis.stop())
  const stack = await openEnvironment({ redisUrl: redis.url, listens: false })
  onEnd(() => stack.close())
  const { deps } = stack
  const names = Array.from({ length: 8 }, (_, n) => `S-${n}`)
  for (const name of names) {
    await stack.put(name)
    await stack.acceptedUpload(name, 'plan')
  }
  const search = new FindIndex(deps.redis.producer)
  await search.add({ owner: 'portal', submissionId: 'S-1' }, ['ครูสมใจ'], null)
  expect(await search.search('สมใจ', 10)).toMatchObject({ found: [{ submissionId: 'S-1' }] })
  const listed = async () => await stack.call('GET', '/v1/submissions')
  const told = async () => {
    const { body } = await stack.call('GET', '/v1/events?limit=200')
    return (body['items'] as { id: string }[]).map(({ id }) => id).toSorted()
  }
  const documents = () =>
    Promise.all(names.map(async (name) => (await stack.call('GET', `/v1/submissions/${name}`)).body))
  const before = [await documents(), await told(), await countOpenUploads(deps.redis.hot)]
  expect((await listed()).body['items']).toHaveLength(names.length)

  const { hot } = deps.redis
  if (!isCluster(hot)) throw new Error('this is no cluster')
  await Promise.all(hot.nodes('master').map((node) => node.flushall()))
  expect((await listed()).status).toBe(503)
  await deps.rebuilder.heal()
  expect((await listed()).body['items']).toHaveLength(names.length)
  expect([await documents(), await told(), await countOpenUploads(hot)]).toEqual(before)
})
