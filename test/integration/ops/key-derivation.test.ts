// A rolling upgrade: beside a service of a version that signs with the secret itself, what is signed has to be good there.

import { createHmac } from 'node:crypto'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { createLogger } from '../../../src/core/logger.ts'
import { connectRedis } from '../../../src/core/redis.ts'
import { redisKeys } from '../../../src/records/keys.ts'
import { type Environment, openEnvironment, TICKET_SECRET } from '../../support/environment.ts'
import { waitFor } from '../../support/http.ts'
import { startRedis, type TestRedis } from '../../support/redis.ts'

const EARLIER = 'machine:1'
let redis: TestRedis
let stack: Environment
beforeAll(async () => {
  redis = await startRedis({ appendOnly: false })
  const logger = createLogger({ name: 'test', level: 'silent' })
  const connection = connectRedis(redis.url, 'hot', logger)
  // As a version before wrote it.
  const report = { name: EARLIER, instance: 'machine:9464', role: 'service', atMs: Date.now(), startedAtMs: Date.now() }
  await connection.hset(redisKeys.processes, EARLIER, JSON.stringify(report))
  connection.disconnect()
  stack = await openEnvironment({ redis })
})
afterAll(async () => {
  await stack.close()
  await redis.stop()
})

const isSignedBySecret = (token: string) => {
  const [head = '', payload = '', signature = ''] = token.split('.')
  return createHmac('sha256', TICKET_SECRET).update(`${head}.${payload}`).digest('base64url') === signature
}

it('signs like the old version until that has ended, then with derived keys; both are valid', async () => {
  const id = await stack.submission()
  const page = () => stack.session(id, { can: ['read', 'upload'] })
  const [ticket, session] = [await stack.ticket(id, 'plan'), await page()]
  expect([ticket, session].map(isSignedBySecret)).toEqual([true, true])
  await stack.deps.redis.hot.hdel(redisKeys.processes, EARLIER)
  await waitFor(() => stack.deps.keyDerivation.active)
  const [later, laterSession] = [await stack.ticket(id, 'plan'), await page()]
  expect([later, laterSession].map(isSignedBySecret)).toEqual([false, false])
  for (const token of [session, laterSession])
    expect((await stack.call('GET', `/v1/submissions/${id}`, { token })).status).toBe(200)
  for (const token of [ticket, later])
    expect((await stack.deps.tokens.verifyTicket(token, { checkExpiry: true })).submission).toBe(id)
})
