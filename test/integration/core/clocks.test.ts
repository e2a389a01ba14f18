// Two machines whose clocks differ judge one deadline alike: dates come from the clock of Redis. A real service lives in
// another time than the rest, as a machine whose clock was set wrong.

import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest'
import { createLogger } from '../../../src/core/logger.ts'
import { connectRedis } from '../../../src/core/redis.ts'
import { RedisWatch } from '../../../src/core/redis-watch.ts'
import { type KillableProcess, startKillable } from '../../../tools/chaos/stage/killable.ts'
import { SHIFTED_CLOCK } from '../../../tools/chaos/troubles/clock.ts'
import { pdfBytes } from '../../support/bytes.ts'
import { PORTAL_KEY, TICKET_SECRET } from '../../support/environment.ts'
import { waitFor } from '../../support/http.ts'
import { INTAKE, writeProfiles } from '../../support/profiles.ts'
import { startRedis, type TestRedis } from '../../support/redis.ts'
import { idOf, tusUser } from '../../support/tus.ts'

const MINUTE_MS = 60_000

let redis: TestRedis
let dir: string
beforeAll(async () => {
  redis = await startRedis({ appendOnly: true })
  dir = mkdtempSync(join(tmpdir(), 'songngan-clocks-'))
  await writeProfiles(join(dir, 'profiles'))
})
afterAll(async () => {
  await redis.stop()
  rmSync(dir, { recursive: true, force: true })
})

/** A service whose machine's clock is ahead by so much. */
async function serviceAhead(shiftMs: number, env: Record<string, string> = {}): Promise<KillableProcess> {
  const service = await startKillable('service', dir, {
    env: {
      REDIS_URL: redis.url,
      DATA_DIR: dir,
      PROFILES_DIR: join(dir, 'profiles'),
      API_KEYS: `portal:${PORTAL_KEY}`,
      TICKET_SECRET: TICKET_SECRET,
      ...env,
    },
    beforeStart: () => Promise.resolve(),
    preload: [SHIFTED_CLOCK],
  })
  onTestFinished(() => service.stop())
  writeFileSync(join(service.folder, 'clock'), String(shiftMs))
  return service
}

async function portal(service: KillableProcess, method: string, path: string, body?: object) {
  const answer = await fetch(service.url + path, {
    method,
    headers: { authorization: `Bearer ${PORTAL_KEY}`, 'content-type': 'application/json' },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  })
  return { status: answer.status, body: (await answer.json()) as Record<string, unknown> }
}

/** A submission that ends in two minutes and has no grace, a ticket for a minute, and a whole plan. */
async function handIn(service: KillableProcess, id: string) {
  const deadline = new Date(Date.now() + 2 * MINUTE_MS).toISOString()
  await portal(service, 'PUT', `/v1/submissions/${id}`, { profile: INTAKE, deadline })
  const { body } = await portal(service, 'POST', `/v1/submissions/${id}/tickets`, {
    slot: 'plan',
    expiresInSeconds: 60,
  })
  const bytes = pdfBytes(2000)
  const user = tusUser(service.url, String(body['ticket']))
  const url = await user.create({ length: bytes.length, name: 'แผน.pdf', body: bytes })
  return { ticket: body, upload: (await portal(service, 'GET', `/v1/uploads/${idOf(url)}`)).body }
}

describe.each([
  ['five minutes ahead', 5 * MINUTE_MS],
  ['an hour behind', -60 * MINUTE_MS],
])('a service that is %s', (_name, shiftMs) => {
  it('decides about dates, tickets and lateness like all others', async () => {
    const service = await serviceAhead(shiftMs, { CLOCK_SKEW_LIMIT_SECONDS: '7200' })
    await service.ready()
    const begunMs = Date.now()
    const { ticket, upload } = await handIn(service, `skewed${shiftMs}`)
    expect(upload).toMatchObject({ late: false })
    for (const moment of [upload['createdAt'], upload['storedAt'], ticket['expiresAt']])
      expect(Math.abs(Date.parse(String(moment)) - begunMs)).toBeLessThan(90_000 + Date.now() - begunMs)
    const metrics = await (await fetch(`${service.opsUrl}/metrics`)).text()
    const seconds = Number(/^clock_skew_seconds (\S+)$/m.exec(metrics)?.[1])
    expect(Math.abs(seconds - shiftMs / 1000)).toBeLessThan(1)
  })
})

describe('a clock that is too far off', () => {
  it('makes its process not ready, is reported, and no longer counts after it is corrected', async () => {
    const service = await serviceAhead(5 * MINUTE_MS)
    const ready = async () => {
      const answer = await fetch(`${service.opsUrl}/health/ready`).catch(() => undefined)
      return { status: answer?.status, reason: ((await answer?.json()) as { reason?: string } | undefined)?.reason }
    }
    await waitFor(async () => (await ready()).reason?.includes('clock') === true, { what: 'the clock to be named' })
    expect(await ready()).toEqual({ status: 503, reason: expect.stringMatching(/^clock: \d+ s ahead of Redis/) })
    const details = (await (await fetch(`${service.opsUrl}/health/details`)).json()) as {
      clock: { skewSeconds: number }
    }
    expect(details.clock.skewSeconds).toBeGreaterThan(290)
    expect(service.output()).toContain("this machine's clock differs")
    writeFileSync(join(service.folder, 'clock'), '0')
    await service.ready()
  })
})

describe('the clock of Redis', () => {
  const watchOf = (own: { now(): number }) => {
    const logger = createLogger({ name: 'clock', level: 'silent' })
    const connection = connectRedis(redis.url, 'hot', logger)
    onTestFinished(() => connection.disconnect())
    return new RedisWatch({ redis: connection, runId: { ask: () => Promise.resolve() }, logger, own })
  }

  it('is the same in every process, and steady when the machine’s clock is changed', async () => {
    let shiftMs = -3_600_000
    const own = { now: () => Date.now() + shiftMs }
    const [behind, right] = [watchOf(own), watchOf({ now: () => Date.now() })]
    // Its own one until Redis has told.
    expect(Math.abs(behind.clock.now() - own.now())).toBeLessThan(1000)
    await Promise.all([behind.look(), right.look()])
    expect(Math.abs(behind.clock.now() - right.clock.now())).toBeLessThan(1000)
    expect(Math.round(behind.skewMs() / 1000)).toBe(-3600)
    const before = behind.clock.now()
    shiftMs = 3_600_000
    expect(behind.clock.now() - before).toBeLessThan(60_000)
    expect(Math.round(behind.skewMs() / 1000)).toBe(3600)
  })

  it('continues while Redis is unavailable', async () => {
    const watch = watchOf({ now: () => Date.now() + 1_000_000 })
    await watch.look()
    redis.pause()
    const before = watch.clock.now()
    const asked = watch.look()
    const start = performance.now()
    await waitFor(() => Promise.resolve(performance.now() - start > 50), { what: 'some time to pass' })
    const passed = watch.clock.now() - before
    expect(passed).toBeGreaterThanOrEqual(49)
    expect(passed).toBeLessThan(900_000)
    redis.resume()
    await asked
  })
})
