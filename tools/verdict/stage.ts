// An own installation on one store: Redis, the built service, workers by lane, a portal.

import { createReadStream } from 'node:fs'
import { mkdtemp, rm } from 'node:fs/promises'
import { request } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Queue } from 'bullmq'
import { Redis } from 'ioredis'
import { QUEUE_PREFIX } from '../../src/jobs/contract.ts'
import type { UploadDocument } from '../../src/submissions/document/schemas.ts'
import { startRedis } from '../../test/support/redis.ts'
import { startS3 } from '../../test/support/s3.ts'
import { type Running, startService, startWorker } from '../../test/support/service.ts'
import { Portal } from '../lib/portal.ts'
import type { StoreName } from './args.ts'
import type { Film } from './films.ts'

const API_KEY = 'verdict-secret-of-the-measurement'
/** A shipped profile, with the rules that apply to teachers. */
const PROFILE = 'teacher.K2@1'
const SLOT = 'teaching_video'
/** Poll interval: short enough for 0.01 s precision, long enough to add no load. */
export const POLL_MS = 25

export type Sent = { uploadId: string; submissionId: string; lastByteMs: number; answeredMs: number }
/** Seconds: the S3 server joins the parts, the job waits in its queue, the job runs. */
export type Steps = { join: number; wait: number; judge: number }
export type Stage = Awaited<ReturnType<typeof openStage>>

export async function openStage(store: StoreName) {
  const dir = await mkdtemp(join(tmpdir(), 'songngan-verdict-'))
  const redis = await startRedis({ appendOnly: true })
  const s3 = store === 's3' ? await startS3() : undefined
  const env = {
    REDIS_URL: redis.url,
    DATA_DIR: join(dir, 'data'),
    API_KEYS: `bench:${API_KEY}`,
    TICKET_SECRET: 'a secret of the bench that is long enough',
    ...(s3?.env ?? {}),
  }
  const from = 'dist'
  const running: Running[] = []
  const worker = async (lanes: string): Promise<Running> => {
    const one = await startWorker({ env: { ...env, WORKER_LANES: lanes }, from })
    running.push(one)
    await one.ready()
    return one
  }
  const service = await startService({ env, from })
  running.push(service)
  await service.ready()
  const portal = new Portal({ base: new URL(service.url), apiKey: API_KEY })
  const line = new Redis(redis.url, { maxRetriesPerRequest: null })
  const transcodes = new Queue('transcode', { connection: line, prefix: QUEUE_PREFIX })
  let submissions = 0

  return {
    dir,
    worker,
    portal,

    /** Sends a film as one PATCH. Times are of `performance.now()`. */
    async send(film: Film): Promise<Sent> {
      const submissionId = `verdict-${++submissions}`
      await portal.putSubmission(submissionId, { profile: PROFILE })
      const { ticket, tusEndpoint } = await portal.ticket(submissionId, SLOT)
      const headers = { 'Tus-Resumable': '1.0.0', Authorization: `Bearer ${ticket}` }
      const name = Buffer.from('lesson.mp4').toString('base64')
      const created = await fetch(tusEndpoint, {
        method: 'POST',
        headers: { ...headers, 'Upload-Length': String(film.bytes), 'Upload-Metadata': `filename ${name}` },
      })
      const location = created.headers.get('location')
      if (created.status !== 201 || location === null)
        throw new Error(`POST answered ${created.status}: ${await created.text()}`)
      const url = new URL(location, tusEndpoint)
      const times = await patch(url, film, headers)
      return { uploadId: url.pathname.split('/').at(-1) ?? '', submissionId, ...times }
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

    async close(): Promise<void> {
      await transcodes.close()
      line.disconnect()
      for (const one of running.reverse()) await one.kill('SIGKILL')
      await s3?.stop()
      await redis.stop()
      await rm(dir, { recursive: true, force: true })
    },
  }
}

function patch(
  url: URL,
  film: Film,
  headers: Record<string, string>,
): Promise<{ lastByteMs: number; answeredMs: number }> {
  return new Promise((resolve, reject) => {
    let lastByteMs = 0
    const sending = request(
      url,
      {
        method: 'PATCH',
        headers: {
          ...headers,
          'Upload-Offset': '0',
          'Content-Type': 'application/offset+octet-stream',
          'Content-Length': film.bytes,
        },
      },
      (response) => {
        const answeredMs = performance.now()
        response.resume()
        if (response.statusCode === 204) resolve({ lastByteMs, answeredMs })
        else reject(new Error(`PATCH answered ${response.statusCode}`))
      },
    )
    sending.on('error', reject)
    sending.on('finish', () => {
      lastByteMs = performance.now()
    })
    createReadStream(film.path, { highWaterMark: 1024 ** 2 })
      .on('error', reject)
      .pipe(sending)
  })
}
