// Time from the last byte of an hour of film to its verdict, while transcodes run and wait.

import type { Film } from './films.ts'
import { POLL_MS, type Stage, type Steps } from './stage.ts'

export type Sample = {
  submissionId: string
  /** Seconds from the last byte handed to the kernel, and from the response to the PATCH. */
  afterLastByte: number
  afterAnswer: number
  sendSeconds: number
  steps: Steps
  state: string
  backlog: { running: number; waiting: number }
}

const VERDICT_MS = 120_000

/** Fills the transcode lane before its worker starts: `count` films that must be encoded. */
export async function fillBacklog(stage: Stage, film: Film, count: number): Promise<void> {
  const sent: string[] = []
  for (let n = 0; n < count; n++) sent.push((await stage.send(film)).uploadId)
  for (const uploadId of sent) {
    const { upload } = await stage.until(uploadId, isJudged, VERDICT_MS)
    if (!upload.accepted) throw new Error(`a film for the backlog was ${upload.state}: ${problems(upload)}`)
  }
}

export async function takeSample(stage: Stage, film: Film): Promise<Sample> {
  const before = await stage.spent()
  const startedMs = performance.now()
  const sent = await stage.send(film)
  const { upload, seenMs } = await stage.until(sent.uploadId, isJudged, VERDICT_MS)
  if (!upload.accepted) throw new Error(`the film was ${upload.state}: ${problems(upload)}`)
  const backlog = await stage.backlog()
  const after = await spentSince(stage, before)
  return {
    submissionId: sent.submissionId,
    afterLastByte: (seenMs - sent.lastByteMs) / 1000,
    afterAnswer: (seenMs - sent.answeredMs) / 1000,
    sendSeconds: (sent.answeredMs - startedMs) / 1000,
    steps: {
      join: after.join - before.join,
      wait: after.wait - before.wait,
      judge: after.judge - before.judge,
    },
    state: upload.state,
    backlog,
  }
}

/** Reads the job's duration from the metrics, which are updated shortly after the verdict. */
async function spentSince(stage: Stage, before: Steps): Promise<Steps> {
  const endMs = performance.now() + VERDICT_MS
  for (;;) {
    const after = await stage.spent()
    if (after.judge > before.judge) return after
    if (performance.now() > endMs) throw new Error('the metrics show no validate job')
    await new Promise((resolve) => setTimeout(resolve, POLL_MS))
  }
}

/** The SHA-256 is stored after every byte has been read. */
export function isInspected({ sha256 }: { sha256: string | null }): boolean {
  return sha256 !== null
}

export function isJudged({ state }: { state: string }): boolean {
  return !['receiving', 'stored', 'checking'].includes(state)
}

export function problems(upload: { problems: readonly { code: string }[] }): string {
  return upload.problems.map(({ code }) => code).join(', ')
}
