// All generators of a run, from the view of the coordinator: started together, reports every second, outcomes at the end.

import type { Generator } from './generator.ts'
import type { FromGenerator, GeneratorOrder, GeneratorReport, UploadOutcome } from './messages.ts'

export type Crowd = {
  /** Total bytes of all files. */
  readonly bytes: number
  readonly startAtMs: number
  /** Number of clients of each generator. */
  readonly clients: readonly number[]
  /** All outcomes; rejects if a generator ends too early. */
  readonly outcomes: Promise<UploadOutcome[]>
}

/** Time for the start to reach every generator; then they begin together. */
const HEAD_START_MS = 1000

export type CrowdTimes = { lastArrivalMs: number; settleMs: number; slackMs: number }

/**
 * Orders a run, waits until every generator has made its files, and starts them together. All times are by the clock of
 * this machine. The caller ends the generators.
 *
 * @param order with the byte limit of all generators together
 */
export async function startCrowd(
  order: Omit<GeneratorOrder, 'share' | 'of' | 'totalMinutes'>,
  times: CrowdTimes,
  generators: readonly Generator[],
  onReport: (generator: number, report: GeneratorReport) => void,
): Promise<Crowd> {
  const of = generators.length
  const totalMinutes = (times.lastArrivalMs + times.settleMs) / 60_000
  const listeners = generators.map((generator, share) => {
    const heard = listen(generator, (report) => onReport(share, report))
    const bytesPerSecond = order.bytesPerSecond === undefined ? undefined : order.bytesPerSecond / of
    generator.send({ kind: 'order', order: { ...order, bytesPerSecond, share, of, totalMinutes } })
    return heard
  })
  const outcomes = Promise.all(listeners.map(({ done }) => done)).then((all) =>
    all.flat().sort((a, b) => a.plan.number - b.plan.number),
  )
  outcomes.catch(() => {}) // awaited by the coordinator, later
  const ready = await Promise.all(listeners.map((one) => one.ready))
  const startAtMs = Date.now() + HEAD_START_MS
  const lastMs = startAtMs + times.lastArrivalMs
  for (const generator of generators)
    generator.send({
      kind: 'start',
      start: {
        startAtMs: startAtMs + generator.clockOffsetMs,
        giveUpAtMs: lastMs + times.settleMs + generator.clockOffsetMs,
        deadline: new Date(lastMs + times.slackMs).toISOString(),
      },
    })
  return {
    bytes: ready.reduce((sum, { bytes }) => sum + bytes, 0),
    clients: ready.map(({ clients }) => clients),
    startAtMs,
    outcomes,
  }
}

type Ready = Extract<FromGenerator, { kind: 'ready' }>

function listen(generator: Generator, onReport: (report: GeneratorReport) => void) {
  const { clockOffsetMs, name } = generator
  let isReady: (ready: Ready) => void = () => {}
  let isDone: (outcomes: UploadOutcome[]) => void = () => {}
  let failed: (error: Error) => void = () => {}
  const done = new Promise<UploadOutcome[]>((resolve, reject) => {
    isDone = resolve
    failed = reject
  })
  const ready = new Promise<Ready>((resolve, reject) => {
    isReady = resolve
    done.catch(reject)
  })
  const ownTime = (one: UploadOutcome): UploadOutcome => ({
    ...one,
    arrivedMs: one.arrivedMs - clockOffsetMs,
    endedMs: one.endedMs - clockOffsetMs,
  })
  generator.onMessage((said) => {
    if (said.kind === 'ready') isReady(said)
    else if (said.kind === 'report') onReport({ ...said.report, atMs: said.report.atMs - clockOffsetMs })
    else if (said.kind === 'done') isDone(said.outcomes.map(ownTime))
    else failed(new Error(`generator ${name}: ${said.text}`))
  })
  generator.onEnd((reason) => failed(new Error(`generator ${name} ended early: ${reason}`)))
  return { ready, done }
}
