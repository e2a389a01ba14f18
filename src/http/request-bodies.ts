// Bounds of JSON bodies in time and depth: a dribbled body would hold its connection for hours, and a document that is
// nested thousands deep ends validators in a stack overflow.

import type { FastifyInstance, FastifyRequest } from 'fastify'
import { AppError } from '../core/errors.ts'
import { badRequest } from './errors.ts'

/** Far above any document of the API. */
const MAX_DEPTH = 64

/**
 * For all routes of an app: a body that is not whole in time is answered 408; one that nobody waits for any more ends
 * with its connection.
 *
 * @param isExempt routes that receive bodies in their own time, until they have answered
 */
export function limitBodyTime(
  app: FastifyInstance,
  timeoutMs: number,
  isExempt: (request: FastifyRequest) => boolean = () => false,
): void {
  app.addHook('onRequest', (request, reply, done) => {
    const { raw } = request
    if (!hasBody(request)) return done()
    let timer: NodeJS.Timeout | undefined
    const arm = () => {
      clearTimeout(timer)
      timer = setTimeout(() => {
        if (raw.complete) return
        // Not answered yet: Fastify's parser answers with this error. It is gone where the body is not parsed.
        if (!reply.raw.headersSent && raw.listenerCount('error') > 0) {
          void reply.header('connection', 'close')
          raw.emit('error', new AppError('REQUEST_TIMEOUT'))
        } else if (reply.raw.writableFinished) raw.destroy()
      }, timeoutMs)
      timer.unref()
    }
    if (!isExempt(request)) arm()
    reply.raw.once('finish', () => raw.complete || arm())
    raw.once('close', () => clearTimeout(timer))
    done()
  })
}

function hasBody({ headers }: FastifyRequest): boolean {
  return headers['transfer-encoding'] !== undefined || Number(headers['content-length'] ?? 0) > 0
}

/** Throws BAD_REQUEST. Reads the text, so that nothing that walks the document meets it. */
export function checkDepth(json: string): void {
  let depth = 0
  for (const [token] of json.matchAll(/"(?:[^"\\]|\\.)*"?|[[{]|[\]}]/gs)) {
    if (token === '[' || token === '{') depth++
    else if (token === ']' || token === '}') depth--
    if (depth > MAX_DEPTH)
      throw badRequest({ in: 'body', path: '', message: `is nested more than ${MAX_DEPTH} levels deep` })
  }
}
