// The report of a rehearsal: written as JSON, shown as HTML.

import type { Removal } from '../../lib/remove.ts'
import type { Spread } from '../../surge/measures.ts'
import type { StoreAudit } from '../audit/store.ts'
import type { UploadAudit } from '../audit/uploads.ts'
import type { FaultMark } from '../faults.ts'
import type { Goal } from '../goals.ts'
import type { Scenario } from '../scenarios.ts'
import type { Series } from '../watch/recorder.ts'

export type GeneratorFigures = {
  name: string
  clients: number
  /** Its clock minus the coordinator's; already taken off from all its times. */
  clockOffsetMs: number
  lateMs: Spread
  /** Seconds in which the limit of bytes held clients back: then the latencies are those of a slower crowd. */
  limitedSeconds: number
}

export type Report = {
  scenario: Scenario
  /** The service of `--url`; absent: an installation of the rehearsal's own. */
  target?: string
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
  /** Read from the directory of the rehearsal's own store, or over the API of a stage; null: not checked. */
  store: StoreAudit | null
  /** On a stage: what was removed afterwards, and what could not be. */
  removal?: Removal
  files: { count: number; bytes: number; medianBytes: number; damaged: number; pdf: number; real: number }
  crowd: {
    breaks: number
    resumes: number
    retries: number
    /** How often a client gave up and its user retried by hand. */
    gaveUp: number
    sentBytes: number
    generatorLateMs: Spread
    /** Each load generator; absent in reports of earlier versions. */
    generators?: GeneratorFigures[]
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
