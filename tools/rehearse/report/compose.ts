// Composes the report from everything that was measured and found.

import type { Removal } from '../../lib/remove.ts'
import type { EventReader } from '../../surge/events.ts'
import { spreadOf } from '../../surge/measures.ts'
import type { Finding } from '../../surge/verify.ts'
import type { RehearsalArgs } from '../args.ts'
import type { Stray } from '../audit/processes.ts'
import type { StoreAudit } from '../audit/store.ts'
import { auditUploads, uploadId } from '../audit/uploads.ts'
import { type FaultMark, wasHeld } from '../faults.ts'
import type { UploadOutcome } from '../generator/messages.ts'
import { goalsOf } from '../goals.ts'
import type { Point, Recorder, Series } from '../watch/recorder.ts'
import type { Scrape, ServiceCounters } from '../watch/service-counters.ts'
import type { UsageWatch } from '../watch/usage.ts'
import type { Report } from './report.ts'
import { quantiles, thinned } from './series.ts'

/** Seconds whose verdicts make one point of a curve. */
const WINDOW_SECONDS = 3
const LATENCIES = ['POST', 'PATCH', 'HEAD', 'portal: put submission', 'portal: ticket']

export type Found = {
  args: RehearsalArgs
  machine: string
  startedMs: number
  outcomes: readonly UploadOutcome[]
  findings: readonly Finding[]
  events: EventReader
  recorder: Recorder
  usage: UsageWatch
  counters: ServiceCounters
  /** The service's counters before the run. */
  before: Scrape
  marks: FaultMark[]
  store: StoreAudit | null
  strays: readonly Stray[]
  troubles: Record<string, number>
  s3Calls: Record<string, number> | null
  generators: readonly { name: string; clients: number; clockOffsetMs: number }[]
  removal: Removal | undefined
}

export function composeReport(found: Found): Report {
  const { args, outcomes, findings, events, recorder, usage, counters, before, store, marks } = found
  const audit = auditUploads(outcomes, findings, (id) => events.of(id).verdictsMs)
  const scrape = recorder.scrape ?? before
  const received = counters.heard ? scrape.receivedBytes - before.receivedBytes : null
  const latencies = pick(recorder.spreads(), LATENCIES)
  const held = (answer: Point) => wasHeld(marks, answer)
  const heldLatencies = recorder.spreads(held)
  const { peakRssBytes, cpuSeconds } = usage
  const refused = Object.values(audit.refused).reduce((sum, count) => sum + count, 0)
  const goals = goalsOf(args.scenario, {
    ...audit,
    refused,
    strays: found.strays.length,
    storeErrors: (store?.errors.length ?? 0) + (found.removal?.errors.length ?? 0),
    verdictP95Ms: audit.verdicts.p95,
    receivedBytes: received,
    latencies: recorder.spreads((answer) => !held(answer)),
    heldLatencies,
    peakRssBytes,
    series: recorder.series,
  })
  const all: Series = { ...recorder.series, ...waits(found) }
  const { breaks, retries, gaveUp, sentBytes } = recorder.totals
  return {
    scenario: args.scenario,
    ...(args.url === undefined ? {} : { target: args.url }),
    command: args.command,
    seed: args.seed,
    machine: found.machine,
    startedAt: new Date(found.startedMs).toISOString(),
    tookSeconds: Math.round((Date.now() - found.startedMs) / 1000),
    passed: goals.every(({ met }) => met),
    goals,
    errors: [
      ...audit.errors,
      ...(store?.errors ?? []),
      ...(found.removal?.errors ?? []),
      ...found.strays.map(({ pid, command }) => `leftover process: ${pid} ${command}`),
    ],
    audit,
    store,
    ...(found.removal === undefined ? {} : { removal: found.removal }),
    files: filesOf(outcomes),
    crowd: {
      breaks,
      retries,
      gaveUp,
      sentBytes,
      resumes: outcomes.reduce((sum, one) => sum + one.resumes, 0),
      generatorLateMs: spreadOf(recorder.generators.flatMap(({ lateMs }) => lateMs)),
      generators: found.generators.map((generator, i) => {
        const { lateMs = [], limitedSeconds = 0 } = recorder.generators[i] ?? {}
        return { ...generator, lateMs: spreadOf(lateMs), limitedSeconds }
      }),
    },
    service: {
      receivedBytes: received,
      restarts: scrape.restarts - before.restarts,
      takeOvers: scrape.takeOvers - before.takeOvers,
      shed: scrape.shed - before.shed,
      cpuSeconds,
      peakRssBytes,
      s3Calls: found.s3Calls,
      troubles: found.troubles,
    },
    latencies,
    refusals: recorder.refusals,
    marks,
    series: Object.fromEntries(Object.entries(all).map(([name, points]) => [name, thinned(points)])),
  }
}

/** Times from the last byte to the verdict and to ready, by the moment of the last byte. */
function waits({ outcomes, events, recorder }: Found): Series {
  const verdicts: Point[] = []
  const ready: Point[] = []
  for (const outcome of outcomes) {
    const { storedMs, verdictsMs, readyMs } = events.of(uploadId(outcome))
    if (storedMs === undefined) continue
    const at = (storedMs - recorder.startAtMs) / 1000
    if (verdictsMs[0] !== undefined) verdicts.push([at, (verdictsMs[0] - storedMs) / 1000])
    if (readyMs !== undefined) ready.push([at, (readyMs - storedMs) / 1000])
  }
  return {
    ...quantiles('verdict s', verdicts, WINDOW_SECONDS),
    ...quantiles('ready s', ready, WINDOW_SECONDS),
  }
}

function filesOf(outcomes: readonly UploadOutcome[]): Report['files'] {
  const plans = outcomes.map(({ plan }) => plan)
  const sizes = plans.map(({ fileBytes }) => fileBytes).sort((a, b) => a - b)
  return {
    count: plans.length,
    bytes: sizes.reduce((sum, bytes) => sum + bytes, 0),
    medianBytes: sizes[sizes.length >> 1] ?? 0,
    damaged: plans.filter(({ damage }) => damage !== 'none').length,
    pdf: plans.filter(({ kind }) => kind === 'pdf').length,
    real: plans.filter(({ real }) => real).length,
  }
}

function pick<Value>(all: Record<string, Value>, names: readonly string[]): Record<string, Value> {
  return Object.fromEntries(names.flatMap((name) => (all[name] === undefined ? [] : [[name, all[name] as Value]])))
}
