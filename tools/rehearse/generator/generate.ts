// A load generator's work: makes its files, waits for the common start, and runs its share of the clients.

import { setMaxListeners } from 'node:events'
import { setTimeout as delay } from 'node:timers/promises'
import { ByteAllowance } from '../../lib/byte-allowance.ts'
import { Portal } from '../../lib/portal.ts'
import { Pacer } from '../client/pacer.ts'
import { liveTeacher } from '../client/teacher.ts'
import { fileFactory } from '../files/make.ts'
import { planRehearsal } from '../plan/plan.ts'
import { Counts } from './counts.ts'
import type { FromGenerator, GeneratorOrder, GeneratorStart, UploadOutcome } from './messages.ts'

const REPORT_MS = 1000
const LATENESS_MS = 20
/** A portal retries a few times before it reports an error to its user. */
const PORTAL_RETRIES_MS = [500, 1000, 2000, 4000, 8000, 8000, 8000]

/**
 * Reports each second, and all outcomes at the end.
 *
 * @param started resolves when all generators are ready
 * @param signal the coordinator is gone: the clients give up
 */
export async function generate(
  order: GeneratorOrder,
  started: Promise<GeneratorStart>,
  tell: (message: FromGenerator) => void,
  signal?: AbortSignal,
): Promise<void> {
  const { run, graceSeconds } = order
  const fileOf = fileFactory(
    order.clips.map((clip) => Buffer.from(clip, 'base64')),
    run,
  )
  const mine = planRehearsal(order.plan)
    .filter(({ number }) => number % order.of === order.share)
    .map((plan) => ({ plan, file: fileOf(plan) }))
  tell({ kind: 'ready', clients: mine.length, bytes: mine.reduce((sum, { file }) => sum + file.bytes, 0) })
  const { startAtMs, giveUpAtMs, deadline } = await started

  const allowance = order.bytesPerSecond === undefined ? undefined : new ByteAllowance(order.bytesPerSecond)
  const counts = new Counts(allowance)
  const pacer = new Pacer(allowance)
  const stop = new AbortController()
  setMaxListeners(0, stop.signal) // every client listens to it
  const end = () => stop.abort()
  signal?.addEventListener('abort', end, { once: true })
  const portal = new Portal({
    base: new URL(order.base),
    apiKey: order.apiKey,
    retryDelaysMs: PORTAL_RETRIES_MS,
    onCall: (call) => counts.call(call),
  })
  const limit = setTimeout(end, giveUpAtMs - Date.now())
  const reporter = setInterval(() => tell({ kind: 'report', report: counts.report() }), REPORT_MS)
  const endWatch = watchLateness(counts)
  const deps = { portal, counts, pacer, run, deadline, graceSeconds, signal: stop.signal }
  const outcomes: UploadOutcome[] = await Promise.all(
    mine.map(async ({ plan, file }) => {
      const dueMs = startAtMs + plan.arrivesMs
      await delay(Math.max(0, dueMs - Date.now()))
      counts.late(Math.max(0, Date.now() - dueMs))
      return await liveTeacher(deps, plan, file)
    }),
  )
  clearTimeout(limit)
  clearInterval(reporter)
  endWatch()
  pacer.close()
  tell({ kind: 'report', report: counts.report() })
  tell({ kind: 'done', outcomes })
}

function watchLateness(counts: Counts): () => void {
  let dueMs = performance.now() + LATENESS_MS
  const timer = setInterval(() => {
    const now = performance.now()
    counts.late(Math.max(0, now - dueMs))
    dueMs = now + LATENESS_MS
  }, LATENESS_MS)
  return () => clearInterval(timer)
}
