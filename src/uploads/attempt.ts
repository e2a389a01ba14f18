// Every attempt to create is noted, also a refused one: who was turned away at 23:59 has proof of having been there.

import { parseMetadata } from './metadata.ts'
import type { TusRequest } from './tus-request.ts'
import type { UploadDeps } from './upload-deps.ts'

/** Notes how a POST ended; never fails it. `atMs`: when it came, which a wait for Redis must not move past midnight. */
export function noteAttempt(
  { attempts }: UploadDeps,
  request: TusRequest,
  uploadId: string | null,
  atMs: number,
): void {
  const { ticket, error, method } = request
  if (method !== 'POST' || ticket === null) return
  const length = request.headers.get('upload-length')
  const metadata = metadataOf(request)
  attempts.record({
    owner: ticket.owner,
    submissionId: ticket.submission,
    slot: ticket.slot,
    subject: ticket.subject,
    declared: {
      filename: metadata['filename'] ?? metadata['name'] ?? null,
      type: metadata['filetype'] ?? metadata['type'] ?? null,
      bytes: length === null || !/^\d+$/.test(length) ? null : Number(length),
    },
    outcome: error === undefined ? 'accepted' : 'refused',
    code: error?.code ?? null,
    uploadId,
    atMs,
  })
}

function metadataOf(request: TusRequest): Record<string, string | null> {
  try {
    return parseMetadata(request)
  } catch {
    // What cannot be read is why it was refused; the code says so.
    return {}
  }
}
