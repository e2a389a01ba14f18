// Records every attempt to create an upload, also refused ones, as proof that somebody tried in time.

import { parseMetadata } from './metadata.ts'
import type { TusRequest } from './tus-request.ts'
import type { UploadDeps } from './upload-deps.ts'

/** Records the result of a POST; never fails it. `atMs`: when it arrived, since a wait for Redis must not count. */
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
    // Unreadable metadata: the error code says so.
    return {}
  }
}
