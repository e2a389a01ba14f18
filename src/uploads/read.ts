// GET on an upload's URL, only with AUTH=none: the bytes of a complete upload, with Range. For gateways without a
// portal, and for external test suites; portals use links.

import { pipeline } from 'node:stream/promises'
import { AppError } from '../core/errors.ts'
import { withTimeout } from '../core/with-timeout.ts'
import { parseRange } from '../http/range.ts'
import { isStored, type UploadRecord } from '../records/upload-record.ts'
import type { TusRequest } from './tus-request.ts'
import type { UploadDeps } from './upload-deps.ts'

/** A reader waits this long for its file to be made one object; a large one of pieces takes longer on S3. */
const ASSEMBLY_WAIT_MS = 20_000

/**
 * Writes the answer itself. Throws METHOD_NOT_ALLOWED with tickets in use, UPLOAD_UNKNOWN while there is no file,
 * MEDIA_REMOVED, and MEDIA_NOT_READY with Retry-After for a file that is stored and cannot be read just now.
 */
export async function readUpload(deps: UploadDeps, request: TusRequest): Promise<void> {
  const { config, store } = deps
  if (config.tickets.auth !== 'none') throw new AppError('METHOD_NOT_ALLOWED')
  const record = await storedRecordOf(deps, request.id ?? '')
  await oneObject(deps, record)
  const total = record.receivedBytes
  const { res, raw } = request
  const range = parseRange(raw.headers.range, total)
  const headers: Record<string, string> = {
    ...request.answer,
    'Tus-Resumable': '1.0.0',
    'Accept-Ranges': 'bytes',
    'Cache-Control': 'no-store',
    // Untrusted bytes: never a type that browsers execute.
    'Content-Type': 'application/octet-stream',
    'Content-Disposition': 'attachment',
    'X-Content-Type-Options': 'nosniff',
  }
  if (range.kind === 'unsatisfiable') {
    res.writeHead(416, { ...headers, 'Content-Range': `bytes */${total}`, 'Content-Length': '0' }).end()
    return
  }
  const part = range.kind === 'part' ? range : undefined
  const bytes = part === undefined ? total : part.end - part.start + 1
  if (part !== undefined) headers['Content-Range'] = `bytes ${part.start}-${part.end}/${total}`
  headers['Content-Length'] = String(bytes)
  if (bytes === 0) {
    res.writeHead(200, headers).end()
    return
  }
  const body = await store.open(record.object.key, part).catch((error: unknown) => {
    // Its record says that it is stored: an object that is not to be seen yet is no unknown upload.
    const isMissing = error instanceof AppError && error.code === 'UPLOAD_UNKNOWN'
    throw isMissing ? notReady(record, error) : error
  })
  res.writeHead(part === undefined ? 200 : 206, headers)
  // The client disconnected: nothing to report.
  await pipeline(body, res).catch((error: unknown) => {
    if ((error as NodeJS.ErrnoException).code !== 'ERR_STREAM_PREMATURE_CLOSE') throw error
  })
}

async function storedRecordOf({ uploads }: UploadDeps, id: string): Promise<UploadRecord> {
  const known = await uploads.latest(id)
  // A version that is durable and of which Redis was not told was acknowledged all the same.
  const record = known?.state === 'receiving' ? await uploads.fromStore(id) : known
  if (record === undefined || !isStored(record.state)) throw new AppError('UPLOAD_UNKNOWN')
  const { mediaRemovedAt } = record
  if (mediaRemovedAt !== undefined) throw new AppError('MEDIA_REMOVED', { details: { mediaRemovedAt } })
  return record
}

/** Waits until the parts are one object, but not for ever. */
async function oneObject({ completion }: UploadDeps, record: UploadRecord): Promise<void> {
  if (record.object.parts === undefined) return
  await withTimeout(completion.assemble(record), ASSEMBLY_WAIT_MS, () => {
    throw notReady(record)
  })
}

function notReady({ state }: UploadRecord, cause?: unknown): AppError {
  return new AppError('MEDIA_NOT_READY', { details: { state }, retryAfterSeconds: 1, cause })
}
