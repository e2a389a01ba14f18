// What the conductor and its generator processes tell each other; plain JSON over the channel between parent and child.

import type { PlannedUpload, PlanOptions } from '../plan/plan.ts'

export type GeneratorOrder = {
  plan: PlanOptions
  /** This process takes the uploads whose number leaves `share` when divided by `of`. */
  share: number
  of: number
  base: string
  apiKey: string
  /** In the names of submissions and in every file: no two runs have the same. */
  run: string
  /** Base64. */
  clips: string[]
  deadline: string
  graceSeconds: number
  /** Unix time at which the first may come, and by which the last gives up; milliseconds. */
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
  /** The code of the answer that was final, where one was. */
  failureCode?: string | undefined
  url?: string | undefined
  resumes: number
  breaks: number
  restarts: number
  sentBytes: number
  gaveUp: number
}

/** Since the report before. */
export type GeneratorReport = {
  atMs: number
  /** So many now. */
  sending: number
  arrived: number
  served: number
  failed: number
  retries: number
  breaks: number
  gaveUp: number
  sentBytes: number
  acknowledgedBytes: number
  /** How late this process was at its worst; when it is busy, its measurements are not the service's. */
  lateMs: number
  /** By what was asked: milliseconds. */
  latencies: Record<string, number[]>
  /** Answers of 400 and more, by method, status and code. */
  refusals: Record<string, number>
}

export type FromGenerator =
  | { kind: 'ready'; bytes: number }
  | { kind: 'report'; report: GeneratorReport }
  | { kind: 'done'; outcomes: UploadOutcome[] }
  | { kind: 'error'; text: string }
