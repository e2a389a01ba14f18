// One teacher: the portal creates a submission and a ticket, the browser or phone uploads the file.

import { type Portal, PortalError } from '../../lib/portal.ts'
import { type UploadResult, uploadByTus } from '../../lib/tus-upload.ts'
import { metadataOf, SLOT_OF } from '../files/make.ts'
import type { RehearsalFile } from '../files/rehearsal-file.ts'
import type { Counts } from '../generator/counts.ts'
import type { UploadOutcome } from '../generator/messages.ts'
import type { PlannedUpload } from '../plan/plan.ts'
import { type LeanResult, uploadLean } from './lean-upload.ts'
import type { Pacer } from './pacer.ts'

export const PROFILE = 'teacher.K4'

export type TeacherDeps = {
  portal: Portal
  counts: Counts
  pacer: Pacer
  run: string
  deadline: string
  graceSeconds: number
  signal: AbortSignal
}

type Sent = Omit<LeanResult, 'failure' | 'failureCode'> & Pick<LeanResult, 'failure' | 'failureCode'>

const NOTHING: Sent = {
  failure: undefined,
  failureCode: undefined,
  url: undefined,
  resumes: 0,
  breaks: 0,
  restarts: 0,
  sentBytes: 0,
  gaveUp: 0,
}

/** Never rejects: an error is part of the outcome. */
export async function liveTeacher(deps: TeacherDeps, plan: PlannedUpload, file: RehearsalFile): Promise<UploadOutcome> {
  const { counts, run } = deps
  const submissionId = `rehearsal-${run}-${plan.number}`
  const arrivedMs = Date.now()
  counts.add('arrived')
  const sent = await handIn(deps, plan, file, submissionId).catch(
    (error: unknown): Sent => ({
      ...NOTHING,
      failure: error instanceof Error ? error.message : String(error),
      failureCode: error instanceof PortalError ? error.code : undefined,
    }),
  )
  counts.add(sent.failure === undefined ? 'served' : 'failed')
  counts.add('gaveUp', sent.gaveUp)
  return { ...sent, plan, submissionId, sha256: file.sha256, arrivedMs, endedMs: Date.now() }
}

async function handIn(
  deps: TeacherDeps,
  plan: PlannedUpload,
  file: RehearsalFile,
  submissionId: string,
): Promise<Sent> {
  const { portal, counts, deadline, graceSeconds, run, signal, pacer } = deps
  const slot = SLOT_OF[plan.kind]
  await portal.putSubmission(submissionId, { profile: PROFILE, deadline, graceSeconds })
  const first = await portal.ticket(submissionId, slot)
  let kept: string | undefined = first.ticket
  const ticket = async () => {
    const next = kept ?? (await portal.ticket(submissionId, slot)).ticket
    kept = undefined
    return next
  }
  const job = {
    endpoint: first.tusEndpoint,
    metadata: metadataOf(plan, run),
    ticket,
    signal,
    onAnswer: (answer: Parameters<Counts['answer']>[0]) => counts.answer(answer),
    onBytes: (bytes: number) => counts.add('sentBytes', bytes),
    onCut: () => counts.add('breaks'),
    onRetry: () => counts.add('retries'),
  }
  counts.sending += 1
  try {
    if (plan.real) return asLean(await uploadByTus({ ...job, ...realLine(plan, file) }))
    const onProgress = (bytes: number) => counts.add('acknowledgedBytes', bytes)
    return await uploadLean({ ...job, file, pacer, line: plan.line, onProgress })
  } finally {
    counts.sending -= 1
  }
}

/** The sockets of tus-js-client can only be cut; that is enough for the few of them. */
function realLine({ line, fileBytes }: PlannedUpload, source: RehearsalFile) {
  const cutAt = line.breaks.map(({ at }) => Math.floor(at * fileBytes))
  return { source, cutAt, bytesPerSecond: line.bytesPerSecond }
}

function asLean({ resumedAt, cuts, failure, failureCode, url, restarts, sentBytes }: UploadResult): Sent {
  return {
    ...NOTHING,
    failure,
    failureCode,
    url,
    restarts,
    sentBytes,
    breaks: cuts,
    resumes: resumedAt.length,
  }
}
