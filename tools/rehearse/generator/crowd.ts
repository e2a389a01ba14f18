// The generator processes, from the view of the conductor: started together, reports every second, outcomes at the end.

import type { ChildProcess } from 'node:child_process'
import { endForked, forked } from '../stage/forked.ts'
import type { FromGenerator, GeneratorOrder, GeneratorReport, UploadOutcome } from './messages.ts'

export type Crowd = {
  readonly pids: number[]
  /** Total bytes of all files. */
  readonly bytes: number
  /** All outcomes; rejects if a generator ends too early. */
  readonly outcomes: Promise<UploadOutcome[]>
  end(): Promise<void>
}

/** Time for all generators to be ready; then they begin together. */
const HEAD_START_MS = 500

export async function startCrowd(
  order: Omit<GeneratorOrder, 'share' | 'of' | 'startAtMs' | 'giveUpAtMs' | 'deadline'>,
  times: { processes: number; lastArrivalMs: number; settleMs: number; slackMs: number },
  onReport: (generator: number, report: GeneratorReport) => void,
): Promise<Crowd & { startAtMs: number }> {
  const children: ChildProcess[] = []
  const end = async () => void (await Promise.all(children.map(endForked)))
  try {
    for (let i = 0; i < times.processes; i++) children.push(await forked('generator/main'))
    // Making the files takes some time; each process reports when it is ready.
    const startAtMs = Date.now() + HEAD_START_MS + makingMs(order)
    const lastMs = startAtMs + times.lastArrivalMs
    const sent = children.map((child, share) => {
      const full: GeneratorOrder = {
        ...order,
        share,
        of: times.processes,
        startAtMs,
        giveUpAtMs: lastMs + times.settleMs,
        deadline: new Date(lastMs + times.slackMs).toISOString(),
      }
      const heard = listen(child, (report) => onReport(share, report))
      child.send(full)
      return heard
    })
    const outcomes = Promise.all(sent.map(({ done }) => done)).then((all) =>
      all.flat().sort((a, b) => a.plan.number - b.plan.number),
    )
    outcomes.catch(() => {}) // awaited by the conductor, later
    const bytes = (await Promise.all(sent.map(({ ready }) => ready))).reduce((sum, one) => sum + one, 0)
    return { pids: children.map(({ pid }) => pid ?? -1), bytes, outcomes, end, startAtMs }
  } catch (error) {
    await end()
    throw error
  }
}

function makingMs({ plan }: { plan: GeneratorOrder['plan'] }): number {
  return 1000 + plan.clients + 4000 * plan.scale
}

function listen(child: ChildProcess, onReport: (report: GeneratorReport) => void) {
  let isReady: (bytes: number) => void = () => {}
  let isDone: (outcomes: UploadOutcome[]) => void = () => {}
  let failed: (error: Error) => void = () => {}
  const done = new Promise<UploadOutcome[]>((resolve, reject) => {
    isDone = resolve
    failed = reject
  })
  const ready = new Promise<number>((resolve, reject) => {
    isReady = resolve
    done.catch(reject)
  })
  child.on('message', (message) => {
    const said = message as FromGenerator
    if (said.kind === 'ready') isReady(said.bytes)
    else if (said.kind === 'report') onReport(said.report)
    else if (said.kind === 'done') isDone(said.outcomes)
    else failed(new Error(said.text))
  })
  child.once('exit', (code, signal) => failed(new Error(`a generator ended early: ${code ?? signal}`)))
  return { ready, done }
}
