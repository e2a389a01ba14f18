// The proof that somebody tried to upload outlives the process that answered, also where Redis is away when it ends.

import { expect, onTestFinished, test } from 'vitest'
import { filmBytes } from '../../support/bytes.ts'
import { startTcpProxy } from '../../support/proxy.ts'
import { tusUser } from '../../support/tus.ts'
import { openWorld } from './world.ts'

const MIB = 1024 ** 2

test.each([
  { how: 'refused', rules: { refuse: true } },
  { how: 'silent', rules: { halfOpen: true } },
])('SIGTERM while Redis is $how and an upload is running: attempts are in the store', async ({ rules }) => {
  const world = await openWorld('local')
  onTestFinished(() => world.close())
  const proxy = await startTcpProxy(world.redis.url)
  onTestFinished(() => proxy.stop())
  const service = await world.service({ REDIS_URL: proxy.url })
  const user = tusUser(service.url, await world.ticket(service.url))
  const url = await user.create({ length: 2 * MIB, name: 'a.mp4' })
  // It holds the end of the process up: its progress cannot be saved.
  const running = user.begin(url, 0, 2 * MIB)
  await running.write(filmBytes(MIB, 'attempts'))
  proxy.set(rules)
  if (rules.refuse === true) proxy.cut()
  const refused = await user.post({ length: 10, headers: { 'Upload-Metadata': 'filename ***' } })
  expect(refused.status).toBe(400)
  await service.kill('SIGTERM')
  const codes: string[] = []
  for await (const { key } of world.store.list('attempts/')) {
    const body = JSON.parse(String(await world.store.read(key))) as { attempts: { code: string | null }[] }
    codes.push(...body.attempts.flatMap(({ code }) => code ?? []))
  }
  expect(codes).toEqual([refused.problem?.code])
})
