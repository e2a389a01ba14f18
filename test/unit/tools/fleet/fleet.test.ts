// Checks the calculator against known results: published shares of the curve, conservation of bytes, queues in closed form.

import { describe, expect, it } from 'vitest'
import { arrivedBy, evening } from '../../../../tools/fleet/evening.ts'
import { figureRows, loadFigures } from '../../../../tools/fleet/figures.ts'
import { planFleet } from '../../../../tools/fleet/plan.ts'
import { erlangSeconds, quantile, random, sojourns } from '../../../../tools/fleet/queue.ts'
import { simulate } from '../../../../tools/fleet/simulate.ts'
import { planRows } from '../../../../tools/fleet/table.ts'
import { fleetPage, fleetPageOnDisk } from '../../../support/fleet-docs.ts'

const figures = loadFigures()
const sum = (values: Float64Array) => values.reduce((total, value) => total + value, 0)

describe('the evening', () => {
  it('brings the published shares of an hour in its last minutes', () => {
    const last = (minutes: number) => 1 - arrivedBy(60 - minutes, 60)
    expect([1, 2, 5, 10].map((minutes) => Math.round(last(minutes) * 1000) / 10)).toEqual([16.9, 26.7, 43.6, 58.3])
  })

  it('loses no upload and no byte', () => {
    const teachers = 1000
    const curves = evening(teachers, 240, figures)
    const files = figures.people.filesPerTeacher
    const uploads = teachers * files.reduce((total, { count }) => total + count, 0)
    const bytes = teachers * files.reduce((total, file) => total + file.count * file.bytes, 0)
    expect(sum(curves.started)).toBeCloseTo(uploads, 3)
    expect(sum(curves.completed)).toBeCloseTo(uploads, 3)
    expect(sum(curves.bytes) / bytes).toBeCloseTo(1, 6)
    expect(curves.open.at(-1)).toBeCloseTo(0, 6)
    expect(Math.min(...curves.bytes)).toBeGreaterThanOrEqual(-1)
  })
})

describe('a queue', () => {
  /** Poisson arrivals and exponential service, long enough for its mean to settle. */
  function meanOf(perSecond: number, serviceSeconds: number, slots: number): number {
    const draw = random(7)
    const exponential = (mean: number) => -mean * Math.log(1 - draw())
    let now = 0
    const arrivals = Float64Array.from({ length: 300_000 }, () => (now += exponential(1 / perSecond)))
    return sum(sojourns(arrivals, slots, () => exponential(serviceSeconds)).seconds) / arrivals.length
  }

  it.each([
    [0.7, 1, 1],
    [3, 1, 4],
    [30, 0.8, 32],
  ])('of %d a second, %d s each, %d at a time agrees with Erlang', (perSecond, service, slots) => {
    const expected = erlangSeconds(perSecond, service, slots)
    expect(meanOf(perSecond, service, slots) / expected).toBeGreaterThan(0.95)
    expect(meanOf(perSecond, service, slots) / expected).toBeLessThan(1.05)
  })

  it('of one slot is ρ/(μ − λ) beyond the service', () => {
    expect(erlangSeconds(0.5, 1, 1)).toBeCloseTo(2, 9)
  })

  it('is served in order, each as soon as a slot is free', () => {
    const { seconds, ends } = sojourns(Float64Array.of(0, 0, 0, 10), 2, () => 4)
    expect([...seconds]).toEqual([4, 4, 8, 4])
    expect([...ends]).toEqual([4, 4, 8, 14])
    expect(quantile(seconds, 0.5)).toBe(4)
  })
})

describe('the fleet', () => {
  const minutes = 240
  const curves = evening(20_000, minutes, figures)
  const plan = planFleet(20_000, curves, figures)

  it('grows with the number of teachers, and is never a single machine', () => {
    const more = planFleet(200_000, evening(200_000, minutes, figures), figures)
    expect(more.uploads).toBe(10 * plan.uploads)
    expect(more.service.cpu / plan.service.cpu).toBeCloseTo(10, 6)
    expect(more.service.machines).toBeGreaterThan(plan.service.machines)
    expect(planFleet(10, evening(10, minutes, figures), figures).service.machines).toBe(2)
  })

  it('counts one bucket call per part and four per large upload, or one for a file that fits a part', () => {
    const lone = structuredClone(figures)
    lone.people.filesPerTeacher = [{ name: 'f', kind: 'pdf', count: 1, bytes: 8_388_608 * 10, minutes: 0 }]
    const { bucket } = planFleet(1, evening(1, minutes, lone), lone)
    // Besides the upload's own: two lease records and the verdict's.
    expect(bucket.writes).toBeCloseTo(10 + 4 + 3, 6)
  })

  it('gives verdicts in time as planned, and too late with a tenth of the slots', () => {
    const planned = simulate(plan, curves, figures, minutes)
    expect(planned.verdictSeconds.p95).toBeLessThan(5)
    expect(planned.drainedHours).toBeLessThan(figures.plan.transcodeHours * 1.2)
    const starved = { ...plan, validate: { ...plan.validate, slots: Math.ceil(plan.validate.slots / 10) } }
    expect(simulate(starved, curves, figures, minutes).verdictSeconds.p95).toBeGreaterThan(60)
  })

  it('has a source for each figure', () => {
    for (const [name, value, source] of figureRows()) {
      expect(value, name).not.toBe('')
      expect(source.length, name).toBeGreaterThan(5)
    }
    const rows = planRows(plan, simulate(plan, curves, figures, minutes))
    for (const [what, much] of rows) expect(much, what).not.toMatch(/NaN|undefined|Infinity/)
  })

  it('has up-to-date tables in docs/fleet.md (npx tsx test/support/fleet-docs.ts writes them)', () => {
    expect(fleetPageOnDisk()).toBe(fleetPage())
  })
})
