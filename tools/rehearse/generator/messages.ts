// Messages between the conductor and its generator processes: plain JSON over the channel between parent and child.

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
  deadline: string
  graceSeconds: number
  /** Unix time (ms) at which the first client may arrive, and at which the last gives up. */
  startAtMs: number
  giveUpAtMs: number
}

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
  /** Largest event-loop delay of this process; if it is high, the measurements show the generator, not the service. */
  lateMs: number
  /** Latencies by kind of request, milliseconds. */
  latencies: Record<string, number[]>
  /** Responses of 400 and more, by method, status and code. */
  refusals: Record<string, number>
}

export type FromGenerator =
  | { kind: 'ready'; bytes: number }
  | { kind: 'report'; report: GeneratorReport }
  | { kind: 'done'; outcomes: UploadOutcome[] }
  | { kind: 'error'; text: string }
