// The report of a rehearsal: written as JSON, shown as HTML.

import type { Spread } from '../../surge/measures.ts'
import type { StoreAudit } from '../audit/store.ts'
import type { UploadAudit } from '../audit/uploads.ts'
import type { FaultMark } from '../faults.ts'
import type { Goal } from '../goals.ts'
import type { Scenario } from '../scenarios.ts'
import type { Series } from '../watch/recorder.ts'

export type Report = {
  scenario: Scenario
  command: string
  seed: number
  machine: string
  startedAt: string
  tookSeconds: number
  passed: boolean
  goals: Goal[]
  /** Every error that the audits found. */
  errors: string[]
  audit: UploadAudit
  /** null: the store is not the rehearsal's own. */
  store: StoreAudit | null
  files: { count: number; bytes: number; medianBytes: number; damaged: number; pdf: number; real: number }
  crowd: {
    breaks: number
    resumes: number
    retries: number
    /** How often a client gave up and its user retried by hand. */
    gaveUp: number
    sentBytes: number
    generatorLateMs: Spread
  }
  service: {
    receivedBytes: number | null
    restarts: number
    takeOvers: number
    shed: number
    cpuSeconds: Record<string, number>
    peakRssBytes: Record<string, number>
    s3Calls: Record<string, number> | null
    /** Log lines of level warn and above, by message. */
    troubles: Record<string, number>
  }
  /** By method or call, milliseconds. PATCH: from the last byte to the answer. */
  latencies: Record<string, Spread>
  /** Responses of 400 and more, including those that a retry resolved. */
  refusals: Record<string, number>
  marks: FaultMark[]
  series: Series
}
