// One run: complete submissions that end at the same time, services that are killed meanwhile, and what the records say then.

import { setTimeout as pause } from 'node:timers/promises'
import { AFTER_CLOSE_MS } from '../../src/records/deadline-steps.ts'
import { waitFor } from '../../test/support/http.ts'
import { type Receiver, startReceiver } from '../../test/support/receiver.ts'
import type { Running } from '../../test/support/service.ts'
import { audit, type Findings, sealCounter } from './audit.ts'
import { inWords, startPatching } from './patches.ts'
import { openStage, type Stage } from './stage.ts'

/** Made first, to learn how long one takes on this machine; the others may take longer, since others may come to use it too. */
const TRIAL = 400
const MAKING_ROOM = 1.5
const BEFORE_MS = 8000
const BASELINE_MS = 30_000
const MOVED_EVERY = 50
const MOVED_BY_MS = 5000
const DEAD_MS = 3000
const PATIENCE_MS = 300_000

export type RunOptions = {
  submissions: number
  webhooks: boolean
  /** When each service is killed, one after the other, milliseconds after the first may be sealed; empty: none is. */
  killsAtMs: readonly number[]
}
export type RunResult = Findings & {
  closesMs: number
  allAfterMs: number
  before: string
  meanwhile: string
  webhooks: string[]
}

/** @param say told of each step, for the log of the run */
export async function runDeadline(options: RunOptions, say: (line: string) => void): Promise<RunResult> {
  const receiver = options.webhooks ? await startReceiver() : undefined
  try {
    const stage = await openStage(receiver === undefined ? {} : webhookSettings(receiver))
    try {
      if (receiver !== undefined) await (await stage.start('worker', { WORKER_LANES: 'notify' })).ready()
      return await run(stage, options, receiver, say)
    } finally {
      await stage.close()
    }
  } finally {
    await receiver?.close()
  }
}

function webhookSettings({ url }: Receiver): Record<string, string> {
  const secret = Buffer.alloc(24, 'w').toString('base64')
  return { WEBHOOK_URL: url, WEBHOOK_SECRET: `whsec_${secret}`, WEBHOOK_ALLOW_HOSTS: '127.0.0.0/8' }
}

async function run(
  stage: Stage,
  { submissions, killsAtMs }: RunOptions,
  receiver: Receiver | undefined,
  say: (line: string) => void,
): Promise<RunResult> {
  const baselineMs = Math.min(BASELINE_MS, 1000 + submissions * 10)
  const makingMs = await timeToMake(stage)
  const closesMs = Date.now() + submissions * makingMs * MAKING_ROOM + BEFORE_MS + baselineMs
  const deadline = new Date(closesMs).toISOString()
  const at = () => `${((Date.now() - closesMs) / 1000).toFixed(1).padStart(7)} s`
  const log = (line: string) => say(`${at()}  ${line}`)
  const ids = Array.from({ length: submissions }, (_, i) => `d-${String(i).padStart(6, '0')}`)
  log(`${submissions} submissions with the deadline ${deadline} are made`)
  const body = { profile: 'tiny@1', deadline, sealAtDeadline: true }
  await stage.fill(ids, body)
  const patching = await startPatching(stage)
  try {
    log('all are made and complete; two senders go on')
    if (Date.now() > closesMs - baselineMs) throw new Error('the deadline came before all was made')
    await pause(closesMs + AFTER_CLOSE_MS - 500 - Date.now())
    const countSealed = sealCounter(stage, ids)
    if ((await countSealed()) > 0) throw new Error('sealed too early')
    log('nothing is sealed yet')
    const startMs = closesMs + AFTER_CLOSE_MS
    const deaths = killsAtMs.map((afterMs, i) => dieOnce(stage.services[i], startMs + afterMs, log))
    const moved = moveSome(stage, ids, { ...body, deadline: new Date(closesMs + MOVED_BY_MS).toISOString() })
    let sealed = 0
    await waitFor(
      async () => {
        const now = await countSealed()
        if (now !== sealed) log(`${now} sealed (+${now - sealed})`)
        sealed = now
        await pause(900)
        return now === ids.length
      },
      { what: 'all to be sealed', timeoutMs: PATIENCE_MS },
    )
    const endMs = Date.now()
    await Promise.all(deaths)
    await patching.stop()
    const later = new Map([...(await moved)].map((id) => [id, closesMs + MOVED_BY_MS]))
    log(`${later.size} deadlines were moved in the moment of the seal, the others of them were refused: sealed`)
    const findings = await audit(stage, ids, (id) => later.get(id) ?? closesMs)
    const webhooks = receiver === undefined ? [] : await delivered(receiver, ids.length, log)
    return {
      ...findings,
      closesMs,
      allAfterMs: endMs - closesMs,
      before: inWords(patching.samples.filter(({ atMs }) => atMs < closesMs)),
      meanwhile: inWords(patching.samples.filter(({ atMs }) => atMs >= startMs && atMs <= endMs)),
      webhooks,
    }
  } finally {
    await patching.stop()
  }
}

/** Milliseconds for one submission with its file, after the services have warmed up. */
async function timeToMake(stage: Stage): Promise<number> {
  const ids = Array.from({ length: TRIAL }, (_, i) => `trial-${i}`)
  const body = { profile: 'tiny@1' }
  const half = TRIAL / 2
  await stage.fill(ids.slice(0, half), body)
  const startedMs = performance.now()
  await stage.fill(ids.slice(half), body)
  return (performance.now() - startedMs) / half
}

async function dieOnce(service: Running | undefined, atMs: number, log: (line: string) => void): Promise<void> {
  if (service === undefined) throw new Error('no such service')
  await pause(Math.max(0, atMs - Date.now()))
  log(`service ${service.pid} is killed`)
  await service.kill('SIGKILL')
  await pause(DEAD_MS)
  await service.restart()
  await service.ready()
  log(`service ${service.pid} is started`)
}

/** Moves some deadlines just when their submissions are sealed. @returns those that were moved; the others were sealed before */
async function moveSome(stage: Stage, ids: readonly string[], body: object): Promise<Set<string>> {
  const moved = new Set<string>()
  for (const [i, id] of ids.entries()) {
    if (i % MOVED_EVERY !== 0) continue
    let status: number | undefined
    // A service that is dead does not answer: the other is asked, as a balancer would.
    while (status === undefined || status >= 500) {
      status = await stage.put(id, body)
      if (status === undefined) await pause(50)
    }
    if (status === 200) moved.add(id)
    else if (status !== 409) throw new Error(`moving ${id}: ${status}`)
  }
  return moved
}

/** What the receiver got: how it was spread, and whether the events of each submission came in their order. */
async function delivered(
  { deliveries }: Receiver,
  submissions: number,
  log: (line: string) => void,
): Promise<string[]> {
  const bodies = () =>
    deliveries.map(({ body, atMs }) => ({
      ...(JSON.parse(body) as { type: string; data: { sequence: number; submissionId: string } }),
      atMs,
    }))
  const sealed = () => bodies().filter(({ type }) => type === 'submission.sealed')
  await waitFor(async () => new Set(sealed().map(({ data }) => data.submissionId)).size === submissions, {
    what: 'all webhooks to be delivered',
    timeoutMs: PATIENCE_MS,
  })
  log('all webhooks are delivered')
  const perSecond = new Map<number, number>()
  const last = new Map<string, number>()
  let disordered = 0
  for (const { data, atMs } of bodies()) {
    if ((last.get(data.submissionId) ?? 0) > data.sequence) disordered++
    last.set(data.submissionId, Math.max(data.sequence, last.get(data.submissionId) ?? 0))
    perSecond.set(Math.floor(atMs / 1000), (perSecond.get(Math.floor(atMs / 1000)) ?? 0) + 1)
  }
  const ofSeals = sealed().map(({ atMs }) => atMs)
  const seconds = (Math.max(...ofSeals) - Math.min(...ofSeals)) / 1000
  return [
    `${sealed().length} deliveries of ${submissions} seals within ${seconds.toFixed(1)} s, at most ${Math.max(...perSecond.values())} a second`,
    `${disordered} came after a later event of their submission`,
  ]
}
