// A load generator: a process of its own, so that the clients do not share an event loop with anything measured.

import { setMaxListeners } from 'node:events'
import { setTimeout as delay } from 'node:timers/promises'
import { Portal } from '../../lib/portal.ts'
import { Pacer } from '../client/pacer.ts'
import { liveTeacher } from '../client/teacher.ts'
import { fileFactory } from '../files/make.ts'
import { planRehearsal } from '../plan/plan.ts'
import { Counts } from './counts.ts'
import type { FromGenerator, GeneratorOrder, UploadOutcome } from './messages.ts'

const REPORT_MS = 1000
const LATENESS_MS = 20
/** A portal retries a few times before it reports an error to its user. */
const PORTAL_RETRIES_MS = [500, 1000, 2000, 4000, 8000, 8000, 8000]

function tell(message: FromGenerator): void {
  process.send?.(message)
}

async function generate(order: GeneratorOrder): Promise<void> {
  const { run, deadline, graceSeconds } = order
  const fileOf = fileFactory(
    order.clips.map((clip) => Buffer.from(clip, 'base64')),
    run,
  )
  const mine = planRehearsal(order.plan)
    .filter(({ number }) => number % order.of === order.share)
    .map((plan) => ({ plan, file: fileOf(plan) }))
  tell({ kind: 'ready', bytes: mine.reduce((sum, { file }) => sum + file.bytes, 0) })

  const counts = new Counts()
  const pacer = new Pacer()
  const stop = new AbortController()
  setMaxListeners(0, stop.signal) // every client listens to it
  const portal = new Portal({
    base: new URL(order.base),
    apiKey: order.apiKey,
    retryDelaysMs: PORTAL_RETRIES_MS,
    onCall: (call) => counts.call(call),
  })
  const limit = setTimeout(() => stop.abort(), order.giveUpAtMs - Date.now())
  const reporter = setInterval(() => tell({ kind: 'report', report: counts.report() }), REPORT_MS)
  const endWatch = watchLateness(counts)
  const parts = { portal, counts, pacer, run, deadline, graceSeconds, signal: stop.signal }
  const outcomes: UploadOutcome[] = await Promise.all(
    mine.map(async ({ plan, file }) => {
      await delay(Math.max(0, order.startAtMs + plan.arrivesMs - Date.now()))
      return await liveTeacher(parts, plan, file)
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

process.once('message', (order) => {
  generate(order as GeneratorOrder).catch((error: unknown) => {
    tell({ kind: 'error', text: error instanceof Error ? (error.stack ?? error.message) : String(error) })
  })
})
// The conductor ends this process after it has received everything: a process that exits loses messages that the channel
// has not delivered yet.
process.once('disconnect', () => process.exit())
