// The limits of a load test on a stage: refused before it begins, and kept while it runs.

import { describe, expect, it } from 'vitest'
import { ByteAllowance } from '../../../tools/lib/byte-allowance.ts'
import { bytesPerSecondWithin, peakPerSecond } from '../../../tools/lib/limits.ts'
import { UsageError } from '../../../tools/lib/usage.ts'
import { parseJoinArgs, parseRehearsalArgs } from '../../../tools/rehearse/args.ts'

const stage = {
  origin: 'https://stage.example',
  secret: 's',
  limits: { clients: 3, minutes: 10, clientsPerSecond: 2, mbit: 50 },
}

describe('the limits of a stage', () => {
  it('are the default where they are lower than it', () => {
    expect(bytesPerSecondWithin(stage, { arrivalsMs: [0, 600], minutes: 10, mbit: undefined })).toBe(50 * 125_000)
    const wide = { ...stage, limits: { ...stage.limits, mbit: 900 } }
    expect(bytesPerSecondWithin(wide, { arrivalsMs: [0], minutes: 1, mbit: undefined })).toBe(100 * 125_000)
    expect(bytesPerSecondWithin(wide, { arrivalsMs: [0], minutes: 1, mbit: 800 })).toBe(800 * 125_000)
  })
  it('refuse a larger run in one line that names them all', () => {
    const large = { arrivalsMs: [0, 1, 2, 3], minutes: 11, mbit: 51 }
    const message =
      'https://stage.example allows less: 4 clients, limit 3; 11 minutes in all, limit 10; ' +
      '4 new clients in one second, limit 2; 51 Mbit/s, limit 50.'
    expect(() => bytesPerSecondWithin(stage, large)).toThrow(new UsageError(message))
  })
  it('do not exist on this machine', () => {
    const large = { arrivalsMs: Array(10_000).fill(0), minutes: 500 }
    expect(bytesPerSecondWithin(undefined, { ...large, mbit: undefined })).toBeUndefined()
    expect(bytesPerSecondWithin(undefined, { ...large, mbit: 8 })).toBe(1_000_000)
  })
  it('count arrivals of any second, not of whole ones', () => {
    expect(peakPerSecond([])).toBe(0)
    expect(peakPerSecond([900, 950, 1100, 1899, 1900, 5000])).toBe(4)
    expect(peakPerSecond([0, 1000, 2000])).toBe(1)
  })
})

describe('an allowance of bytes', () => {
  it('gives one second’s worth at once, and then what the time brings', () => {
    const allowance = new ByteAllowance(1000, 0)
    expect(allowance.take(600, 0)).toBe(600)
    expect(allowance.wasReached).toBe(false)
    expect(allowance.take(600, 0)).toBe(400)
    expect(allowance.wasReached).toBe(true)
    expect(allowance.take(600, 0)).toBe(0)
    expect(allowance.take(600, 250)).toBe(250)
    expect(allowance.take(5000, 60_000)).toBe(1000)
    allowance.giveBack(100)
    expect(allowance.take(5000, 60_000)).toBe(100)
  })
  it('leaves some for the last of many', () => {
    const allowance = new ByteAllowance(1000, 0)
    let sent = 0
    for (let round = 1; round <= 100; round++)
      for (let taker = 0; taker < 10; taker++) {
        const bytes = allowance.take(1000, round * 100, 100)
        if (taker >= 4) sent += bytes
      }
    expect(sent).toBeGreaterThan(1000)
  })
})

describe('the command line', () => {
  const parse = (...words: string[]) => parseRehearsalArgs(['--scenario', 'stage', ...words])
  it('coordinates generators on other machines', () => {
    const words = ['--url', 'https://stage.example', '--listen', '[::1]:7400', '--remote', '2', '--generators', '0']
    const { remote, scenario } = parse(...words)
    expect(remote).toEqual({ address: { host: '::1', port: 7400 }, count: 2 })
    expect(scenario.generators).toBe(0)
    expect(() => parse('--remote', '2')).toThrow('belong together')
    expect(() => parse('--generators', '0')).toThrow('--generators must be')
  })
  it('joins as a generator, and takes nothing else', () => {
    expect(parseJoinArgs(['--scenario', 'smoke'])).toBeUndefined()
    expect(parseJoinArgs(['--join', '10.0.0.1:7400', '--ca', 'f'])).toEqual({
      address: { host: '10.0.0.1', port: 7400 },
      ca: 'f',
    })
    expect(() => parseJoinArgs(['--join', 'x:1', '--clients', '9'])).toThrow('--clients is for the coordinator')
    expect(() => parseJoinArgs(['--join', 'x'])).toThrow('--join must be HOST:PORT')
  })
})
