// Where the draft asks for more than one tus request does: the end of a body may be the end of the upload, although nobody knew its
// length before; and bytes for a complete upload have a refusal of their own.

import { AppError, hasCode } from '../core/errors.ts'
import { isStored } from '../records/upload-record.ts'
import { patchUpload } from './patch.ts'
import type { RequestSpan } from './request-span.ts'
import { TusRequest } from './tus-request.ts'
import { OFFSET_TYPE } from './tus-words.ts'
import type { UploadDeps } from './upload-deps.ts'

/**
 * PATCH of the draft. Resolves with the headers of its answer, as those of tus.
 *
 * @throws what `patchUpload` throws, and UPLOAD_FINISHED in the place of OFFSET_MISMATCH for a complete upload
 */
export async function appendDraft(
  deps: UploadDeps,
  request: TusRequest,
  id: string,
  span: RequestSpan,
): Promise<Record<string, string>> {
  try {
    const headers = await patchUpload(deps, request, id, span)
    await endDraft(deps, request, id, Number(headers['Upload-Offset']), span)
    return headers
  } catch (error) {
    if (hasCode(error, 'OFFSET_MISMATCH') && (await isComplete(deps, request, id)))
      // "If the upload is already complete, the server … MUST respond with a 400 (Bad Request) status code."
      throw new AppError('UPLOAD_FINISHED', {
        status: 400,
        headers: { 'Upload-Offset': String(error.details['offset']) },
        details: error.details,
        cause: error.cause,
      })
    throw error
  }
}

/**
 * After the body of a request of the draft. If that was the end of an upload of unknown length, its length is now known: a PATCH of tus without
 * bytes declares it.
 *
 * @param offset durable bytes
 * @throws TUS_HEADER_INVALID if bytes are missing up to the length that was declared
 */
export async function endDraft(
  deps: UploadDeps,
  request: TusRequest,
  id: string,
  offset: number,
  span: RequestSpan,
): Promise<void> {
  const { raw, draft, answer, baseUrl } = request
  const isChunked = raw.headers['transfer-encoding'] !== undefined
  // A body that was cut off is no end.
  if (draft?.completes !== true || !isChunked || !raw.complete || answer['Upload-Expires'] === undefined) return
  const started = Number(draft.headers['upload-offset'] ?? 0)
  // It was not read to its end here: an unfinished upload of the same file was found, or the process is ending.
  if (started + request.receivedBytes !== offset) return
  const end = new TusRequest(raw, request.res, { method: 'PATCH', id, baseUrl, headers: endHeaders(offset) })
  end.ticket = request.ticket
  await patchUpload(deps, end, id, span)
  if (end.answer['Upload-Expires'] === undefined) delete answer['Upload-Expires']
}

function endHeaders(offset: number) {
  return {
    'tus-resumable': '1.0.0',
    'content-type': OFFSET_TYPE,
    'upload-offset': String(offset),
    'upload-length': String(offset),
  }
}

async function isComplete({ locks }: UploadDeps, { ticketSlot }: TusRequest, id: string): Promise<boolean> {
  const seen = await locks.getStatus(id, ticketSlot)
  return 'record' in seen ? isStored(seen.record.state) : seen.state.status === 'stored'
}
