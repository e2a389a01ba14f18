// Samples usage, counters and the generators' reports once per second.

import type { EventReader } from '../../surge/events.ts'
import type { Recorder } from './recorder.ts'
import type { Scrape, ServiceCounters } from './service-counters.ts'
import type { UsageWatch } from './usage.ts'

const SAMPLE_MS = 1000

export type SamplerDeps = {
  recorder: Recorder
  usage: UsageWatch
  counters: ServiceCounters
  events: EventReader
}

export type Sampler = {
  /** An extra reading, before a process is ended on purpose. */
  readNow(): Promise<Scrape>
  /** Takes a last sample. */
  stop(): Promise<void>
}

export function startSampler({ recorder, usage, counters, events }: SamplerDeps): Sampler {
  let verdicts = events.verdicts
  let stopped = false
  const sample = async (): Promise<void> => {
    const scrape = await counters.read()
    const now = Date.now()
    recorder.sample(now, usage.sample(now), scrape, events.verdicts - verdicts)
    verdicts = events.verdicts
  }
  const running = (async () => {
    while (!stopped) {
      const startedMs = performance.now()
      await sample()
      const restMs = SAMPLE_MS - (performance.now() - startedMs)
      await new Promise((resolve) => setTimeout(resolve, Math.max(50, restMs)))
    }
    await sample()
  })()
  return {
    readNow: () => counters.read(),
    async stop() {
      stopped = true
      await running
    },
  }
}
