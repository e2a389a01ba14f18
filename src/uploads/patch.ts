// PATCH, without the library: lock, body, response.

import { AppError, hasCode } from '../core/errors.ts'
import { faultPoint } from '../core/fault-points.ts'
import { traceIn } from '../core/trace-context.ts'
import { acceptBody } from '../http/server-answers.ts'
import { finishUpload } from './finish.ts'
import type { Held } from './lock.ts'
import { offsetMismatch } from './offset-mismatch.ts'
import { type Received, receiveBody } from './reception.ts'
import type { RequestSpan } from './request-span.ts'
import { type TusRequest, waitForEmptyBody } from './tus-request.ts'
import type { UploadDeps } from './upload-deps.ts'

/**
 * Receives the body of a PATCH. Resolves with the headers of its 204.
 *
 * @throws what `UploadLocks.acquire` and `receiveBody` throw, UPLOAD_TOO_LARGE, TUS_HEADER_INVALID
 */
export async function patchUpload(
  deps: UploadDeps,
  request: TusRequest,
  id: string,
  span: RequestSpan,
): Promise<Record<string, string>> {
  const offset = Number(request.headers.get('upload-offset'))
  const held = await lock(deps, request, id, offset)
  if (held === 'complete') {
    acceptBody(request.raw, request.res)
    // tus-java-client ends uploads with this request; a refusal would show a failure to the person.
    if (!(await waitForEmptyBody(request, deps.config.uploads.idleTimeoutMs))) throw offsetMismatch(offset)
    return { 'Upload-Offset': String(offset) }
  }
  const { draft } = held.state
  request.draft?.limit(draft.maxBytes)
  const trace = span.begin(draft.trace ?? request.ticket?.trace)
  held.state.draft = { ...draft, ...traceIn(trace) }
  await declareLength(deps, request, held)
  const { offset: durable, finished } = await receive(deps, request, held)
  if (durable === held.state.size) finishUpload(deps, id, finished)
  return { 'Upload-Offset': String(durable) }
}

/** 'complete': the upload is stored, and the client is at its end. */
async function lock(
  { locks, metrics }: UploadDeps,
  { ticketSlot, raw }: TusRequest,
  id: string,
  offset: number,
): Promise<Held | 'complete'> {
  const waited = metrics.lockWait.startTimer()
  try {
    const held = await locks.acquire(id, { offset, request: raw, ...(ticketSlot === undefined ? {} : { ticketSlot }) })
    faultPoint('patch.lock-taken')
    return held
  } catch (error) {
    // An incomplete upload at this offset would have been locked.
    if (hasCode(error, 'OFFSET_MISMATCH') && error.details['offset'] === offset) return 'complete'
    throw error
  } finally {
    waited()
  }
}

/**
 * A request that lay on the way while its client began another one takes the upload from the newer one. Clients take 400 for
 * final, so the one that is alive asks for the offset and goes on instead.
 */
async function receive(deps: UploadDeps, request: TusRequest, held: Held): Promise<Received> {
  try {
    return await receiveBody(deps, request, held)
  } catch (error) {
    const isAlive = () => !request.res.closed
    if (hasCode(error, 'UPLOAD_TAKEN_OVER') && (await deps.locks.takenByGoneClient(held.state.draft.id, isAlive)))
      throw new AppError('UPLOAD_LOCKED', { retryAfterSeconds: 1 })
    throw error
  }
}

/** "Once it is known the Client MUST set the Upload-Length header in the next PATCH request"; the same again is no change. */
async function declareLength({ hot }: UploadDeps, { headers }: TusRequest, { state, fence }: Held): Promise<void> {
  const header = headers.get('upload-length')
  if (header === null || Number(header) === state.size) return
  const size = Number(header)
  const { id, maxBytes } = state.draft
  try {
    if (size > maxBytes) throw new AppError('UPLOAD_TOO_LARGE', { details: { limit: maxBytes, actual: size } })
    if (state.size !== null || size < state.offset || !(await hot.declareLength(id, fence, size)))
      throw new AppError('TUS_HEADER_INVALID', { details: { header: 'upload-length', actual: header } })
    state.size = size
  } catch (error) {
    await hot.release(id, fence)
    throw error
  }
}
