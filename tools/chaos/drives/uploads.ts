// Scenarios of sending a file, in which a process may die.

import { sha256 } from '../../../test/support/bytes.ts'
import { waitFor } from '../../../test/support/http.ts'
import { startTcpProxy } from '../../../test/support/proxy.ts'
import { idOf } from '../../../test/support/tus.ts'
import type { Sender } from '../../../test/support/tus-js.ts'
import type { Drive, End, Hand } from '../model.ts'
import { insist, insistOn, sendFile } from '../stage/client.ts'
import type { Stage } from '../stage/stage.ts'

export const MIB = 1024 ** 2
/** A connection slow enough to act in the middle of a file. */
const SLOW_BYTES_PER_SECOND = 2 * MIB

/** Several requests, and on S3 several parts and tails. */
export function sizes({ kind }: Stage): { length: number; chunkSize: number } {
  return kind === 'local' ? { length: 3 * MIB, chunkSize: MIB } : { length: 20 * MIB, chunkSize: 9 * MIB }
}

export async function begin(stage: Stage): Promise<{ submissionId: string; ticket: string }> {
  const submissionId = await stage.submission()
  return { submissionId, ticket: (await stage.portal.ticket(submissionId, 'film')).ticket }
}

export function hand(submissionId: string, id: string, bytes: Buffer, end: End = 'ready'): Hand {
  return { submissionId, files: [{ id, sha256: sha256(bytes), bytes: bytes.length, end }] }
}

/** The common case: a film in several requests. */
export const inPieces: Drive = async (stage, seed, arm) => {
  const { submissionId, ticket } = await begin(stage)
  const { length, chunkSize } = sizes(stage)
  const film = stage.films.film(length, seed)
  arm()
  const id = await sendFile(stage.service.url, ticket, film, { chunkSize }).done
  return hand(submissionId, id, film)
}

/** A small film in one request; on S3 its object carries its first record. */
export const small: Drive = async (stage, seed, arm) => {
  const { submissionId, ticket } = await begin(stage)
  const film = stage.films.film(MIB, seed)
  arm()
  return hand(submissionId, await sendFile(stage.service.url, ticket, film).done, film)
}

/** A film that must be encoded. */
export const toEncode: Drive = async (stage, seed, arm) => {
  const { submissionId, ticket } = await begin(stage)
  const film = stage.films.toEncode(seed)
  arm()
  const metadata = { filename: 'เก่า.mkv', filetype: 'video/x-matroska' }
  return hand(submissionId, await sendFile(stage.service.url, ticket, film, { metadata }).done, film)
}

/** Resolves when no job is at work or waiting. */
export async function idle({ queues }: Stage): Promise<void> {
  const isIdle = async () => {
    const counts = await Promise.all(
      (['validate', 'inspect', 'transcode', 'notify'] as const).map((lane) =>
        queues[lane].getJobCountByTypes('waiting', 'active', 'delayed', 'prioritized'),
      ),
    )
    return counts.every((count) => count === 0)
  }
  await waitFor(isIdle, { what: 'the worker to have nothing left to do' })
}

type SlowLine = Awaited<ReturnType<typeof startTcpProxy>>

/** A film over a slow connection; `act` is called in the middle of the upload. */
export function slowly(
  act: (on: {
    stage: Stage
    line: SlowLine
    sender: Sender
    ticket: string
    film: Buffer
    arm: () => void
  }) => Promise<Sender>,
  options: { bytesPerSecond?: number; actAtBytes?: number } = {},
): Drive {
  return async (stage, seed, arm) => {
    const { bytesPerSecond = SLOW_BYTES_PER_SECOND, actAtBytes = 1.5 * MIB } = options
    const { submissionId, ticket } = await begin(stage)
    const film = stage.films.film(4 * MIB, seed)
    const line = await startTcpProxy(stage.service.url)
    line.set({ bytesPerSecond })
    try {
      const sender = sendFile(line.url, ticket, film)
      await waitFor(() => line.sentBytes() > actAtBytes, { what: 'a part of the film to be sent' })
      const last = await act({ stage, line, sender, ticket, film, arm: () => arm() })
      return hand(submissionId, await last.done, film)
    } finally {
      line.reset()
      await line.stop()
    }
  }
}

/** Sends slowly until the received bytes are made durable during the request. */
export const checkpointed = slowly(
  async ({ sender, arm }) => {
    arm()
    return sender
  },
  { bytesPerSecond: 0.45 * MIB, actAtBytes: 0.5 * MIB },
)

/** HEAD during a PATCH. */
export const headed = slowly(async ({ stage, sender, ticket, arm }) => {
  arm()
  const headers = { 'tus-resumable': '1.0.0' }
  const path = new URL(sender.url() ?? '').pathname
  await insist('HEAD', `${stage.service.url}${path}`, { token: ticket, headers })
  return sender
})

/** The connection goes half-open, and another client resumes. */
export const takenOver = slowly(async ({ stage, line, sender, ticket, film, arm }) => {
  line.set({ halfOpen: true })
  arm()
  const uploadUrl = `${stage.service.url}/files/${idOf(sender.url() ?? '')}`
  const next = sendFile(stage.service.url, ticket, film, { uploadUrl })
  await next.done
  await sender.abandon()
  return next
})

/** The receiving process is killed; the next request must recover the upload. */
export const orphaned = slowly(async ({ stage, sender, arm }) => {
  arm()
  await stage.service.kill()
  return sender
})

/** Too small a byte budget: parts spill to disk. */
export const spilled: Drive = async (stage, seed, arm) => {
  const { submissionId, ticket } = await begin(stage)
  const film = stage.films.film(6 * MIB, seed)
  const tight = await stage.extraService({ RECEIVE_BUDGET_BYTES: String(MIB) })
  arm(tight)
  const id = await sendFile(tight.url, ticket, film).done
  return hand(submissionId, id, film)
}

/** Two partial uploads at the same time, joined by a final one. The last request is repeated until it is answered. */
export const inHalves: Drive = async (stage, seed, arm) => {
  const { submissionId, ticket } = await begin(stage)
  const film = stage.films.film(stage.kind === 'local' ? 2 * MIB : 12 * MIB, seed)
  const half = film.length / 2
  arm()
  const halves = [film.subarray(0, half), film.subarray(half)].map((bytes) => {
    const headers = { Authorization: `Bearer ${ticket}`, 'Upload-Concat': 'partial' }
    return sendFile(stage.service.url, ticket, bytes, { headers })
  })
  const ids = await Promise.all(halves.map(({ done }) => done))
  const headers = {
    'tus-resumable': '1.0.0',
    'upload-concat': `final;${ids.map((id) => `/files/${id}`).join(' ')}`,
    'upload-metadata': `filename ${Buffer.from('การสอน.mp4').toString('base64')}`,
  }
  const answer = await insistOn([201], 'POST', `${stage.service.url}/files`, { token: ticket, headers })
  return hand(submissionId, idOf(answer.headers.get('location') ?? ''), film)
}
