// Uploads one file as a browser does, with the connection cut in the middle.

import { PortalError } from '../lib/portal.ts'
import { uploadByTus, willRetry } from '../lib/tus-upload.ts'
import { bytesInWords, timeInWords } from '../lib/words.ts'
import { fingerprintOf, type TriedFile } from './files.ts'
import type { Trial } from './trial.ts'

/** A smaller file is sent before the connection can be cut. */
const MIN_CUT_BYTES = 1024 * 1024

/** The upload is slowed down to this time, because on this machine it would finish too fast to watch. */
const LEAST_SECONDS = 1.5

/** Resolves with the upload's id, or undefined if the service refused it; both are printed by then. */
export async function sendFile(trial: Trial, file: TriedFile): Promise<string | undefined> {
  const { portal, page, submissionId } = trial
  const { source, name, slot } = file
  page.line(`   ${name} → ${slot}`)
  const ticket = await portal.ticket(submissionId, slot).catch(async (error: unknown) => {
    if (!(error instanceof PortalError)) throw error
    page.fail(`no ticket: ${error.message}`)
    if (error.code === 'SLOT_UNKNOWN') page.note(`slots: ${await slotsOf(trial)}`)
    return undefined
  })
  if (ticket === undefined) return undefined
  let fresh: string | undefined = ticket.ticket
  const startedMs = performance.now()
  let cutAtMs = 0
  let sent = 0
  const result = await uploadByTus({
    endpoint: ticket.tusEndpoint,
    source,
    metadata: { filename: name, fingerprint: await fingerprintOf(source) },
    ticket: async () => {
      const next = fresh ?? (await portal.ticket(submissionId, slot)).ticket
      fresh = undefined
      return next
    },
    bytesPerSecond: source.bytes >= MIN_CUT_BYTES ? source.bytes / LEAST_SECONDS : undefined,
    cutAt: source.bytes >= MIN_CUT_BYTES ? [Math.floor(source.bytes / 2)] : [],
    onCut: (offset) => {
      cutAtMs = performance.now()
      page.ok(`connection cut on purpose after ${bytesInWords(offset)} of ${bytesInWords(source.bytes)}`)
    },
    onAnswer: ({ method, status, offset, code }) => {
      if (code !== undefined && willRetry(status)) page.note(`${method} ${status} ${code}, retrying`)
      else if (method === 'HEAD' && offset !== undefined)
        page.ok(`resumed at ${bytesInWords(offset)}, ${timeInWords(performance.now() - cutAtMs)} after the cut`)
    },
    onBytes: (bytes) => {
      sent += bytes
      page.passing(`${bytesInWords(sent)} sent`)
    },
  })
  if (result.failure !== undefined) {
    page.fail(`upload failed: ${result.failure}`)
    return undefined
  }
  page.ok(`${bytesInWords(source.bytes)} stored in ${timeInWords(performance.now() - startedMs)}`)
  if (result.restarts > 0) page.fail('the upload restarted from byte 0')
  return result.url?.split('/').at(-1)
}

async function slotsOf({ portal, submissionId }: Trial): Promise<string> {
  const { slots } = await portal.submission(submissionId)
  return slots.map(({ slot }) => slot).join(', ')
}
