// GET on an upload's URL, under AUTH=none only: the bytes of a finished upload, with Range. For gateways that have no
// portal, and for foreign test suites; portals get links.

import { pipeline } from 'node:stream/promises'
import { AppError } from '../core/errors.ts'
import { parseRange } from '../http/range.ts'
import { isStored } from '../records/upload-record.ts'
import type { TusRequest } from './tus-request.ts'
import type { UploadDeps } from './upload-deps.ts'

/** Writes the answer itself. Throws METHOD_NOT_ALLOWED with tickets in use, UPLOAD_UNKNOWN while there is no file. */
export async function readUpload(
  { config, uploads, completion, store }: UploadDeps,
  request: TusRequest,
): Promise<void> {
  if (config.tickets.auth !== 'none') throw new AppError('METHOD_NOT_ALLOWED')
  const record = await uploads.latest(request.id ?? '')
  if (record === undefined || !isStored(record.state)) throw new AppError('UPLOAD_UNKNOWN')
  if (record.object.parts !== undefined) await completion.assemble(record)
  const total = record.receivedBytes
  const { res, raw } = request
  const range = parseRange(raw.headers.range, total)
  const headers: Record<string, string> = {
    ...request.answer,
    'Tus-Resumable': '1.0.0',
    'Accept-Ranges': 'bytes',
    'Cache-Control': 'no-store',
    // A stranger's bytes: never anything that a browser would run.
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
  const body = await store.open(record.object.key, part)
  res.writeHead(part === undefined ? 200 : 206, headers)
  // A reader that leaves ends the stream; there is nobody left to tell.
  await pipeline(body, res).catch((error: unknown) => {
    if ((error as NodeJS.ErrnoException).code !== 'ERR_STREAM_PREMATURE_CLOSE') throw error
  })
}
