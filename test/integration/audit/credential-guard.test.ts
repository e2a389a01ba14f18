// The brake on guessing, over two processes on one Redis: how fast wrong credentials are taken, what a right one gets
// meanwhile, and who is not locked out by it.

import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { type Attempt, CredentialGuard } from '../../../src/audit/credential-guard.ts'
import { hasCode } from '../../../src/core/errors.ts'
import { createLogger } from '../../../src/core/logger.ts'
import { connectRedis, type RedisConnection } from '../../../src/core/redis.ts'
import { startRedis, type TestRedis } from '../../support/redis.ts'

const PER_MINUTE = 10
const logger = createLogger({ name: 'test', level: 'error' }, { write: () => undefined })

let server: TestRedis
let redis: RedisConnection
let events: string[]

beforeAll(async () => {
  server = await startRedis()
  redis = connectRedis(server.url, 'hot', logger)
})
afterAll(async () => {
  redis.disconnect()
  await server.stop()
})
beforeEach(async () => {
  await redis.flushall()
  events = []
})

function openGuard(connection: RedisConnection = redis, perMinute = PER_MINUTE) {
  const note = async ({ event, on }: { event: string; on: string | null }) => void events.push(`${event} ${on}`)
  return new CredentialGuard({
    redis: connection,
    config: { wrongCredentialsPerMinute: perMinute },
    securityLog: { record: note, recordNowAndThen: note } as never,
    logger,
  })
}

const attempt = (isRight: boolean, more: Partial<Attempt> & { from?: string } = {}): Attempt => {
  const { from = '192.0.2.7', ...rest } = more
  return { event: 'operator.login', isRight, actor: { by: 'unknown', from }, account: null, ...rest }
}

/** `in`, `wrong`, or the seconds of Retry-After. */
async function outcome(guard: CredentialGuard, given: Attempt): Promise<'in' | 'wrong' | number> {
  try {
    return (await guard.check(given)) ? 'in' : 'wrong'
  } catch (error) {
    if (!hasCode(error, 'TOO_MANY_WRONG_CREDENTIALS')) throw error
    expect(error.status).toBe(429)
    return error.retryAfterSeconds ?? Number.NaN
  }
}

/** Counts of one kind of outcome. */
const count = (outcomes: unknown[], wanted: unknown) => outcomes.filter((one) => one === wanted).length

describe('guessed credentials', () => {
  it('two hundred concurrent attempts at two processes: ten are checked; a right credential among the limited ones gets the same response', async () => {
    const guards = [openGuard(), openGuard()]
    const tries = Array.from({ length: 200 }, (_, n) => outcome(guards[n % 2] as CredentialGuard, attempt(false)))
    const outcomes = await Promise.all(tries)
    // A slow machine forgives one in six seconds meanwhile.
    expect(count(outcomes, 'wrong')).toBeGreaterThanOrEqual(PER_MINUTE)
    expect(count(outcomes, 'wrong')).toBeLessThan(2 * PER_MINUTE)
    const right = await outcome(openGuard(), attempt(true))
    expect(right).toBeGreaterThanOrEqual(1)
    expect(right).toBeLessThanOrEqual(60)
    expect(events.filter((event) => event.startsWith('operator.login')).length).toBe(count(outcomes, 'wrong'))
    expect(events).toContain('guessing.braked null')
  })

  it('the limit ends within a minute, and no key stays in Redis longer', async () => {
    const guard = openGuard()
    await Promise.all(Array.from({ length: 50 }, () => outcome(guard, attempt(false))))
    const keys = await redis.keys('sn:guesses:*')
    expect(keys.length).toBe(2)
    for (const key of keys) {
      expect(await redis.pttl(key)).toBeGreaterThan(0)
      expect(await redis.pttl(key)).toBeLessThanOrEqual(60_000)
    }
  })

  it('attempts on one account from many addresses are limited too, later than from one address', async () => {
    const guard = openGuard()
    const account = 'operator ops'
    const outcomes = []
    for (let n = 0; n < 30; n++)
      outcomes.push(
        ...(await Promise.all(
          Array.from({ length: 10 }, () => outcome(guard, attempt(false, { account, from: `198.51.100.${n}` }))),
        )),
      )
    expect(count(outcomes, 'wrong')).toBeGreaterThanOrEqual(10 * PER_MINUTE)
    expect(count(outcomes, 'wrong')).toBeLessThan(20 * PER_MINUTE)
    expect(await outcome(guard, attempt(true, { account, from: '203.0.113.1' }))).toBeTypeOf('number')
  })

  it('attempts from one address do not lock other addresses out of the account', async () => {
    const guard = openGuard()
    const account = 'portal obec'
    await Promise.all(Array.from({ length: 100 }, () => outcome(guard, attempt(false, { account }))))
    expect(await outcome(guard, attempt(true, { account, from: '203.0.113.1' }))).toBe('in')
  })

  it.each([
    ['an IPv6 network', (n: number) => `2001:db8:0:7::${n.toString(16)}`],
    ['an address in both its forms', (n: number) => (n % 2 === 0 ? '192.0.2.9' : '::ffff:192.0.2.9')],
  ])('addresses of %s count as one', async (_what, from) => {
    const guard = openGuard()
    const outcomes = []
    for (let n = 0; n < 40; n++) outcomes.push(await outcome(guard, attempt(false, { from: from(n) })))
    expect(count(outcomes, 'wrong')).toBeLessThan(2 * PER_MINUTE)
  })
})

describe('a client that was logged in before', () => {
  const caller = 'a cookie, and the password'
  const account = 'operator ops'

  it('is not locked out by another client at its address, in any process', async () => {
    await openGuard().remember(caller)
    const stranger = openGuard()
    await Promise.all(Array.from({ length: 50 }, () => outcome(stranger, attempt(false, { account }))))
    expect(await outcome(openGuard(), attempt(true, { account }))).toBeTypeOf('number')
    expect(await outcome(openGuard(), attempt(true, { account, caller }))).toBe('in')
  })

  it('has a limit of its own', async () => {
    await openGuard().remember(caller)
    const guard = openGuard()
    const outcomes = await Promise.all(Array.from({ length: 50 }, () => outcome(guard, attempt(false, { caller }))))
    expect(count(outcomes, 'wrong')).toBeLessThan(2 * PER_MINUTE)
    expect(await outcome(guard, attempt(true, { caller }))).toBeTypeOf('number')
    expect(await outcome(guard, attempt(true))).toBe('in')
  })

  it('counts as unknown if it cannot prove it', async () => {
    const guard = openGuard()
    await Promise.all(Array.from({ length: 50 }, () => outcome(guard, attempt(false))))
    expect(await outcome(guard, attempt(true, { caller: 'made up' }))).toBeTypeOf('number')
  })

  it('is known after its first right credential, without a Redis call each time', async () => {
    const guard = openGuard()
    expect(await outcome(guard, attempt(true, { caller }))).toBe('in')
    const before = await redis.info('commandstats')
    for (let n = 0; n < 20; n++) expect(await outcome(guard, attempt(true, { caller }))).toBe('in')
    const calls = (info: string) => Number(/cmdstat_exists:calls=(\d+)/.exec(info)?.[1] ?? 0)
    expect(calls(await redis.info('commandstats'))).toBe(calls(before))
  })
})

it('no client is limited with the limit 0, or while Redis is unavailable', async () => {
  const away = { exists: () => Promise.reject(new Error('away')), defineCommand: () => undefined } as never
  for (const guard of [openGuard(redis, 0), openGuard(away)]) {
    const outcomes = await Promise.all(Array.from({ length: 50 }, () => outcome(guard, attempt(false))))
    expect(count(outcomes, 'wrong')).toBe(50)
    expect(await outcome(guard, attempt(true))).toBe('in')
  }
})
