// Network and process troubles: a cut, half-open or slow connection, a lost response, a duplicated request, a process that
// hangs for some time.

import { notifyJobId } from '../../../src/events/webhooks.ts'
import { waitFor } from '../../../test/support/http.ts'
import { startHttpProxy } from '../../../test/support/proxy.ts'
import { begin, hand, idle, inPieces, MIB, sizes, slowly, small, takenOver } from '../drives/uploads.ts'
import type { Drive, TroubleRow } from '../model.ts'
import { sendFile } from '../stage/client.ts'
import type { KillableProcess } from '../stage/killable.ts'

const HUNG_MS = 3000
/** Longer than the lock of a job. */
const HUNG_WORKER_MS = 4000

const pause = (ms: number) => new Promise<void>((resolve) => setTimeout(resolve, ms))

const cut = slowly(async ({ line, sender, arm }) => {
  for (const share of [1.5, 2.2, 3]) {
    await Promise.race([waitFor(() => line.sentBytes() > share * MIB), sender.done])
    line.cut()
    arm()
  }
  return sender
})

const slow = slowly(
  async ({ sender, arm }) => {
    arm()
    return sender
  },
  { bytesPerSecond: 0.6 * MIB, actAtBytes: 0.2 * MIB },
)

/** The request is processed, but its response is lost: of a POST, of a PATCH, of the last PATCH, of a HEAD. */
const lostResponses: Drive = async (stage, seed, arm) => {
  const { submissionId, ticket } = await begin(stage)
  const { length, chunkSize } = sizes(stage)
  const film = stage.films.film(length, seed)
  const line = await startHttpProxy(stage.service.url)
  const seen: Record<string, number> = {}
  line.fault({
    act: 'dropResponse',
    when: ({ method }) => {
      seen[method] = (seen[method] ?? 0) + 1
      const lost = (method === 'POST' && seen[method] === 1) || (method === 'PATCH' && seen[method] !== 2)
      if (lost) arm()
      return lost || (method === 'HEAD' && seen[method] === 1)
    },
  })
  try {
    // The proxy has another port; the service builds the Location from the Host header.
    return hand(submissionId, await sendFile(line.url, ticket, film, { chunkSize }).done, film)
  } finally {
    await line.stop()
  }
}

/** The same request twice at the same time, as a middlebox that repeats requests would send it. */
const twice: Drive = async (stage, seed, arm) => {
  const { submissionId, ticket } = await begin(stage)
  const film = stage.films.film(2 * MIB, seed)
  const first = sendFile(stage.service.url, ticket, film, { chunkSize: MIB / 2 })
  await first.sent(MIB / 2)
  await first.abandon()
  const url = first.url() ?? ''
  const headers = { authorization: `Bearer ${ticket}`, 'tus-resumable': '1.0.0' }
  const head = await fetch(url, { method: 'HEAD', headers })
  const offset = Number(head.headers.get('upload-offset'))
  const patch = () =>
    fetch(url, {
      method: 'PATCH',
      headers: {
        ...headers,
        'upload-offset': String(offset),
        'content-type': 'application/offset+octet-stream',
      },
      body: new Uint8Array(film.subarray(offset)),
    })
  const answers = await Promise.all([patch(), patch()])
  if (!answers.some(({ status }) => status === 204 || status === 400 || status === 409))
    throw new Error(`twice: ${answers.map(({ status }) => status).join(' ')}`)
  arm()
  return hand(submissionId, await sendFile(stage.service.url, ticket, film, { uploadUrl: url }).done, film)
}

const hung = slowly(async ({ stage, sender, arm }) => {
  stage.service.signal('SIGSTOP')
  await pause(HUNG_MS)
  stage.service.signal('SIGCONT')
  arm()
  return sender
})

/** For longer than the locks of its jobs. */
async function hang(worker: KillableProcess): Promise<void> {
  worker.signal('SIGSTOP')
  await pause(HUNG_WORKER_MS)
  worker.signal('SIGCONT')
}

/** The job's lock expires during the work and another run begins: only one run counts. */
const hungWorker: Drive = async (stage, seed, arm) => {
  const handed = await small(stage, seed, () => undefined)
  const id = handed.files[0]?.id ?? ''
  const started = async () => (await stage.portal.upload(id)).state !== 'stored'
  await waitFor(started, { what: 'the worker to start' })
  await hang(stage.worker)
  arm()
  return handed
}

/** A delivery's lock expires before the receiver answers, and another run begins: what is answered counts for both. */
const hungDelivery: Drive = async (stage, seed, arm) => {
  const { receiver, worker, queues } = stage
  // No file of another row is at work while the worker hangs once more.
  await idle(stage)
  const usual = receiver.reply
  const runsAgain = async (jobId: string) => {
    await hang(worker)
    const isRunAgain = async () => ((await queues.notify.getJob(jobId))?.attemptsStarted ?? 0) > 1
    await waitFor(isRunAgain, { what: `${jobId} to be run again` })
    arm()
  }
  const hung = new Promise<void>((resolve, reject) => {
    receiver.reply = async (delivery, count) => {
      receiver.reply = usual
      await runsAgain(notifyJobId(delivery.id, receiver.url)).then(resolve, reject)
      return await usual(delivery, count)
    }
  })
  const [handed] = await Promise.all([small(stage, seed, () => undefined), hung])
  return handed
}

/** Killed from outside, at no particular step. */
const killed = slowly(async ({ stage, sender, arm }) => {
  await stage.service.kill()
  arm()
  return sender
})

const restarted: Drive = async (stage, seed, arm) => {
  const handed = await inPieces(stage, seed, () => undefined)
  await stage.worker.kill()
  arm()
  return handed
}

export const LINE_TROUBLES: readonly TroubleRow[] = [
  { name: 'connection cut in the middle of a body, three times', what: 'network', drive: cut },
  { name: 'half-open connection, another client resumes', what: 'network', drive: takenOver },
  { name: 'slow connection', what: 'network', drive: slow },
  { name: 'responses lost after the work was done', what: 'network', drive: lostResponses },
  { name: 'a duplicated request', what: 'network', drive: twice },
  { name: 'hung for three seconds', what: 'service', drive: hung },
  { name: 'hung for longer than the lock of a delivery', what: 'worker', drive: hungDelivery },
  { name: 'hung for longer than its lock', what: 'worker', drive: hungWorker },
  { name: 'kill -9 in the middle of a body', what: 'service', drive: killed },
  { name: 'kill -9 during its jobs', what: 'worker', drive: restarted },
]
