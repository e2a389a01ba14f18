// The services' own counters, read from their operations listeners. A counter starts at 0 with its process: if a value is
// lower than before, the process was restarted, and the earlier value is kept in the sum.

import { sumOf } from '../../surge/service-metrics.ts'

const SCRAPE_MS = 3000

export type Scrape = {
  receivedBytes: number
  restarts: number
  takeOvers: number
  shed: number
  inFlight: number
  /** By lane. */
  waiting: Record<string, number>
  oldestSeconds: Record<string, number>
}

type Life = { former: number; current: number }

/** Adds up a counter over restarts of several processes. */
export class LivingCounter {
  readonly #lives = new Map<string, Life>()

  /** @param value undefined: not readable now */
  note(process: string, value: number | undefined): void {
    if (value === undefined) return
    const life = this.#lives.get(process) ?? { former: 0, current: 0 }
    if (value < life.current) life.former += life.current
    life.current = value
    this.#lives.set(process, life)
  }

  get total(): number {
    return [...this.#lives.values()].reduce((sum, { former, current }) => sum + former + current, 0)
  }
}

const COUNTERS = {
  receivedBytes: 'upload_bytes_received_total',
  restarts: 'upload_restarts_total',
  takeOvers: 'upload_takeovers_total',
  shed: 'upload_admission_rejected_total',
} as const

type CounterName = keyof typeof COUNTERS

export class ServiceCounters {
  readonly #opsUrls: readonly string[]
  readonly #counters = Object.fromEntries(Object.keys(COUNTERS).map((name) => [name, new LivingCounter()])) as Record<
    CounterName,
    LivingCounter
  >
  #last: Promise<unknown> = Promise.resolve()
  /** False if no listener has ever answered. */
  heard = false

  constructor(opsUrls: readonly string[]) {
    this.#opsUrls = opsUrls
  }

  /** One reading at a time: an older value after a newer one would look like a restart. */
  read(): Promise<Scrape> {
    const reading = this.#last.then(() => this.#read())
    this.#last = reading
    return reading
  }

  async #read(): Promise<Scrape> {
    const texts = await Promise.all(this.#opsUrls.map(textOf))
    let inFlight = 0
    let queues: string | undefined
    for (const [i, text] of texts.entries()) {
      if (text === undefined) continue
      this.heard = true
      for (const [name, metric] of Object.entries(COUNTERS))
        this.#counters[name as CounterName].note(this.#opsUrls[i] ?? '', sumOf(text, metric) ?? undefined)
      inFlight += sumOf(text, 'uploads_in_flight') ?? 0
      queues ??= text
    }
    const total = (name: CounterName) => this.#counters[name].total
    return {
      receivedBytes: total('receivedBytes'),
      restarts: total('restarts'),
      takeOvers: total('takeOvers'),
      shed: total('shed'),
      inFlight,
      waiting: byLane(queues ?? '', 'bullmq_job_count', ({ state }) => WAITING.includes(state ?? '')),
      oldestSeconds: byLane(queues ?? '', 'media_queue_oldest_waiting_seconds', () => true),
    }
  }
}

const WAITING = ['waiting', 'prioritized', 'wait']

async function textOf(opsUrl: string): Promise<string | undefined> {
  try {
    const response = await fetch(new URL('/metrics', opsUrl), { signal: AbortSignal.timeout(SCRAPE_MS) })
    return response.ok ? await response.text() : undefined
  } catch {
    return undefined // killed, or too busy: the next reading has it
  }
}

/** Adds up samples of a metric by their label `queue`. */
export function byLane(
  text: string,
  metric: string,
  takes: (labels: Record<string, string>) => boolean,
): Record<string, number> {
  const sums: Record<string, number> = {}
  for (const line of text.split('\n')) {
    if (!line.startsWith(`${metric}{`)) continue
    const labels = Object.fromEntries(
      [...line.matchAll(/(\w+)="([^"]*)"/g)].map(([, name = '', value = '']) => [name, value]),
    )
    const lane = labels['queue']
    if (lane === undefined || !takes(labels)) continue
    sums[lane] = (sums[lane] ?? 0) + Number(line.slice(line.lastIndexOf(' ') + 1))
  }
  return sums
}
