// Writes the raw response. Refuses request bodies in ways that real clients handle.

import { problem } from '../core/errors.ts'
import { awaitsContinue } from '../http/server-answers.ts'
import type { TusRequest } from './tus-request.ts'

/** An unread body up to this size is read and discarded, so that the connection can be kept. */
const DRAIN_KEEP_BYTES = 256 * 1024
/** Time limit for that. */
const DRAIN_MS = 10_000
/** A larger body is read for this time, so that the client gets the response before the connection closes. */
const LINGER_MS = 1000
const LINGER_BYTES = 8 * 1024 * 1024

const STATUS_TEXTS: Record<number, string> = { 460: 'Checksum Mismatch' }

/** @param closing the process is ending: close the connection, so that clients go to another process */
export function answer(request: TusRequest, status: number, headers: Record<string, string>, closing: boolean): void {
  const { res } = request
  if (res.headersSent || res.destroyed) return
  const { error } = request
  let all: Record<string, string> = { 'Tus-Resumable': '1.0.0', ...headers, ...request.answer }
  let body = ''
  if (error !== undefined) {
    Object.assign(all, error.headers)
    if (error.retryAfterSeconds !== undefined) all['Retry-After'] = String(error.retryAfterSeconds)
    all['Content-Type'] = 'application/problem+json; charset=utf-8'
    all['Cache-Control'] = 'no-store'
    body = JSON.stringify(request.draft?.problem(error) ?? problem(error))
  }
  if (request.draft !== undefined) all = request.draft.answer(request.method, status, all)
  if (status !== 204) all['Content-Length'] = String(request.method === 'HEAD' ? 0 : Buffer.byteLength(body))
  // A client that waits for 100 Continue sends no body after a refusal.
  const refused = awaitsContinue(request.raw)
  const lingering = !refused && request.unreadBytes > DRAIN_KEEP_BYTES
  if (lingering || refused || closing) all['Connection'] = 'close'
  const text = STATUS_TEXTS[status]
  if (text === undefined) res.writeHead(status, all)
  else res.writeHead(status, text, all)
  if (request.method === 'HEAD') body = ''
  if (!lingering) {
    res.end(body)
    // The rest of the body must be read before the next request on this connection.
    request.raw.resume()
    if (request.unreadBytes > 0) endUnread(request, closing || refused ? LINGER_MS : DRAIN_MS)
    return
  }
  linger(request, body)
}

/** A slow body must not keep the connection or the process open. */
function endUnread({ raw }: TusRequest, limitMs: number): void {
  const timer = setTimeout(() => raw.socket.destroySoon(), limitMs)
  const clear = () => clearTimeout(timer)
  raw.once('end', clear).once('close', clear)
}

/**
 * The client is still sending a large body. Closing at once would reset the connection and lose the response;
 * keeping it open would make a browser send the whole file. So: respond, read a little, close.
 */
function linger(request: TusRequest, body: string): void {
  const { raw, res } = request
  res.write(body)
  let read = 0
  const close = () => {
    clearTimeout(timer)
    raw.off('data', onData)
    if (!res.writableEnded) res.end()
    raw.socket.destroySoon()
  }
  const onData = (chunk: Buffer) => {
    read += chunk.length
    if (read > LINGER_BYTES) close()
  }
  const timer = setTimeout(close, LINGER_MS)
  raw.on('data', onData)
  raw.once('end', close)
  raw.once('close', close)
  raw.resume()
}
