// Messages between the coordinator and its generators: plain JSON, over the channel between parent and child, or a
// connection to another machine.

import type { PlannedUpload, PlanOptions } from '../plan/plan.ts'

export type GeneratorOrder = {
  plan: PlanOptions
  /** This process runs the uploads whose number modulo `of` is `share`. */
  share: number
  of: number
  base: string
  apiKey: string
  /** Unique per run; in the ids of submissions and in every file. */
  run: string
  /** Base64. */
  clips: string[]
  graceSeconds: number
  /** From the start until the last client gives up. */
  totalMinutes: number
  /** Limit of this generator's share; absent: none. */
  bytesPerSecond?: number | undefined
}

/** Sent when all generators are ready. Unix time (ms) by the generator's own clock. */
export type GeneratorStart = {
  startAtMs: number
  /** When the last client gives up. */
  giveUpAtMs: number
  /** Of all submissions: RFC 3339. */
  deadline: string
}

export type ToGenerator = { kind: 'order'; order: GeneratorOrder } | { kind: 'start'; start: GeneratorStart }

/** How one client ended. */
export type UploadOutcome = {
  plan: PlannedUpload
  submissionId: string
  sha256: string
  /** Unix milliseconds. */
  arrivedMs: number
  endedMs: number
  /** undefined: every byte was acknowledged. */
  failure?: string | undefined
  /** Error code of the permanent refusal, if there was one. */
  failureCode?: string | undefined
  url?: string | undefined
  resumes: number
  breaks: number
  restarts: number
  sentBytes: number
  gaveUp: number
}

/** Counts since the previous report. */
export type GeneratorReport = {
  atMs: number
  /** Current number. */
  sending: number
  arrived: number
  served: number
  failed: number
  retries: number
  breaks: number
  gaveUp: number
  sentBytes: number
  acknowledgedBytes: number
  /** Largest event-loop delay of this process, or delay of an arrival; if it is high, the measurements show the generator, not the service. */
  lateMs: number
  /** Whether the byte limit held clients back. */
  limited: boolean
  /** Latencies by kind of request, milliseconds. */
  latencies: Record<string, number[]>
  /** Responses of 400 and more, by method, status and code. */
  refusals: Record<string, number>
}

export type FromGenerator =
  | { kind: 'ready'; clients: number; bytes: number }
  | { kind: 'report'; report: GeneratorReport }
  | { kind: 'done'; outcomes: UploadOutcome[] }
  | { kind: 'error'; text: string }
