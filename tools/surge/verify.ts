// After the surge: compares the service's documents and bytes of every client's file with the file that was sent.

import { createHash } from 'node:crypto'
import type { Listed, Portal } from '../lib/portal.ts'
import type { EventReader, UploadEvents } from './events.ts'

/** The outcome of one client. */
export type HandedIn = {
  submissionId: string
  sha256: string
  url?: string | undefined
  /** Why not all bytes were acknowledged; undefined: they were. */
  failure?: string | undefined
  /** The code of the answer that was final, if there was one. */
  failureCode?: string | undefined
}

export type Finding = {
  /**
   * `served`: acknowledged and complete in the store. `refused`: permanently refused. `unfinished`: neither within the
   * time limit. `lost`: acknowledged, but missing or different in the store.
   */
  end: 'served' | 'refused' | 'unfinished' | 'lost'
  why: string | undefined
  /** Number of finished uploads and of verdicts of this client beyond one each. */
  duplicates: number
  /** accepted, rejected, …; undefined if there is no upload. */
  state: string | undefined
  problems: string[]
  verdictMs: number | undefined
  readyMs: number | undefined
}

/** Judges one client from what was sent, what is stored, and the events. Pure. */
export function judge(
  outcome: HandedIn,
  uploads: readonly Listed[],
  events: UploadEvents,
  downloadedSha256: string | undefined,
): Finding {
  const id = outcome.url?.split('/').at(-1)
  const own = uploads.find((upload) => upload.id === id)
  const finished = uploads.filter(({ storedAt }) => storedAt !== null).length
  const storedMs = own?.storedAt ? Date.parse(own.storedAt) : undefined
  const since = (atMs: number | undefined) =>
    storedMs === undefined || atMs === undefined ? undefined : atMs - storedMs
  const found = (end: Finding['end'], why?: string): Finding => ({
    end,
    why,
    state: own?.state,
    duplicates: Math.max(0, finished - 1) + Math.max(0, events.verdictsMs.length - 1),
    problems: (own?.problems ?? []).filter(({ severity }) => severity === 'reject').map(({ code }) => code),
    verdictMs: since(events.verdictsMs[0]),
    readyMs: since(events.readyMs),
  })
  if (outcome.failure !== undefined)
    return found(outcome.failureCode === undefined ? 'unfinished' : 'refused', outcome.failure)
  if (own === undefined) return found('lost', `upload ${id} is unknown`)
  if (own.storedAt === null) return found('lost', `upload ${id} is ${own.state}, without its last byte`)
  if (own.state === 'expired' || own.state === 'cancelled') return found('lost', `upload ${id} is ${own.state}`)
  const sha256 = own.sha256 ?? downloadedSha256
  if (sha256 === undefined) return found('lost', `upload ${id} can be neither hashed nor downloaded`)
  if (sha256 !== outcome.sha256) return found('lost', `upload ${id} has other bytes than the file that was sent`)
  return found('served')
}

const AT_A_TIME = 8

/** Asks for every client's uploads; originals that the service has not hashed yet are downloaded and hashed here. */
export async function verifyAll(
  portal: Portal,
  events: EventReader,
  outcomes: readonly HandedIn[],
): Promise<Finding[]> {
  const findings: Finding[] = []
  const queue = outcomes.entries()
  const work = async () => {
    for (const [index, outcome] of queue) findings[index] = await verifyOne(portal, events, outcome)
  }
  await Promise.all(Array.from({ length: AT_A_TIME }, work))
  return findings
}

async function verifyOne(portal: Portal, events: EventReader, outcome: HandedIn): Promise<Finding> {
  const id = outcome.url?.split('/').at(-1)
  if (id === undefined) return judge(outcome, [], events.of(''), undefined)
  const uploads = await portal.uploads(outcome.submissionId)
  const own = uploads.find((upload) => upload.id === id)
  const toDownload = outcome.failure === undefined && own !== undefined && own.sha256 === null
  const sha256 = toDownload ? await downloadedSha256(portal, id) : undefined
  return judge(outcome, uploads, events.of(id), sha256)
}

/** undefined if the service does not offer the original. */
async function downloadedSha256(portal: Portal, uploadId: string): Promise<string | undefined> {
  const link = (await portal.links(uploadId)).find(({ name }) => name === 'original')
  if (link === undefined) return undefined
  const response = await fetch(link.url)
  if (response.status !== 200 || response.body === null) return undefined
  const hash = createHash('sha256')
  for await (const chunk of response.body as AsyncIterable<Uint8Array>) hash.update(chunk)
  return hash.digest('hex')
}
