// Everything that is measured during the run, as series over one time axis, and as totals.

import { type Spread, spreadOf } from '../../surge/measures.ts'
import type { GeneratorReport } from '../generator/messages.ts'
import type { Scrape } from './service-counters.ts'
import type { UsageSample } from './usage.ts'

/** Seconds from the start, and a value. */
export type Point = readonly [seconds: number, value: number]
export type Series = Record<string, Point[]>

type Sums = Pick<
  GeneratorReport,
  'arrived' | 'served' | 'failed' | 'retries' | 'breaks' | 'gaveUp' | 'sentBytes' | 'acknowledgedBytes'
>

const SUMMED = ['arrived', 'served', 'failed', 'retries', 'breaks', 'gaveUp', 'sentBytes', 'acknowledgedBytes'] as const
const MIB = 1024 ** 2

export class Recorder {
  readonly series: Series = {}
  readonly totals: Sums = {
    arrived: 0,
    served: 0,
    failed: 0,
    retries: 0,
    breaks: 0,
    gaveUp: 0,
    sentBytes: 0,
    acknowledgedBytes: 0,
  }
  readonly refusals: Record<string, number> = {}
  /** Every response: when it was reported, and its latency in milliseconds. */
  readonly answers: Series = {}
  readonly #sending = new Map<number, number>()
  /** By generator: its delay in each second, and in how many seconds the byte limit held its clients back. */
  readonly generators: { lateMs: number[]; limitedSeconds: number }[] = []
  startAtMs = Date.now()
  #window: { sums: Sums; latenciesMs: Record<string, number[]>; sinceMs: number } = emptyWindow(Date.now())
  #receivedBytes = 0
  scrape: Scrape | undefined

  get sending(): number {
    return [...this.#sending.values()].reduce((sum, one) => sum + one, 0)
  }

  heard(generator: number, report: GeneratorReport): void {
    this.#sending.set(generator, report.sending)
    const own = this.generators[generator] ?? { lateMs: [], limitedSeconds: 0 }
    this.generators[generator] = own
    own.lateMs.push(report.lateMs)
    if (report.limited) own.limitedSeconds += 1
    for (const name of SUMMED) {
      this.totals[name] += report[name]
      this.#window.sums[name] += report[name]
    }
    const at = (report.atMs - this.startAtMs) / 1000
    for (const [what, times] of Object.entries(report.latencies)) {
      const all = this.answers[what] ?? []
      const recent = this.#window.latenciesMs[what] ?? []
      for (const time of times) {
        all.push([at, time])
        recent.push(time)
      }
      this.answers[what] = all
      this.#window.latenciesMs[what] = recent
    }
    for (const [what, count] of Object.entries(report.refusals))
      this.refusals[what] = (this.refusals[what] ?? 0) + count
  }

  /** Ends a time window: adds one point to every series. */
  sample(nowMs: number, usage: Record<string, UsageSample>, scrape: Scrape, verdicts: number): void {
    const { sums, latenciesMs, sinceMs } = this.#window
    const at = Math.max(0, (nowMs - this.startAtMs) / 1000)
    const seconds = Math.max(0.2, (nowMs - sinceMs) / 1000)
    const point = (name: string, value: number) => this.#add(name, at, value)
    point('people: arriving a second', sums.arrived / seconds)
    point('people: served a second', sums.served / seconds)
    point('people: verdicts a second', verdicts / seconds)
    point('now: sending', this.sending)
    point('MiB a second: sent', sums.sentBytes / seconds / MIB)
    const received = scrape.receivedBytes - this.#receivedBytes
    point('MiB a second: received', Math.max(0, received) / seconds / MIB)
    this.#receivedBytes = Math.max(this.#receivedBytes, scrape.receivedBytes)
    for (const method of ['POST', 'PATCH', 'HEAD']) {
      const { p95 } = spreadOf(latenciesMs[method] ?? [])
      if (p95 !== null) point(`p95 ms: ${method}`, p95)
    }
    for (const [lane, count] of Object.entries(scrape.waiting)) point(`waiting: ${lane}`, count)
    for (const [lane, age] of Object.entries(scrape.oldestSeconds)) point(`oldest s: ${lane}`, age)
    for (const [name, { cpuPercent, rssBytes }] of Object.entries(usage)) {
      point(`CPU %: ${name}`, cpuPercent)
      point(`RSS MiB: ${name}`, rssBytes / MIB)
    }
    this.scrape = scrape
    this.#window = emptyWindow(nowMs)
  }

  /** Latencies of the responses that `takes` selects, by method or call. */
  spreads(takes: (answer: Point) => boolean = () => true): Record<string, Spread> {
    return Object.fromEntries(
      Object.entries(this.answers).map(([name, answers]) => [
        name,
        spreadOf(answers.filter(takes).map(([, milliseconds]) => milliseconds)),
      ]),
    )
  }

  #add(name: string, at: number, value: number): void {
    const known = this.series[name] ?? []
    known.push([Math.round(at * 10) / 10, Math.round(value * 100) / 100])
    this.series[name] = known
  }
}

function emptyWindow(sinceMs: number) {
  const sums: Sums = {
    arrived: 0,
    served: 0,
    failed: 0,
    retries: 0,
    breaks: 0,
    gaveUp: 0,
    sentBytes: 0,
    acknowledgedBytes: 0,
  }
  return { sums, latenciesMs: {} as Record<string, number[]>, sinceMs }
}
