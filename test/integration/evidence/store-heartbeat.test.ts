// The outage ledger over real stores, with a clock of the test's own: services that die, a store that takes nothing, two that look
// at once. What the store says of when an object was written follows that clock, too.

import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { isoTime } from '../../../src/core/clock.ts'
import { createLogger } from '../../../src/core/logger.ts'
import { timesOf } from '../../../src/evidence/outages/examine.ts'
import { FleetLogs } from '../../../src/evidence/outages/fleet-logs.ts'
import { OutageLedger } from '../../../src/evidence/outages/outage-ledger.ts'
import { StoreHeartbeat } from '../../../src/evidence/outages/store-heartbeat.ts'
import { objectKeys } from '../../../src/records/keys.ts'
import { testClock } from '../../support/clock.ts'
import { overBothStores } from '../../support/over-both-stores.ts'
import { openStore, type TestStore } from '../../support/store.ts'
import { partOf } from '../../support/store-part.ts'

const BEAT = 10_000
const MINUTE = 60_000

overBothStores((kind) => {
  let stores: TestStore
  beforeAll(async () => {
    stores = await openStore(kind)
  })
  afterAll(async () => await stores.close())

  /** A fleet with a part of the store of its own. */
  function fleet() {
    const clock = testClock()
    const startMs = clock.ms
    const written = new Map<string, number>()
    const faults = { writes: false, hangs: undefined as Promise<void> | undefined }
    const store = partOf(stores.store, {
      async beforeWrite(key) {
        if (faults.hangs !== undefined) await faults.hangs
        if (faults.writes) throw new Error('the store takes nothing')
        written.set(key, clock.ms)
      },
      modifiedAtMs: (key, real) => written.get(key) ?? real,
    })
    const lines: string[] = []
    const logger = createLogger({ name: 'test', level: 'info' }, { write: (line) => void lines.push(line) })
    const ledger = new OutageLedger({ store })
    /** @param aheadMs of its own clock */
    const service = (instance: string, aheadMs = 0) => {
      const state = { redis: true, creations: true, serving: true }
      const heartbeat = new StoreHeartbeat({
        store,
        logs: new FleetLogs({ store, logger }),
        ledger,
        clock: { now: () => clock.ms + aheadMs },
        logger,
        instance,
        times: timesOf(BEAT),
        isServing: () => state.serving,
        takesCreations: () => state.creations,
        isRedisUp: async () => state.redis,
      })
      return { heartbeat, state }
    }
    type Service = ReturnType<typeof service>
    /** Time passes; those that are named are alive meanwhile. */
    const pass = async (ms: number, ...alive: Service[]) => {
      for (const untilMs = clock.ms + ms; clock.ms < untilMs; clock.ms += BEAT)
        for (const { heartbeat } of alive) {
          await heartbeat.beat()
          if (faults.hangs === undefined) await heartbeat.settled()
        }
    }
    const told = async () =>
      (await ledger.list()).map(({ from, to, affected }) => [
        Math.round((Date.parse(from) - startMs) / 1000),
        Math.round((Date.parse(to) - startMs) / 1000),
        affected,
      ])
    return { clock, store, ledger, faults, service, pass, told, lines }
  }

  /** An outage as it was, within fifteen seconds. */
  const expectNear = (found: (string | number)[][], expected: [number, number, string][]) => {
    expect(found.map(([, , affected]) => affected)).toEqual(expected.map(([, , affected]) => affected))
    for (const [i, [from, to]] of expected.entries()) {
      expect(Math.abs(Number(found[i]?.[0]) - from)).toBeLessThanOrEqual(15)
      expect(Math.abs(Number(found[i]?.[1]) - to)).toBeLessThanOrEqual(15)
    }
  }

  it('knows that nobody was there for twenty minutes, from services that were started anew', async () => {
    const f = fleet()
    await f.pass(5 * MINUTE, f.service('a:1'), f.service('b:1'))
    f.clock.ms += 20 * MINUTE
    await f.pass(3 * MINUTE, f.service('a:1'), f.service('b:1'))
    expectNear(await f.told(), [[300, 1500, 'all']])
  })

  it('also where machines with other names take over', async () => {
    const f = fleet()
    await f.pass(5 * MINUTE, f.service('a:1'))
    f.clock.ms += 20 * MINUTE
    await f.pass(3 * MINUTE, f.service('c:1'))
    expectNear(await f.told(), [[300, 1500, 'all']])
  })

  it('tells nothing of one of two that died, and the time that both were dead', async () => {
    const f = fleet()
    const [a, b] = [f.service('a:1'), f.service('b:1')]
    await f.pass(5 * MINUTE, a, b)
    await f.pass(5 * MINUTE, b)
    expect(await f.told()).toEqual([])
    f.clock.ms += 4 * MINUTE
    await f.pass(3 * MINUTE, f.service('a:1'))
    expectNear(await f.told(), [[600, 840, 'all']])
  })

  it('a store that took nothing from living services is told as that, and it knows so afterwards', async () => {
    const f = fleet()
    const [a, b] = [f.service('a:1'), f.service('b:1')]
    await f.pass(2 * MINUTE, a, b)
    f.faults.writes = true
    await f.pass(5 * MINUTE, a, b)
    f.faults.writes = false
    await f.pass(3 * MINUTE, a, b)
    expectNear(await f.told(), [[120, 420, 'store']])
  })

  it('a store that hangs does not look like a service that does', async () => {
    const f = fleet()
    const a = f.service('a:1')
    await f.pass(2 * MINUTE, a)
    let go: () => void = () => undefined
    f.faults.hangs = new Promise((resolve) => {
      go = resolve
    })
    await f.pass(5 * MINUTE, a)
    go()
    f.faults.hangs = undefined
    await a.heartbeat.settled()
    await f.pass(3 * MINUTE, a)
    expect((await f.told()).filter(([, , affected]) => affected === 'all')).toEqual([])
  })

  it('heartbeats that the store lost while services lived are no outage', async () => {
    const f = fleet()
    const a = f.service('a:1')
    await f.pass(5 * MINUTE, a)
    await f.store.removeAll(objectKeys.heartbeats)
    await f.pass(5 * MINUTE, a)
    expect(await f.told()).toEqual([])
    f.clock.ms += 10 * MINUTE
    await f.pass(3 * MINUTE, f.service('a:1'))
    expectNear(await f.told(), [[600, 1200, 'all']])
  })

  it('closed to new uploads, and without Redis, are told as that, one within the other', async () => {
    const f = fleet()
    const a = f.service('a:1')
    await f.pass(2 * MINUTE, a)
    a.state.creations = false
    await f.pass(3 * MINUTE, a)
    a.state.redis = false
    await f.pass(2 * MINUTE, a)
    a.state.redis = true
    await f.pass(2 * MINUTE, a)
    a.state.creations = true
    await f.pass(3 * MINUTE, a)
    expectNear(await f.told(), [
      [120, 300, 'creations'],
      [300, 420, 'redis'],
      [420, 540, 'creations'],
    ])
  })

  it('a process without a listening one is not alive', async () => {
    const f = fleet()
    const a = f.service('a:1')
    await f.pass(2 * MINUTE, a)
    a.state.serving = false
    await f.pass(3 * MINUTE, a)
    a.state.serving = true
    await f.pass(3 * MINUTE, a)
    expectNear(await f.told(), [[120, 300, 'all']])
  })

  it('an outage is noted once, whoever looks, and again after the one who looked has died', async () => {
    const f = fleet()
    await f.pass(2 * MINUTE, f.service('a:1'), f.service('b:1'))
    f.clock.ms += 5 * MINUTE
    const [a, b] = [f.service('a:1'), f.service('b:1')]
    await f.pass(2 * BEAT, a, b)
    await f.pass(5 * MINUTE, b)
    await f.pass(3 * MINUTE, f.service('a:1'), b)
    expectNear(await f.told(), [[120, 420, 'all']])
    expect(f.lines.filter((line) => line.includes('an outage was noted'))).toHaveLength(1)
  })

  it('of two clocks five minutes apart the one that is ahead hides nothing', async () => {
    const f = fleet()
    const ahead = f.service('z:1', 5 * MINUTE)
    await f.pass(5 * MINUTE, f.service('a:1'), ahead)
    f.clock.ms += 10 * MINUTE
    await f.pass(3 * MINUTE, f.service('a:1'))
    expectNear(await f.told(), [[300, 900, 'all']])
  })

  it('a damaged heartbeat costs what it told, and nothing else', async () => {
    const f = fleet()
    await f.pass(2 * MINUTE, f.service('a:1'), f.service('b:1'))
    await f.store.replace(objectKeys.heartbeat('a:1'), Buffer.from('{"torn'))
    f.clock.ms += 5 * MINUTE
    await f.pass(3 * MINUTE, f.service('a:1'), f.service('b:1'))
    expectNear(await f.told(), [[120, 420, 'all']])
  })

  it('logs of machines that are gone for a week are removed, that of the living one is not', async () => {
    const f = fleet()
    await f.pass(MINUTE, f.service('old:1'))
    f.clock.ms += 8 * 24 * 60 * MINUTE
    await f.pass(4 * MINUTE, f.service('a:1'))
    const keys: string[] = []
    for await (const { key } of f.store.list(objectKeys.heartbeats)) keys.push(key)
    expect(keys).toEqual([objectKeys.heartbeat('a:1')])
    expect(await f.told()).toHaveLength(1)
  })
})

describe('the ledger', () => {
  it('keeps an entry as it was noted first, and finds only names of entries', async () => {
    const stores = await openStore('local')
    const ledger = new OutageLedger({ store: partOf(stores.store) })
    const entry = { id: 'x', from: isoTime(0), to: isoTime(60_000), affected: 'all', seenBy: 'service' } as const
    expect(await ledger.note(entry)).toBe(true)
    expect(await ledger.note({ ...entry, to: isoTime(90_000) })).toBe(false)
    expect(await ledger.find('x')).toEqual(entry)
    for (const wrong of ['', '../x', 'y', 'a/b']) expect(await ledger.find(wrong)).toBeUndefined()
    expect(await ledger.list(60_001)).toEqual([])
    await stores.close()
  })
})
