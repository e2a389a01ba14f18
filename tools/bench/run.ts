// The run: a loop over rounds, then metrics, then servers, so that other load on the machine affects all equally.

import type { Contender, Failure, Metric, Sample } from './model.ts'
import { type Running, startServer } from './servers/running.ts'

export type RunOptions = {
  metrics: readonly Metric[]
  contenders: readonly Contender[]
  /** No round but the first begins after this. */
  limitMs: number
  progress(line: string): void
}

export type RunResult = { samples: Sample[]; failures: Failure[]; cutShort: boolean; seconds: number }

export async function runBench({ metrics, contenders, limitMs, progress }: RunOptions): Promise<RunResult> {
  const begunMs = performance.now()
  const samples: Sample[] = []
  const failures: Failure[] = []
  let cutShort = false
  const rounds = Math.max(...metrics.map((metric) => metric.rounds))
  for (let round = 1; round <= rounds && !cutShort; round++) {
    for (const metric of metrics.filter((each) => round <= each.rounds)) {
      cutShort ||= round > 1 && performance.now() - begunMs > limitMs
      if (cutShort) break
      for (const contender of contenders.filter((each) => metric.suits(each))) {
        const { name, store } = contender
        const at = { metric: metric.name, name, store, round }
        const place = `${metric.name} ${round}/${metric.rounds} ${name} ${store}`
        try {
          const measured = await measure(metric, contender)
          samples.push(...measured.map((one) => ({ ...one, ...at })))
          progress(`${place}: ${summary(metric, measured)}`)
        } catch (error) {
          const message = error instanceof Error ? error.message : String(error)
          failures.push({ ...at, message })
          progress(`${place}: FAILED, ${message}`)
        }
      }
    }
  }
  return { samples, failures, cutShort, seconds: (performance.now() - begunMs) / 1000 }
}

async function measure(metric: Metric, contender: Contender) {
  const running = await startServer(contender, metric.countsCalls === true)
  try {
    return await withinLimit(metric, running)
  } catch (error) {
    const said = running.output().trim().split('\n').slice(-5).join('\n')
    throw new Error(`${error instanceof Error ? error.message : String(error)}\n${said}`.trim())
  } finally {
    await running.stop()
  }
}

/** After its limit a measurement has failed; its open requests end with its server. */
async function withinLimit(metric: Metric, running: Running) {
  let timer: NodeJS.Timeout | undefined
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`not finished within ${metric.limitMs} ms`)), metric.limitMs)
  })
  return await Promise.race([metric.measure(running), late]).finally(() => clearTimeout(timer))
}

function summary(metric: Metric, measured: Awaited<ReturnType<Metric['measure']>>): string {
  const show = (value: number | null | undefined, digits: number) => (value == null ? '–' : value.toFixed(digits))
  return measured
    .map(({ variant, figures }) => {
      const shown = metric.figures.map(({ key, label, digits }) => `${label} ${show(figures[key], digits)}`)
      return `${variant === undefined ? '' : `[${variant}] `}${shown.join(', ')}`
    })
    .join('; ')
}
