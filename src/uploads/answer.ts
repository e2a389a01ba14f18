// Writing the answer to the raw response, with the ways of refusing a body that real clients survive.

import { problem } from '../core/errors.ts'
import { awaitsContinue } from '../http/server-answers.ts'
import type { TusRequest } from './tus-request.ts'

/** A remainder up to this is read and thrown away, so that the connection can be kept. */
const DRAIN_KEEP_BYTES = 256 * 1024
/** For so long at most. */
const DRAIN_MS = 10_000
/** A larger one is read for so long that the client sees the answer before the connection closes. */
const LINGER_MS = 1000
const LINGER_BYTES = 8 * 1024 * 1024

const STATUS_TEXTS: Record<number, string> = { 460: 'Checksum Mismatch' }

/** @param closing the process is about to end: its clients go on elsewhere */
export function answer(request: TusRequest, status: number, headers: Record<string, string>, closing: boolean): void {
  const { res } = request
  if (res.headersSent || res.destroyed) return
  const { error } = request
  const all: Record<string, string> = { 'Tus-Resumable': '1.0.0', ...headers, ...request.answer }
  let body = ''
  if (error !== undefined) {
    Object.assign(all, error.headers)
    if (error.retryAfterSeconds !== undefined) all['Retry-After'] = String(error.retryAfterSeconds)
    all['Content-Type'] = 'application/problem+json; charset=utf-8'
    all['Cache-Control'] = 'no-store'
    body = JSON.stringify(problem(error))
  }
  if (status !== 204) all['Content-Length'] = String(request.method === 'HEAD' ? 0 : Buffer.byteLength(body))
  // Who waits for 100 Continue sends nothing after a refusal.
  const refused = awaitsContinue(request.raw)
  const lingering = !refused && request.unreadBytes > DRAIN_KEEP_BYTES
  if (lingering || refused || closing) all['Connection'] = 'close'
  const text = STATUS_TEXTS[status]
  if (text === undefined) res.writeHead(status, all)
  else res.writeHead(status, text, all)
  if (request.method === 'HEAD') body = ''
  if (!lingering) {
    res.end(body)
    // What is left of the body must be read, or the next request on this connection could not be.
    request.raw.resume()
    if (request.unreadBytes > 0) endUnread(request, closing || refused ? LINGER_MS : DRAIN_MS)
    return
  }
  linger(request, body)
}

/** A remainder that comes slowly must not hold the connection, or the end of the process. */
function endUnread({ raw }: TusRequest, limitMs: number): void {
  const timer = setTimeout(() => raw.socket.destroySoon(), limitMs)
  const clear = () => clearTimeout(timer)
  raw.once('end', clear).once('close', clear)
}

/**
 * The client is still sending much. Closing at once would reset the connection and lose the answer on its way;
 * keeping it open would have a browser send the whole file into a refusal. So: answer, read a little, close.
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
