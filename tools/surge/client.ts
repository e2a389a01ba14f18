// One client: its portal creates the submission and a ticket, its browser uploads the file.

import type { ByteAllowance } from '../lib/byte-allowance.ts'
import { type Portal, PortalError } from '../lib/portal.ts'
import type { Source } from '../lib/source.ts'
import { type UploadResult, uploadByTus } from '../lib/tus-upload.ts'
import type { Measures } from './measures.ts'
import type { PlannedClient } from './plan.ts'
import type { HandedIn } from './verify.ts'

export const PROFILE = 'teacher.K4'
export const SLOT = 'teaching_video'

export type SurgeClient = {
  plan: PlannedClient
  submissionId: string
  source: Source
  sha256: string
}

export type ClientOutcome = {
  client: SurgeClient
  /** undefined: no upload was created. */
  upload: UploadResult | undefined
  /** Why not all bytes were acknowledged; undefined: they were. */
  failure: string | undefined
  /** The code of the answer that was final, if there was one. */
  failureCode: string | undefined
  /** From arrival to the last answer. */
  milliseconds: number
}

/** For the totals at the end. */
export function handedIn({ client, upload, failure, failureCode }: ClientOutcome): HandedIn {
  const { submissionId, sha256 } = client
  return { submissionId, sha256, url: upload?.url, failure, failureCode }
}

export type ClientDeps = {
  portal: Portal
  measures: Measures
  deadline: Date
  graceSeconds: number
  bytesPerSecond: number | undefined
  /** Of all clients together. */
  allowance: ByteAllowance | undefined
  signal: AbortSignal
}

/** Never rejects: an error is part of the outcome. */
export async function runClient(deps: ClientDeps, client: SurgeClient): Promise<ClientOutcome> {
  const { measures } = deps
  const startedMs = performance.now()
  measures.arrived += 1
  const end = (failure: string | undefined, code: string | undefined, upload?: UploadResult): ClientOutcome => {
    if (failure === undefined) measures.served += 1
    else measures.failed += 1
    return { client, upload, failure, failureCode: code, milliseconds: performance.now() - startedMs }
  }
  try {
    const upload = await send(deps, client)
    return end(upload.failure, upload.failureCode, upload)
  } catch (error) {
    if (error instanceof PortalError) return end(error.message, error.code)
    return end(error instanceof Error ? error.message : String(error), undefined)
  }
}

async function send(deps: ClientDeps, client: SurgeClient): Promise<UploadResult> {
  const { portal, measures, deadline, graceSeconds, bytesPerSecond, allowance, signal } = deps
  const { submissionId, source, plan } = client
  await portal.putSubmission(submissionId, {
    profile: PROFILE,
    deadline: deadline.toISOString(),
    graceSeconds,
    metadata: { made: 'by npm run surge' },
  })
  const first = await portal.ticket(submissionId, SLOT)
  let ticket: string | undefined = first.ticket
  measures.sending += 1
  try {
    return await uploadByTus({
      endpoint: first.tusEndpoint,
      source,
      metadata: { filename: `วีดิทัศน์การสอน ${plan.number}.mp4`, filetype: 'video/mp4' },
      ticket: async () => {
        const next = ticket ?? (await portal.ticket(submissionId, SLOT)).ticket
        ticket = undefined
        return next
      },
      cutAt: plan.cutAtByte === undefined ? [] : [plan.cutAtByte],
      bytesPerSecond,
      allowance,
      signal,
      onAnswer: (answer) => measures.answer(answer),
      onBytes: (bytes) => {
        measures.sentBytes += bytes
      },
      onCut: () => {
        measures.cuts += 1
      },
      onRetry: () => {
        measures.retries += 1
      },
    })
  } finally {
    measures.sending -= 1
  }
}
