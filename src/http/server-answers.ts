// Responses that Node's HTTP server sends before any route: 100 Continue, and refusals of invalid requests.

import type { IncomingMessage, Server, ServerResponse } from 'node:http'
import type { Socket } from 'node:net'
import { AppError, type ErrorCode, problem } from '../core/errors.ts'
import { PROBLEM_TYPE } from './errors.ts'

/** Requests whose client waits for 100 Continue before it sends its body. */
const waiting = new WeakSet<IncomingMessage>()

/**
 * "A server … MAY omit sending a 100 (Continue) response" (RFC 9110, 10.1.1): it is sent when the head has been accepted
 * (`acceptBody`), so that a refusal comes before the body. Half-closed clients get their response.
 */
export function holdContinue(server: Server): void {
  // A client may half-close after the request. Not in Node's types.
  Object.assign(server, { httpAllowHalfOpen: true })
  server.on('checkContinue', (request: IncomingMessage, response: ServerResponse) => {
    waiting.add(request)
    server.emit('request', request, response)
  })
  server.on('checkExpectation', (_request: IncomingMessage, response: ServerResponse) => {
    const error = new AppError('EXPECTATION_UNSUPPORTED')
    response.writeHead(error.status, { 'Content-Type': PROBLEM_TYPE, Connection: 'close' })
    response.end(JSON.stringify(problem(error)))
  })
}

/** The headers are accepted: sends 100 Continue to a client that waits for it. */
export function acceptBody(request: IncomingMessage, response: ServerResponse): void {
  if (waiting.delete(request) && !response.headersSent) response.writeContinue()
}

/** True while the client waits for it: after a refusal it sends no body. */
export function awaitsContinue(request: IncomingMessage): boolean {
  return waiting.has(request)
}

const CLIENT_ERRORS: Record<string, ErrorCode> = {
  ERR_HTTP_REQUEST_TIMEOUT: 'REQUEST_TIMEOUT',
  HPE_HEADER_OVERFLOW: 'HEADERS_TOO_LARGE',
}

/** For Fastify's `clientErrorHandler`: invalid (RFC 9112) or too slow requests get a problem document. */
export function refuseClient(thrown: Error & { code?: string }, socket: Socket): void {
  if (thrown.code === 'ECONNRESET' || socket.destroyed) return
  // Not if a response was already started.
  if (socket.writable && socket.bytesWritten === 0) {
    const error = new AppError(CLIENT_ERRORS[thrown.code ?? ''] ?? 'BAD_REQUEST')
    const body = JSON.stringify(problem(error))
    socket.write(
      `HTTP/1.1 ${error.status} ${STATUS_TEXTS[error.status] ?? ''}\r\nContent-Type: ${PROBLEM_TYPE}\r\n` +
        `Content-Length: ${Buffer.byteLength(body)}\r\nConnection: close\r\n\r\n${body}`,
    )
  }
  socket.destroySoon()
}

const STATUS_TEXTS: Record<number, string> = {
  400: 'Bad Request',
  408: 'Request Timeout',
  431: 'Request Header Fields Too Large',
}
