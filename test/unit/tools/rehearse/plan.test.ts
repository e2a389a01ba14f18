// What a rehearsal draws before it begins: who comes when, with which file, over which line.

import { describe, expect, it } from 'vitest'
import { parseRehearsalArgs } from '../../../../tools/rehearse/args.ts'
import { drawLine, LINES } from '../../../../tools/rehearse/plan/lines.ts'
import { type PlanOptions, planRehearsal } from '../../../../tools/rehearse/plan/plan.ts'
import { SCENARIOS } from '../../../../tools/rehearse/scenarios.ts'
import { randomFrom } from '../../../../tools/surge/random.ts'

const MIB = 1024 ** 2
const options: PlanOptions = {
  clients: 1000,
  minutes: 10,
  arrivals: 'rising',
  scale: 1,
  speed: 1,
  seed: 1,
}
const share = (count: number) => count / options.clients

describe('plan', () => {
  const plan = planRehearsal(options)

  it('is the same for the same seed, and another for another', () => {
    expect(planRehearsal(options)).toEqual(plan)
    expect(planRehearsal({ ...options, seed: 2 })).not.toEqual(plan)
  })
  it('has files of a median of 8 MiB and more at full scale', () => {
    const sizes = plan.map(({ fileBytes }) => fileBytes).sort((a, b) => a - b)
    expect(sizes[500]).toBeGreaterThanOrEqual(8 * MIB)
    expect(new Set(sizes).size).toBeLessThan(100)
  })
  it('damages a quarter, has PDFs, and gives some to the real client', () => {
    expect(share(plan.filter(({ damage }) => damage !== 'none').length)).toBe(0.25)
    expect(share(plan.filter(({ kind }) => kind === 'pdf').length)).toBe(0.2)
    expect(share(plan.filter(({ real }) => real).length)).toBe(0.03)
    expect(plan.some(({ kind, damage }) => kind === 'pdf' && damage === 'noIndex')).toBe(false)
  })
  it('rises towards its end as 1/(T − t + 1 min) does', () => {
    const within = (from: number, to: number) =>
      plan.filter(({ arrivesMs }) => arrivesMs >= from * 60_000 && arrivesMs < to * 60_000).length
    // ln(11/6) and ln(2) of ln(11)
    expect(share(within(0, 5))).toBeCloseTo(0.253, 1)
    expect(share(within(9, 10))).toBeCloseTo(0.289, 1)
    expect(plan.at(-1)?.arrivesMs).toBeLessThan(600_000)
  })
  it('keeps its form when it is pressed together', () => {
    const short = planRehearsal({ ...options, minutes: 1 })
    expect(share(short.filter(({ arrivesMs }) => arrivesMs >= 54_000).length)).toBeCloseTo(0.289, 1)
  })
  it('is even when flat', () => {
    const flat = planRehearsal({ ...options, arrivals: 'flat' })
    expect(share(flat.filter(({ arrivesMs }) => arrivesMs < 300_000).length)).toBeCloseTo(0.5, 1)
  })
})

describe('lines', () => {
  const random = randomFrom(3)
  const lines = Array.from({ length: 2000 }, () => drawLine(random, 0.5))

  it('share out to one', () => {
    expect(LINES.reduce((sum, line) => sum + line.share, 0)).toBeCloseTo(1)
  })
  it('have speeds around their class, times the factor', () => {
    for (const { name, bytesPerSecond } of lines) {
      const line = LINES.find((one) => one.name === name)
      const middle = (line?.mbit ?? 0) * 125_000 * 0.5
      expect(bytesPerSecond).toBeGreaterThanOrEqual(middle / (line?.spread ?? 0) - 1)
      expect(bytesPerSecond).toBeLessThanOrEqual(middle * (line?.spread ?? 0) + 1)
    }
  })
  it('break for a quarter of the people at least, in order, within the file, in every way', () => {
    const broken = lines.filter(({ breaks }) => breaks.length > 0)
    expect(broken.length / lines.length).toBeGreaterThanOrEqual(0.25)
    for (const { breaks } of broken) {
      const places = breaks.map(({ at }) => at)
      expect(places).toEqual([...places].sort((a, b) => a - b))
      expect(places.every((at) => at > 0 && at < 1)).toBe(true)
    }
    const breaks = broken.flatMap((line) => line.breaks)
    expect(breaks.some(({ kind, awayMs }) => kind === 'drop' && awayMs === 0)).toBe(true)
    expect(breaks.some(({ kind, awayMs }) => kind === 'halfOpen' && awayMs > 0)).toBe(true)
    expect(breaks.some(({ awayMs }) => awayMs >= 5000)).toBe(true)
  })
})

describe('arguments', () => {
  it('name a scenario', () => {
    expect(() => parseRehearsalArgs([])).toThrow('--scenario NAME')
    expect(() => parseRehearsalArgs(['--scenario', 'flood'])).toThrow('flood scenario')
  })
  it.each(SCENARIOS.map(({ name }) => name))('%s is bounded, and short when quick', (name) => {
    const { scenario } = parseRehearsalArgs(['--scenario', name])
    const short = parseRehearsalArgs(['--scenario', name, '--quick']).scenario
    expect(short.clients).toBeLessThan(scenario.clients)
    expect(short.minutes).toBeLessThanOrEqual(scenario.minutes)
    expect(scenario.faults.every(({ at }) => at >= 0 && at <= 1)).toBe(true)
  })
  it('take what the machine can do', () => {
    const args = ['--scenario', 'deadline', '--clients', '50', '--storage', 's3', '--workers', '2']
    expect(parseRehearsalArgs(args).scenario).toMatchObject({ clients: 50, storage: 's3', workers: 2 })
    expect(() => parseRehearsalArgs(['--scenario', 'smoke', '--clients', '1e9'])).toThrow('--clients')
    expect(() => parseRehearsalArgs(['--scenario', 'smoke', '--storage', 'tape'])).toThrow('tape')
  })
  it('know no faults for a service that is not the rehearsal’s own', () => {
    expect(() => parseRehearsalArgs(['--scenario', 'deadline', '--url', 'http://localhost:1'])).toThrow(
      'fault injection',
    )
    expect(parseRehearsalArgs(['--scenario', 'soak', '--url', 'http://localhost:1']).scenario.faults).toEqual([])
  })
})
