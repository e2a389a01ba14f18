// Redis away: nobody is told anything that real clients take for the end, and what waited goes on when it is back.

import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'
import { filmBytes, sha256 } from '../../support/bytes.ts'
import { type Environment, openEnvironment } from '../../support/environment.ts'
import { startTcpProxy, type TcpProxy } from '../../support/proxy.ts'
import { startRedis, type TestRedis } from '../../support/redis.ts'
import type { TusUser } from '../../support/tus.ts'
import { expectProblem } from './problem.ts'

const MIB = 1024 ** 2
const HOLD_MS = 20_000
/** A busy machine may be late, but nobody may wait twice. */
const HELD_MS = [HOLD_MS - 1500, 2 * HOLD_MS] as const

let redis: TestRedis
let proxy: TcpProxy
let stack: Environment

beforeAll(async () => {
  redis = await startRedis({ appendOnly: true })
  proxy = await startTcpProxy(redis.url)
})
beforeAll(async () => {
  stack = await openEnvironment({ redis, redisUrl: proxy.url })
})
afterEach(() => proxy.reset())
afterAll(async () => {
  await stack.close()
  await proxy.stop()
  await redis.stop()
})

async function timed<T>(work: Promise<T>): Promise<{ ms: number; result: T }> {
  const startedAtMs = performance.now()
  const result = await work
  return { ms: performance.now() - startedAtMs, result }
}

const bytes = filmBytes(2 * MIB, 'redis')

async function begun(at: Environment): Promise<{ user: TusUser; url: string }> {
  const user = await at.user('film')
  const url = await user.create({ length: bytes.length, name: 'a.mp4' })
  await user.patch(url, 0, bytes.subarray(0, MIB))
  return { user, url }
}

test('a short outage is waited out: HEAD, PATCH and POST are answered normally', async () => {
  const { user, url } = await begun(stack)
  const other = await begun(stack)
  proxy.set({ refuse: true })
  proxy.cut()
  const waiting = Promise.all([
    user.head(url),
    other.user.patch(other.url, MIB, bytes.subarray(MIB)),
    user.post({ length: 10, name: 'a.mp4' }),
  ])
  const early = await Promise.race([waiting, new Promise((resolve) => setTimeout(resolve, 300, 'held'))])
  expect(early).toBe('held')
  proxy.reset()
  const [head, patch, post] = await waiting
  expect(head).toMatchObject({ status: 200, headers: { 'upload-offset': String(MIB) } })
  expect(patch.status).toBe(204)
  expect(post.status).toBe(201)
  expect(await stack.storedSha256(other.url)).toBe(sha256(bytes))
})

test('a running request continues during a short outage', async () => {
  const { user, url } = await begun(stack)
  const sending = user.begin(url, MIB, MIB)
  await sending.write(bytes.subarray(MIB, MIB + 100_000))
  proxy.set({ refuse: true })
  proxy.cut()
  sending.end(bytes.subarray(MIB + 100_000))
  proxy.reset()
  expect((await sending.reply).status).toBe(204)
  expect(await stack.storedSha256(url)).toBe(sha256(bytes))
})

const ABSENCES = [
  { how: 'refused', rules: { refuse: true } },
  { how: 'silent', rules: { halfOpen: true } },
]

describe.concurrent('a longer outage', () => {
  test.each(ABSENCES)('$how: held for 20 s, then HEAD and PATCH 423, POST 503', async ({ how, rules }) => {
    const way = await startTcpProxy(redis.url)
    const there = await openEnvironment({ redis, redisUrl: way.url })
    try {
      await longAbsence(there, () => {
        way.set(rules)
        if (how === 'refused') way.cut()
        return () => way.reset()
      })
    } finally {
      way.reset()
      await there.close()
      await way.stop()
    }
  })
})

async function longAbsence(there: Environment, leave: () => () => void): Promise<void> {
  const [waiting, patched, running] = [await begun(there), await begun(there), await begun(there)]
  const sending = running.user.begin(running.url, MIB, MIB)
  await sending.write(bytes.subarray(MIB, MIB + 100_000))
  expect(await running.user.offset(running.url)).toBeGreaterThanOrEqual(MIB)
  const comeBack = leave()
  sending.end(bytes.subarray(MIB + 100_000))
  const [head, patch, post, ran] = await Promise.all([
    timed(waiting.user.head(waiting.url)),
    timed(patched.user.patch(patched.url, MIB, bytes.subarray(MIB))),
    timed(waiting.user.post({ length: 10, name: 'a.mp4' })),
    timed(sending.reply),
  ])
  expect(head.result.status).toBe(423)
  expectProblem(patch.result, 423, 'REDIS_UNAVAILABLE')
  expectProblem(post.result, 503, 'REDIS_UNAVAILABLE')
  expectProblem(ran.result, 423, 'REDIS_UNAVAILABLE')
  for (const { ms, result } of [head, patch, post, ran]) {
    expect(result.headers['retry-after']).toMatch(/^\d+$/)
    expect(ms).toBeGreaterThan(HELD_MS[0])
    expect(ms).toBeLessThan(HELD_MS[1])
  }
  comeBack()
  for (const { user, url } of [waiting, patched, running]) {
    const offset = await user.offset(url)
    expect(offset).toBeGreaterThanOrEqual(MIB)
    if (offset < bytes.length) expect((await user.patch(url, offset, bytes.subarray(offset))).status).toBe(204)
    expect(await there.storedSha256(url)).toBe(sha256(bytes))
  }
}
