// The surge: makes the files, starts each client at its time, waits for unfinished uploads, then counts.

import { randomBytes } from 'node:crypto'
import { ByteAllowance } from '../lib/byte-allowance.ts'
import type { Stage } from '../lib/consent.ts'
import { bytesPerSecondWithin, limitsInWords } from '../lib/limits.ts'
import { Portal } from '../lib/portal.ts'
import { type Removal, removeSubmissions } from '../lib/remove.ts'
import type { Settings } from '../lib/settings.ts'
import { bytesInWords, timeInWords } from '../lib/words.ts'
import type { SurgeArgs } from './args.ts'
import { type ClientDeps, type ClientOutcome, handedIn, runClient, type SurgeClient } from './client.ts'
import { makeClips } from './clips.ts'
import { EventReader } from './events.ts'
import { Measures } from './measures.ts'
import { paddedClip, sha256Of } from './payload.ts'
import { planRun } from './plan.ts'
import { receivedBytesTotal } from './service-metrics.ts'
import { type Summary, summarize } from './summary.ts'
import { verifyAll } from './verify.ts'

/** A portal retries a few times before it reports an error to its user. */
const PORTAL_RETRIES_MS = [500, 1000, 2000, 4000, 8000]
/** The deadline is later than the last arrival by this, so that the last client's ticket is in time. */
const DEADLINE_SLACK_MS = 30_000
const GRACE_SECONDS = 3600

export type Say = (line: string) => void

export type SurgeTarget = {
  settings: Settings
  ops: readonly URL[]
  /** It is on another machine, and has consented. */
  stage: Stage | undefined
}

export async function runSurge(args: SurgeArgs, { settings, ops, stage }: SurgeTarget, say: Say): Promise<Summary> {
  const measures = new Measures()
  const limit = bytesPerSecondWithin(stage, {
    arrivalsMs: planRun(args).map(({ arrivesMs }) => arrivesMs),
    minutes: args.minutes + args.settleMs / 60_000,
    mbit: args.maxMbit,
  })
  if (stage !== undefined) say(limitsInWords(stage, limit))
  const clients = await makeClients(args, say)
  const { base, apiKey } = settings
  const portal = new Portal({
    base,
    apiKey,
    retryDelaysMs: PORTAL_RETRIES_MS,
    onCall: (call) => measures.call(call),
  })
  // This reader of events is not part of the measured load.
  const observer = new Portal({ base, apiKey, retryDelaysMs: PORTAL_RETRIES_MS })
  const events = new EventReader(observer)
  await events.start()
  const bytesBefore = await receivedBytesTotal(ops)

  const runMs = args.minutes * 60_000
  const stop = new AbortController()
  const timeLimit = setTimeout(() => stop.abort(), runMs + args.settleMs)
  const ticker = setInterval(() => say(progressLine(startedMs, measures, events)), 1000)
  const startedMs = performance.now()
  let removal: Promise<Removal> | undefined
  /** On a stage: what was made is removed, once, also after an error. */
  const remove = async () => {
    if (stage === undefined || args.keep) return undefined
    if (removal === undefined) say('Removing what was made …')
    const ids = clients.map(({ submissionId }) => submissionId)
    removal ??= removeSubmissions(observer, ids)
    return await removal
  }
  say(`${args.clients} clients arrive within ${timeInWords(runMs)}`)
  try {
    const outcomes = await letLoose(clients, startedMs, measures, {
      portal,
      measures,
      graceSeconds: GRACE_SECONDS,
      bytesPerSecond: args.bytesPerSecond,
      allowance: limit === undefined ? undefined : new ByteAllowance(limit),
      deadline: new Date(Date.now() + runMs + DEADLINE_SLACK_MS),
      signal: stop.signal,
    })
    await untilReady(outcomes, events, stop.signal)
    await events.stop()
    const bytesAfter = await receivedBytesTotal(ops)
    clearInterval(ticker)
    say('Comparing the stored files with the files that were sent …')
    const findings = await verifyAll(observer, events, outcomes.map(handedIn))
    return summarize(outcomes, findings, measures, increase(bytesBefore, bytesAfter), await remove())
  } finally {
    clearTimeout(timeLimit)
    clearInterval(ticker)
    await remove()
  }
}

/** null if unknown: a counter that decreased was reset by a restart of its process. */
function increase(before: number | null, after: number | null): number | null {
  return before === null || after === null || after < before ? null : after - before
}

async function makeClients(args: SurgeArgs, say: Say): Promise<SurgeClient[]> {
  say('Making files …')
  const clips = await makeClips()
  const run = randomBytes(3).toString('hex')
  const clients: SurgeClient[] = []
  for (const plan of planRun(args)) {
    const clip = clips[plan.number % clips.length] ?? Buffer.alloc(0)
    const source = paddedClip(clip, plan.fileBytes, args.seed * 2 ** 16 + plan.number)
    clients.push({
      plan,
      source,
      submissionId: `surge-${run}-${plan.number}`,
      sha256: await sha256Of(source),
    })
  }
  const sizes = clients.map(({ source }) => source.bytes).sort((a, b) => a - b)
  const total = sizes.reduce((sum, bytes) => sum + bytes, 0)
  const words = [sizes[0], sizes[sizes.length >> 1], sizes.at(-1)].map((bytes) => bytesInWords(bytes ?? 0))
  say(`${sizes.length} files, ${bytesInWords(total)}: from ${words[0]} to ${words[2]}, median ${words[1]}`)
  return clients
}

/** Starts each client at its time, whether earlier ones have finished or not. */
function letLoose(
  clients: readonly SurgeClient[],
  startedMs: number,
  measures: Measures,
  deps: ClientDeps,
): Promise<ClientOutcome[]> {
  return Promise.all(
    clients.map(async (client) => {
      const dueMs = startedMs + client.plan.arrivesMs
      await new Promise((resolve) => setTimeout(resolve, dueMs - performance.now()))
      measures.lateness.push(Math.max(0, performance.now() - dueMs))
      return await runClient(deps, client)
    }),
  )
}

/** Waits until all completed uploads are ready, or the time is over. */
async function untilReady(outcomes: readonly ClientOutcome[], events: EventReader, signal: AbortSignal): Promise<void> {
  const served = outcomes.filter(({ failure }) => failure === undefined).length
  while (events.ready < served && !signal.aborted) await new Promise((resolve) => setTimeout(resolve, 250))
}

function progressLine(startedMs: number, measures: Measures, events: EventReader): string {
  const seconds = (performance.now() - startedMs) / 1000
  const clock = `${String(Math.floor(seconds / 60)).padStart(2, '0')}:${String(Math.floor(seconds % 60)).padStart(2, '0')}`
  const { arrived, sending, served, failed, cuts, retries, sentBytes } = measures
  return (
    `${clock}  arrived ${arrived}  sending ${sending}  uploaded ${served}  failed ${failed}  cut ${cuts}  retries ${retries}` +
    `  verdicts ${events.verdicts}  ready ${events.ready}  ${bytesInWords(sentBytes)}`
  )
}
