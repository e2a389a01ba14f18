// An own installation on one store: Redis, the built service, workers by lane, a portal.

import { createReadStream } from 'node:fs'
import { Queue } from 'bullmq'
import { Redis } from 'ioredis'
import { QUEUE_PREFIX } from '../../src/jobs/contract.ts'
import type { UploadDocument } from '../../src/submissions/document/schemas.ts'
import { API_KEY, type Installation, openInstallation } from '../../test/support/installation.ts'
import { idOf, tusUser } from '../../test/support/tus.ts'
import { Portal } from '../lib/portal.ts'
import type { StoreName } from './args.ts'
import type { Film } from './films.ts'

/** A shipped profile, with the rules that apply to teachers. */
const PROFILE = 'teacher.K2@1'
const SLOT = 'teaching_video'
/** Poll interval: short enough for 0.01 s precision, long enough to add no load. */
export const POLL_MS = 25

export type Sent = { uploadId: string; submissionId: string; lastByteMs: number; answeredMs: number }
/** Seconds: the S3 server joins the parts, the job waits in its queue, the job runs. */
export type Steps = { join: number; wait: number; judge: number }
export type Stage = Awaited<ReturnType<typeof openStage>>

export const openStage = (store: StoreName) => openInstallation({ store, from: 'dist' }, onInstallation)

async function onInstallation({ dir, redis, undo, close, running, ...installation }: Installation) {
  // Nobody waits for the films that are at work.
  undo.add(() => Promise.all(running.map((one) => one.kill('SIGKILL'))))
  const service = await installation.service()
  const portal = new Portal({ base: new URL(service.url), apiKey: API_KEY })
  const line = new Redis(redis.url, { maxRetriesPerRequest: null })
  undo.add(() => line.disconnect())
  const transcodes = new Queue('transcode', { connection: line, prefix: QUEUE_PREFIX })
  undo.add(() => transcodes.close())
  let submissions = 0

  return {
    dir,
    worker: (lanes: string) => installation.worker({ WORKER_LANES: lanes }),
    portal,

    /** Sends a film as one PATCH. Times are of `performance.now()`. */
    async send(film: Film): Promise<Sent> {
      const submissionId = `verdict-${++submissions}`
      await portal.putSubmission(submissionId, { profile: PROFILE })
      const { ticket } = await portal.ticket(submissionId, SLOT)
      const user = tusUser(service.url, ticket)
      const url = await user.create({ length: film.bytes, name: 'lesson.mp4' })
      const { raw, reply } = user.begin(url, 0, film.bytes)
      let lastByteMs = 0
      raw.on('finish', () => {
        lastByteMs = performance.now()
      })
      createReadStream(film.path, { highWaterMark: 1024 ** 2 })
        .on('error', (error) => raw.destroy(error))
        .pipe(raw)
      const { status } = await reply
      if (status !== 204) throw new Error(`PATCH answered ${status}`)
      return { uploadId: idOf(url), submissionId, lastByteMs, answeredMs: performance.now() }
    },

    /** Waits until `is` holds; returns the document and the time. */
    async until(uploadId: string, is: (upload: UploadDocument) => boolean, timeoutMs: number, pollMs = POLL_MS) {
      const endMs = performance.now() + timeoutMs
      for (;;) {
        const upload = await portal.upload(uploadId)
        if (is(upload)) return { upload, seenMs: performance.now() }
        if (performance.now() > endMs)
          throw new Error(`upload ${uploadId} is still ${upload.state} after ${timeoutMs / 1000} s`)
        await new Promise((resolve) => setTimeout(resolve, pollMs))
      }
    },

    async remove(submissionId: string): Promise<void> {
      const response = await fetch(new URL(`/v1/submissions/${submissionId}`, service.url), {
        method: 'DELETE',
        headers: { authorization: `Bearer ${API_KEY}` },
      })
      if (!response.ok) throw new Error(`DELETE answered ${response.status}: ${await response.text()}`)
    },

    /** Total time of each step of the verdicts so far, over all processes. */
    async spent(): Promise<Steps> {
      const texts = await Promise.all(
        running.map(async ({ opsUrl }) => await (await fetch(`${opsUrl}/metrics`)).text()),
      )
      const sum = (name: string, label: string) =>
        texts
          .flatMap((text) => text.split('\n'))
          .filter((line) => line.startsWith(`${name}_sum{`) && line.includes(label))
          .reduce((total, line) => total + Number(line.slice(line.lastIndexOf(' '))), 0)
      return {
        join: sum('s3_call_duration_seconds', 'operation="CompleteMultipartUpload"'),
        wait: sum('media_job_wait_seconds', 'queue="validate"'),
        judge: sum('media_job_duration_seconds', 'queue="validate"'),
      }
    },

    /** Transcodes that run, and that wait. */
    async backlog(): Promise<{ running: number; waiting: number }> {
      const counts = await transcodes.getJobCounts('active', 'waiting', 'prioritized')
      const { active = 0, waiting = 0, prioritized = 0 } = counts
      return { running: active, waiting: waiting + prioritized }
    },

    /** Duration of the transcode job of an upload, ms; undefined until it ends. */
    async transcodeMs(uploadId: string): Promise<number | undefined> {
      const jobs = await transcodes.getJobs(['completed', 'failed'])
      const job = jobs.find(({ data }) => (data as { uploadId?: string }).uploadId === uploadId)
      if (job?.finishedOn === undefined || job.processedOn === undefined) return undefined
      return job.finishedOn - job.processedOn
    },

    close,
  }
}
