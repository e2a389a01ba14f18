// The security log: each event is a line whatever the log level is, an entry that is kept for its time, and a count.

import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest'
import { SecurityLog } from '../../../src/audit/security-log.ts'
import { createLogger } from '../../../src/core/logger.ts'
import { createMetrics } from '../../../src/core/metrics.ts'
import { connectRedis, type RedisConnection } from '../../../src/core/redis.ts'
import { redisKeys } from '../../../src/records/keys.ts'
import { startRedis, type TestRedis } from '../../support/redis.ts'

const DAY_MS = 86_400_000
const ACTOR = { by: 'operator ops', from: '192.0.2.7' }

let server: TestRedis
let redis: RedisConnection
let nowMs: number
let lines: string[]

beforeAll(async () => {
  server = await startRedis()
  redis = connectRedis(server.url, 'hot', createLogger({ name: 'test', level: 'error' }, { write: () => undefined }))
})
afterAll(async () => {
  redis.disconnect()
  await server.stop()
})
beforeEach(async () => {
  await redis.flushall()
  nowMs = Date.now()
  lines = []
})

function open({ level = 'info', lines: withLines = true, retentionDays = 90 } = {}) {
  const logger = createLogger({ name: 'test', level }, { write: (line) => void lines.push(line) })
  const metrics = createMetrics({ processMetrics: false })
  const clock = { now: () => nowMs }
  const log = new SecurityLog({ redis, clock, metrics, logger, retentionDays, lines: withLines })
  return { log, metrics }
}

describe('an event', () => {
  it('is a log line, an entry and a metric, also if only fatal errors are logged', async () => {
    const { log, metrics } = open({ level: 'fatal' })
    await log.record({ event: 'lane.pause', actor: ACTOR, on: 'lane notify', what: 'lane notify paused' })
    const members = { event: 'lane.pause', result: 'ok', by: 'operator ops', from: '192.0.2.7', on: 'lane notify' }
    expect(lines.map((line) => JSON.parse(line))).toMatchObject([
      { level: 'info', security: true, msg: 'lane notify paused', ...members },
    ])
    expect(await log.newest(10)).toEqual([
      { at: new Date(nowMs).toISOString(), what: 'lane notify paused', ...members },
    ])
    expect(await metrics.text()).toContain('security_events_total{event="lane.pause",result="ok"} 1\n')
  })

  it('has no log line in the output of the command line', async () => {
    const { log } = open({ lines: false })
    await log.record({ event: 'admission.open', actor: ACTOR, on: null })
    expect(lines).toEqual([])
    expect(await log.newest(1)).toMatchObject([{ event: 'admission.open', what: 'New uploads were opened' }])
  })

  it('that cannot be stored has its log line, and throws nothing', async () => {
    const away = { multi: () => redis.multi().call('NO-SUCH-COMMAND') } as never
    const logger = createLogger({ name: 'test', level: 'warn' }, { write: (line) => void lines.push(line) })
    const metrics = createMetrics({ processMetrics: false })
    const deps = { redis: away, clock: { now: () => nowMs }, metrics, logger, retentionDays: 1, lines: true }
    await new SecurityLog(deps).record({ event: 'operator.login', result: 'refused', actor: ACTOR, on: null })
    expect(lines.map((line) => JSON.parse(line))).toMatchObject([
      { level: 'warn', security: true, event: 'operator.login', result: 'refused' },
      { level: 'warn', event: 'operator.login', err: expect.anything() },
    ])
  })
})

describe('what goes on', () => {
  const MINUTE_MS = 60_000
  let timerMs: number
  beforeEach(() => {
    timerMs = 1_000_000
    vi.spyOn(performance, 'now').mockImplementation(() => timerMs)
  })
  afterEach(() => {
    vi.restoreAllMocks()
  })
  /** An equal event a minute, for an hour. @returns how many were recorded */
  const recorded = async (note: (log: SecurityLog) => Promise<void>): Promise<number> => {
    const { log } = open()
    for (let n = 0; n < 60; n++, timerMs += MINUTE_MS) await note(log)
    return (await log.newest(100)).length
  }
  const read = { event: 'personal.read', actor: ACTOR, on: 'submission obec/S-1' } as const

  it('is recorded again and again while it does', async () => {
    expect(await recorded((log) => log.recordNowAndThen(read, 15 * MINUTE_MS))).toBe(4)
  })

  it('or only when it begins', async () => {
    expect(await recorded((log) => log.recordAfterPause(read, 15 * MINUTE_MS))).toBe(1)
  })
})

describe('the stored log', () => {
  it('is sorted newest first over all kinds, with changes recorded by earlier versions', async () => {
    const { log } = open()
    const earlier = {
      by: 'ops from 192.0.2.1',
      at: new Date(nowMs - DAY_MS).toISOString(),
      what: 'lane inspect paused',
    }
    await redis.lpush(redisKeys.controlLog, JSON.stringify(earlier))
    for (const [event, result] of [
      ['operator.login', 'refused'],
      ['operator.login', 'ok'],
      ['lane.pause', 'ok'],
    ] as const) {
      nowMs += 1000
      await log.record({ event, result, actor: ACTOR, on: null })
    }
    const names = (await log.newest(10)).map(({ event, result }) => `${event} ${result}`)
    expect(names).toEqual(['lane.pause ok', 'operator.login ok', 'operator.login refused', 'control ok'])
    expect(await log.newest(10, ['change'])).toMatchObject([{ event: 'lane.pause' }, earlier])
    expect(await log.newest(1)).toMatchObject([{ event: 'lane.pause' }])
  })

  it('is kept for the configured days only', async () => {
    const { log } = open({ retentionDays: 30 })
    // Old ones have old ids; Redis trims whole nodes of some hundred entries.
    const pipeline = redis.pipeline()
    for (let n = 0; n < 1000; n++)
      pipeline.xadd(redisKeys.security('change'), `${nowMs - 31 * DAY_MS + n}-0`, 'entry', '{}')
    await pipeline.exec()
    await log.record({ event: 'lane.pause', actor: ACTOR, on: null })
    expect(await redis.xlen(redisKeys.security('change'))).toBeLessThan(200)
    expect(await log.newest(1)).toMatchObject([{ event: 'lane.pause' }])
  })

  it('has a maximum length, and thousands of refusals do not displace other kinds', async () => {
    const { log } = open()
    await log.record({ event: 'lane.pause', actor: ACTOR, on: null })
    for (let n = 0; n < 7000; n += 500)
      await Promise.all(
        Array.from({ length: 500 }, () =>
          log.record({ event: 'operator.login', result: 'refused', actor: ACTOR, on: null }),
        ),
      )
    expect(await redis.xlen(redisKeys.security('refused'))).toBeLessThan(5500)
    expect(await log.newest(1, ['change'])).toMatchObject([{ event: 'lane.pause' }])
  })
})
