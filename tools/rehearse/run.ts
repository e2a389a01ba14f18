// A complete rehearsal: stage, clients, faults, measurement, audit, report. It ends everything that it started.

import { randomBytes } from 'node:crypto'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { described, machine } from '../bench/machine.ts'
import { childWith } from '../bench/proc.ts'
import type { Stage } from '../lib/consent.ts'
import { bytesPerSecondWithin, limitsInWords } from '../lib/limits.ts'
import { Portal } from '../lib/portal.ts'
import type { Settings } from '../lib/settings.ts'
import { UsageError } from '../lib/usage.ts'
import { bytesInWords, timeInWords } from '../lib/words.ts'
import { makeClips } from '../surge/clips.ts'
import { EventReader } from '../surge/events.ts'
import { verifyAll } from '../surge/verify.ts'
import type { RehearsalArgs } from './args.ts'
import { type Stray, strays } from './audit/processes.ts'
import { auditStore, type StoreAudit } from './audit/store.ts'
import { allJudged, allReady } from './audit/uploads.ts'
import { Visit } from './audit/visit.ts'
import { runFaults } from './faults.ts'
import { startCrowd } from './generator/crowd.ts'
import { type Generator, localGenerator } from './generator/generator.ts'
import { acceptGenerators } from './generator/remote.ts'
import { planRehearsal } from './plan/plan.ts'
import { composeReport } from './report/compose.ts'
import type { Report } from './report/report.ts'
import { progressLine } from './report/words.ts'
import { MARK, type Stage as OwnStage, startStage } from './stage/stage.ts'
import { Recorder } from './watch/recorder.ts'
import { startSampler } from './watch/sampler.ts'
import { ServiceCounters } from './watch/service-counters.ts'
import { UsageWatch, type Watched } from './watch/usage.ts'

const PORTAL_RETRIES_MS = [500, 1000, 2000, 4000, 8000]
/** Small clips, so that small files can hold them. */
const CLIP_CRF = 40
const PROGRESS_MS = 5000
const LOOK_MS = 500
/** Longest wait for renditions: only verdicts are a goal. */
const READY_MS = 60_000
/** A client whose ticket was refused (full disk) retries; the deadline must leave time for that. */
const SLACK_MS = 300_000
const GRACE_SECONDS = 3600
/** Tools end soon after their worker. */
const STRAY_MS = 5000

export type Say = (line: string) => void

/** A running service that was given with `--url`. */
export type Given = {
  settings: Settings
  ops: readonly URL[]
  /** It is on another machine, and has consented. */
  stage: Stage | undefined
  /** Also protects the connection to generators on other machines. */
  secret: string | undefined
}

/** Rejects on Ctrl-C; everything that was started is still ended. */
function interruption(): { promise: Promise<never>; signal: AbortSignal; end(): void } {
  const controller = new AbortController()
  let interrupt: (signal: NodeJS.Signals) => void = () => {}
  const promise = new Promise<never>((_resolve, reject) => {
    interrupt = (signal) => {
      controller.abort()
      reject(new UsageError(`Interrupted by ${signal}.`))
    }
  })
  promise.catch(() => {}) // raced against below
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, interrupt)
  return {
    promise,
    signal: controller.signal,
    end: () => void process.off('SIGINT', interrupt).off('SIGTERM', interrupt),
  }
}

/** @param given with `--url` */
export async function rehearse(args: RehearsalArgs, given: Given | undefined, say: Say): Promise<Report> {
  const { scenario } = args
  const startedMs = Date.now()
  const run = randomBytes(4).toString('hex')
  const bytesPerSecond = bytesPerSecondWithin(given?.stage, plannedLoad(args))
  if (given?.stage !== undefined) say(limitsInWords(given.stage, bytesPerSecond))
  say(`${scenario.name}: ${scenario.story}`)
  const installation = given === undefined ? await startStage(scenario, run) : undefined
  const interrupted = interruption()
  const base = given?.settings.base.href ?? installation?.url ?? ''
  const apiKey = given?.settings.apiKey ?? installation?.apiKey ?? ''
  const portal = new Portal({ base: new URL(base), apiKey, retryDelaysMs: PORTAL_RETRIES_MS })
  const events = new EventReader(portal)
  const generators: Generator[] = []
  let visit: Visit | undefined
  try {
    await events.start()
    const opsUrls = installation?.services.map(({ opsUrl }) => opsUrl) ?? given?.ops.map(({ href }) => href) ?? []
    const counters = new ServiceCounters(opsUrls)
    const before = await counters.read()
    await gather(generators, args, given, interrupted.signal, say)
    visit =
      given?.stage === undefined ? undefined : new Visit({ portal, run, args, ops: given.ops, stage: given.stage, say })
    const { promise: interrupt } = interrupted
    const deps = {
      base,
      apiKey,
      run,
      stage: installation,
      bytesPerSecond,
      generators,
      counters,
      events,
      interrupt,
      say,
    }
    const played = await play(args, deps)

    say('Comparing the stored files with the files that were sent …')
    const findings = await verifyAll(portal, events, played.outcomes)
    const end = installation === undefined ? undefined : await endStage(installation, played.outcomes)
    const store = end?.store ?? (await visit?.audit(played.outcomes, findings)) ?? null
    return composeReport({
      args,
      ...played,
      findings,
      events,
      before,
      counters,
      startedMs,
      store,
      removal: await visit?.remove(),
      strays: end?.strays ?? [],
      machine: described(await machine()),
      troubles: installation?.troubles() ?? {},
      s3Calls: installation?.proxy?.counts() ?? null,
    })
  } finally {
    interrupted.end()
    await Promise.all(generators.map((generator) => generator.end()))
    await events.stop()
    await visit?.remove()
    await installation?.remove()
  }
}

function plannedLoad({ scenario, seed, maxMbit }: RehearsalArgs) {
  const { minutes, settleMinutes } = scenario
  const arrivalsMs = planRehearsal({ ...scenario, seed }).map(({ arrivesMs }) => arrivesMs)
  return { arrivalsMs, minutes: minutes + settleMinutes, mbit: maxMbit }
}

/** Adds generators to `into`, so that whoever called can end those that have started, also after an error. */
async function gather(
  into: Generator[],
  { scenario, remote }: RehearsalArgs,
  given: Given | undefined,
  signal: AbortSignal,
  say: Say,
): Promise<void> {
  const count = scenario.generators
  for (let i = 0; i < count; i++) into.push(await localGenerator(count === 1 ? 'crowd' : `crowd ${i + 1}`))
  if (remote === undefined) return
  const { address } = remote
  if (!given?.secret) throw new UsageError('--listen needs LOAD_TEST_SECRET, which the generators have too.')
  const options = {
    count: remote.count,
    secret: given.secret,
    signal,
    onListening: (port: number) => say(`Waiting for ${remote.count} generators at ${address.host}:${port} …`),
  }
  const joined = ({ name, clockOffsetMs }: Generator, number: number) =>
    say(`generator ${number} of ${remote.count}: ${name}, clock ${clockOffsetMs >= 0 ? '+' : ''}${clockOffsetMs} ms`)
  into.push(...(await acceptGenerators(address, options, joined)))
}

type PlayDeps = {
  base: string
  apiKey: string
  run: string
  stage: OwnStage | undefined
  bytesPerSecond: number | undefined
  generators: readonly Generator[]
  counters: ServiceCounters
  events: EventReader
  /** Rejects if the run must end early. */
  interrupt: Promise<never>
  say: Say
}

async function play(args: RehearsalArgs, deps: PlayDeps) {
  const { scenario, seed } = args
  const { base, apiKey, run, stage, bytesPerSecond, generators, counters, events, interrupt, say } = deps
  const recorder = new Recorder()
  const clips = (await makeClips(CLIP_CRF)).map((clip) => clip.toString('base64'))
  const { clients, minutes, arrivals, scale, speed } = scenario
  const arrivalMs = minutes * 60_000
  const settleMs = scenario.settleMinutes * 60_000
  const plan = { clients, minutes, arrivals, scale, speed, seed }
  const crowdStarts = startCrowd(
    { plan, base, apiKey, run, clips, graceSeconds: GRACE_SECONDS, bytesPerSecond },
    { lastArrivalMs: arrivalMs, settleMs, slackMs: SLACK_MS },
    generators,
    (generator, report) => recorder.heard(generator, report),
  )
  const crowd = await Promise.race([crowdStarts, interrupt])
  recorder.startAtMs = crowd.startAtMs
  say(`${clients} clients with ${bytesInWords(crowd.bytes)} arrive within ${timeInWords(arrivalMs)}`)
  const usage = new UsageWatch(watched(stage, generators))
  const sampler = startSampler({ recorder, usage, counters, events })
  const ticker = setInterval(() => say(progressLine(recorder, events.verdicts, events.ready)), PROGRESS_MS)
  const ended = new AbortController()
  const times = { startAtMs: crowd.startAtMs, arrivalMs, signal: ended.signal }
  const faults =
    stage === undefined
      ? { marks: [], done: Promise.resolve() }
      : runFaults(stage, scenario.faults, times, async () => void (await sampler.readNow()))
  try {
    const outcomes = await Promise.race([crowd.outcomes, interrupt])
    say(`All clients have ended; ${outcomes.filter(({ failure }) => failure === undefined).length} files are uploaded.`)
    ended.abort()
    await faults.done
    const limitMs = crowd.startAtMs + arrivalMs + settleMs
    await until(() => allJudged(outcomes, events), limitMs)
    await until(() => allReady(outcomes, events), Math.min(Date.now() + READY_MS, limitMs + READY_MS))
    await sampler.stop()
    await events.stop()
    const figures = generators.map(({ name, clockOffsetMs }, i) => ({
      name,
      clockOffsetMs,
      clients: crowd.clients[i] ?? 0,
    }))
    return { outcomes, recorder, usage, marks: faults.marks, generators: figures }
  } finally {
    clearInterval(ticker)
    await sampler.stop()
  }
}

function watched(stage: OwnStage | undefined, generators: readonly Generator[]): Watched[] {
  const { services = [], workers = [], redis, s3, front } = stage ?? {}
  const number = (name: string, list: readonly unknown[], i: number) => (list.length === 1 ? name : `${name} ${i + 1}`)
  return [
    ...services.map((one, i) => ({ name: number('service', services, i), pid: () => one.pid })),
    ...workers.map((one, i) => ({ name: number('worker', workers, i), pid: () => one.pid })),
    ...(redis === undefined ? [] : [{ name: 'redis', pid: () => childWith(`127.0.0.1:${redis.port}`) }]),
    ...(s3?.dir === undefined ? [] : [{ name: 'S3 server', pid: () => childWith(new URL(s3.endpoint).host) }]),
    ...(front === undefined ? [] : [{ name: 'balancer', pid: () => front.pid }]),
    ...generators.flatMap(({ name, pid }) => (pid === undefined ? [] : [{ name, pid: () => pid }])),
    { name: 'observer', pid: () => process.pid, cpuSeconds: ownSeconds },
  ]
}

function ownSeconds(): number {
  const { user, system } = process.cpuUsage()
  return (user + system) / 1_000_000
}

async function until(condition: () => boolean, limitMs: number): Promise<void> {
  while (!condition() && Date.now() < limitMs) await delay(LOOK_MS)
}

/** Ends services and workers, then looks for leftover files and processes. */
async function endStage(
  stage: OwnStage,
  outcomes: Parameters<typeof auditStore>[1],
): Promise<{ store: StoreAudit | null; strays: Stray[] }> {
  await stage.endProcesses()
  const { dataDir, s3, run } = stage
  const bucket = s3?.dir === undefined ? undefined : join(s3.dir, s3.bucket)
  const root = s3 === undefined ? join(dataDir, 'store') : bucket
  const unfinished = [
    ...['staging', 'spool'].map((folder) => join(dataDir, folder)),
    ...(bucket === undefined ? [] : [join(bucket, '.sgwtmp', 'multipart')]),
  ]
  const store = root === undefined ? null : await auditStore(root, outcomes, unfinished)
  const left = () => strays([`${MARK}=${run}`, dataDir], [])
  await until(() => left().length === 0, Date.now() + STRAY_MS)
  return { store, strays: left() }
}
