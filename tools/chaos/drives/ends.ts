// Scenarios that end an upload or a submission: terminated, expired, sealed, returned, with a receipt, deleted by
// retention, a lost job.

import { Worker } from 'bullmq'
import { QUEUE_PREFIX } from '../../../src/jobs/contract.ts'
import { waitFor } from '../../../test/support/http.ts'
import { idOf } from '../../../test/support/tus.ts'
import type { Drive, Hand } from '../model.ts'
import { insist, insistOn, sendFile } from '../stage/client.ts'
import type { Stage } from '../stage/stage.ts'
import { begin, hand, idle, MIB, sizes, small } from './uploads.ts'

const nothing = () => undefined

/** Sends a first piece, then disconnects. */
async function leftUnfinished(stage: Stage, origin: string, ticket: string, film: Buffer): Promise<string> {
  const { chunkSize } = sizes(stage)
  let pieces = 0
  let stop: (() => void) | undefined
  const stopped = new Promise<void>((resolve) => {
    stop = resolve
  })
  const sender = sendFile(origin, ticket, film, {
    chunkSize,
    onChunkComplete: () => {
      if (++pieces === 1) stop?.()
    },
  })
  await Promise.race([stopped, sender.done])
  await sender.abandon()
  return idOf(sender.url() ?? '')
}

export const terminated: Drive = async (stage, seed, arm) => {
  const { submissionId, ticket } = await begin(stage)
  const film = stage.films.film(sizes(stage).length, seed)
  const id = await leftUnfinished(stage, stage.service.url, ticket, film)
  arm()
  const headers = { 'tus-resumable': '1.0.0' }
  // 410: the first request did it, but its process died before the response.
  await insistOn([204, 410], 'DELETE', `${stage.service.url}/files/${id}`, { token: ticket, headers })
  return hand(submissionId, id, film, 'cancelled')
}

/** Erased with its submission, with a first piece of it there. */
export const submissionErased: Drive = async (stage, seed, arm) => {
  const { submissionId, ticket } = await begin(stage)
  const film = stage.films.film(sizes(stage).length, seed)
  const id = await leftUnfinished(stage, stage.service.url, ticket, film)
  // While a delivery is at work its submission waits for the reconciler, in another process.
  await idle(stage)
  arm()
  await insistOn([204], 'DELETE', `${stage.service.url}/v1/submissions/${submissionId}`)
  return hand(submissionId, id, film, 'erased')
}

export const expired: Drive = async (stage, seed, arm) => {
  const { submissionId, ticket } = await begin(stage)
  const film = stage.films.film(sizes(stage).length, seed)
  const shortLived = await stage.extraService({ UPLOAD_EXPIRY_HOURS: '0.0005' })
  const id = await leftUnfinished(stage, shortLived.url, ticket, film)
  arm()
  const url = `${stage.service.url}/files/${id}`
  await waitFor(
    async () => {
      await stage.hurry()
      await stage.maintain('reconcile')
      const { status } = await insist('HEAD', url, { token: ticket, headers: { 'tus-resumable': '1.0.0' } })
      return status === 410 || status === 404
    },
    { intervalMs: 500, what: 'an upload to expire' },
  )
  return hand(submissionId, id, film, 'expired')
}

export async function accepted(stage: Stage, id: string): Promise<void> {
  const seen = async () => (await stage.portal.upload(id)).accepted
  await waitFor(seen, { intervalMs: 100, what: `${id} to be accepted` })
}

/** Sealed while another upload is unfinished; the seal cancels that one. */
export const sealed: Drive = async (stage, seed, arm) => {
  const handed = await small(stage, seed, nothing)
  const { submissionId, files } = handed
  const { ticket } = await stage.portal.ticket(submissionId, 'extra')
  const other = stage.films.film(sizes(stage).length, `${seed} extra`)
  const otherId = await leftUnfinished(stage, stage.service.url, ticket, other)
  for (const { id } of files) await accepted(stage, id)
  arm()
  await insistOn([200], 'POST', `${stage.service.url}/v1/submissions/${submissionId}/seal`, { body: {} })
  return { submissionId, files: [...files, ...hand(submissionId, otherId, other, 'cancelled').files] }
}

export const returned: Drive = async (stage, seed, arm) => {
  const handed = await sealed(stage, seed, nothing)
  arm()
  const body = { reason: 'once more' }
  const url = `${stage.service.url}/v1/submissions/${handed.submissionId}/return`
  await insistOn([200], 'POST', url, { body })
  return handed
}

/** Fetches a receipt and verifies it. */
export const receipted: Drive = async (stage, seed, arm) => {
  const handed = await small(stage, seed, nothing)
  arm()
  const id = handed.files[0]?.id ?? ''
  const { text } = await insistOn([200], 'GET', `${stage.service.url}/v1/uploads/${id}/receipt`)
  const { receipt } = JSON.parse(text) as { receipt: string }
  const url = `${stage.service.url}/v1/receipts/verify`
  const verified = await insistOn([200], 'POST', url, { body: { receipt } })
  if (!verified.text.includes(id)) throw new Error(`the receipt is for another upload: ${verified.text}`)
  return handed
}

/** A rejected file whose retention has ended. */
export const erased: Drive = async (stage, seed, arm): Promise<Hand> => {
  const { submissionId, ticket } = await begin(stage)
  const film = stage.films.tooLong(seed)
  const id = await sendFile(stage.service.url, ticket, film).done
  const rejected = async () => (await stage.portal.upload(id)).state === 'rejected'
  await waitFor(rejected, { intervalMs: 100, what: `${id} to be rejected` })
  arm()
  await stage.maintain('retention')
  return hand(submissionId, id, film, 'rejected')
}

/** The job ends without a verdict; only the record shows that the lane is still due. */
export const jobLost: Drive = async (stage, seed, arm) => {
  const { submissionId, ticket } = await begin(stage)
  const film = stage.films.film(MIB, seed)
  stage.worker.signal('SIGSTOP')
  try {
    const id = await sendFile(stage.service.url, ticket, film).done
    await completeWithoutVerdict(stage, `validate-${id}-g1`)
    arm()
    await stage.hurry()
    await stage.maintain('reconcile')
    return hand(submissionId, id, film)
  } finally {
    stage.worker.signal('SIGCONT')
  }
}

async function completeWithoutVerdict(stage: Stage, jobId: string): Promise<void> {
  const { validate } = stage.queues
  await waitFor(() => validate.getJob(jobId), { what: `${jobId} to be queued` })
  const options = { connection: stage.admin.duplicate(), prefix: QUEUE_PREFIX }
  const idleWorker = new Worker('validate', () => Promise.resolve('nothing'), options)
  try {
    await waitFor(async () => (await validate.getJobState(jobId)) === 'completed', {
      what: `${jobId} to end`,
    })
  } finally {
    await idleWorker.close()
    options.connection.disconnect()
  }
}
