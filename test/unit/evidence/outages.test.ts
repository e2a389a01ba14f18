// Which times no service served, from what the services noted: pure, minute by minute.

import { describe, expect, it } from 'vitest'
import {
  type AliveLog,
  decodeLog,
  encodeLog,
  joined,
  type Lack,
  moved,
  newLog,
  noted,
} from '../../../src/evidence/outages/alive-log.ts'
import { aheadMs, outagesIn } from '../../../src/evidence/outages/fleet-outages.ts'

const BEAT = 10_000
const LEAST = 3 * BEAT
const MINUTE = 60_000

/** A log of beats from one moment to another, in seconds. */
function beats(log: AliveLog, from: number, to: number, lacks: Lack | null = null): AliveLog {
  let next = log
  for (let s = from; s <= to; s += BEAT / 1000) next = noted(next, s * 1000, lacks, LEAST)
  return next
}
const service = (name = 'a:1') => newLog(name)
const stretches = (log: AliveLog) => log.stretches.map(({ fromMs, toMs, lacks }) => [fromMs / 1000, toMs / 1000, lacks])
const told = (logs: AliveLog[], from: number, until: number) => {
  const { over, open } = outagesIn(logs, from * 1000, until * 1000, LEAST)
  const seconds = (some: typeof over) =>
    some.map(({ fromMs, toMs, affected }) => [fromMs / 1000, toMs / 1000, affected])
  return { over: seconds(over), open: seconds(open) }
}

describe('the log of a service', () => {
  it('is one stretch while nothing changes', () => {
    expect(stretches(beats(service(), 0, 600))).toEqual([[0, 600, null]])
  })

  it('begins anew after a silence, and never says that it was alive meanwhile', () => {
    const log = beats(beats(service(), 0, 100), 131, 151)
    expect(stretches(log)).toEqual([
      [0, 100, null],
      [131, 151, null],
    ])
    expect(stretches(beats(beats(service(), 0, 100), 130, 140))).toEqual([[0, 140, null]])
  })

  it('counts the time around a change as the worse of both states', () => {
    const log = beats(beats(beats(service(), 0, 60), 70, 120, 'store'), 130, 200)
    expect(stretches(log)).toEqual([
      [0, 60, null],
      [60, 130, 'store'],
      [130, 200, null],
    ])
  })

  it('goes on from the log of the process before, which overlaps where a clock was put back', () => {
    const former = beats(service(), 0, 300)
    expect(stretches(joined(former, beats(service(), 500, 520)))).toEqual([
      [0, 300, null],
      [500, 520, null],
    ])
    expect(stretches(joined(former, beats(service(), 200, 220)))).toEqual([
      [0, 200, null],
      [200, 220, null],
    ])
  })

  it('survives the store unchanged', () => {
    const log = { ...beats(beats(service(), 0, 60), 70, 90, 'redis'), examinedToMs: 5000 }
    expect(decodeLog(encodeLog(log))).toEqual(log)
    expect(() => decodeLog(Buffer.from('{"schema":1}'))).toThrow()
  })

  it('forgets the oldest when there is too much, and says so: nothing is concluded from it', () => {
    let log = service()
    for (let i = 0; i < 400; i++) log = noted(log, i * MINUTE, null, LEAST)
    expect(log.stretches).toHaveLength(300)
    expect(log.forgottenToMs).toBe(100 * MINUTE)
  })
})

describe('an outage of the fleet', () => {
  const alive = (name: string, from: number, to: number, lacks: Lack | null = null) =>
    beats(service(name), from, to, lacks)

  it('is what lies between the last word of everybody and the first one after it', () => {
    const log = beats(beats(service(), 0, 600), 1800, 1900)
    expect(told([log], 0, 1880)).toEqual({ over: [[600, 1800, 'all']], open: [] })
  })

  it('is none while one of two services lives', () => {
    const one = beats(beats(service('a:1'), 0, 600), 1800, 1900)
    expect(told([one, alive('b:1', 0, 1900)], 0, 1880)).toEqual({ over: [], open: [] })
  })

  it('is the time that two have in common', () => {
    const one = beats(beats(service('a:1'), 0, 600), 1800, 1900)
    const other = beats(beats(service('b:1'), 0, 900), 1200, 1900)
    expect(told([one, other], 0, 1880).over).toEqual([[900, 1200, 'all']])
  })

  it('is none for a restart, and none of the past before anybody wrote', () => {
    expect(told([beats(beats(service(), 0, 600), 625, 700)], 0, 690).over).toEqual([])
    expect(told([alive('a:1', 100, 700)], 100, 690).over).toEqual([])
  })

  it('that goes on is not over', () => {
    expect(told([alive('a:1', 0, 600)], 0, 900)).toEqual({ over: [], open: [[600, 900, 'all']] })
  })

  it('is of new uploads only where every service that is alive takes none', () => {
    const closed = beats(beats(beats(service('a:1'), 0, 600), 610, 900, 'creations'), 910, 1200)
    expect(told([closed], 0, 1200).over).toEqual([[600, 910, 'creations']])
    expect(told([closed, alive('b:1', 0, 1200)], 0, 1200).over).toEqual([])
    expect(told([closed, alive('b:1', 0, 700)], 0, 1200).over).toEqual([[700, 910, 'creations']])
  })

  it('within another is told apart from it, and a moment within it is not', () => {
    const closed = beats(beats(service(), 0, 600, 'creations'), 900, 1200, 'creations')
    const open = beats(closed, 1210, 1300)
    expect(told([open], 0, 1300).over).toEqual([
      [0, 600, 'creations'],
      [600, 900, 'all'],
      [900, 1210, 'creations'],
    ])
    const moment = beats(beats(service(), 0, 600, 'store'), 610, 620, 'redis')
    expect(told([beats(beats(moment, 630, 900, 'store'), 910, 1000)], 0, 1000).over).toEqual([[0, 910, 'store']])
  })

  it('of a store that lost the heartbeats of a living service is none: the service wrote it down', () => {
    // Its log was gone from the store for ten minutes; what it writes after that has everything.
    expect(told([alive('a:1', 0, 1200)], 0, 1180).over).toEqual([])
    const away = beats(beats(service(), 0, 600), 610, 1200, 'store')
    expect(told([beats(away, 1210, 1300)], 0, 1300).over).toEqual([[600, 1210, 'store']])
  })

  it('of a service that starts and dies again and again is one', () => {
    let log = alive('a:1', 0, 600)
    for (const start of [900, 1200, 1500]) log = noted(log, start * 1000, null, LEAST)
    log = beats(log, 1800, 1900)
    expect(told([log], 0, 1880).over).toEqual([[600, 1800, 'all']])
  })
})

describe('clocks five minutes apart', () => {
  it('a log of the future is moved back to when the store says that it was written', () => {
    // It died at 600 by the right clock, and wrote 900.
    const its = { toMs: 900_000, writtenAtMs: 5_600_000 }
    const own = { toMs: 1_000_000, writtenAtMs: 6_000_000 }
    expect(aheadMs(its, own)).toBe(300_000)
    const ahead = beats(service('b:1'), 300, 900)
    const mine = beats(beats(service('a:1'), 0, 590), 1000, 1100)
    expect(told([mine, ahead], 0, 1080).over).toEqual([[900, 1000, 'all']])
    expect(told([mine, moved(ahead, -300_000)], 0, 1080).over).toEqual([[600, 1000, 'all']])
  })

  it('one that is behind is believed: the store may be a copy, which was written later', () => {
    expect(aheadMs({ toMs: 600_000, writtenAtMs: 6_000_000 }, { toMs: 1_000_000, writtenAtMs: 6_000_000 })).toBe(0)
  })

  it('differences of seconds are those of the measurement', () => {
    expect(aheadMs({ toMs: 612_000, writtenAtMs: 600_000 }, { toMs: 700_000, writtenAtMs: 700_000 })).toBe(0)
  })
})
