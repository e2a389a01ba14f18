// Errors of the operations listener: JSON with a stable code and one sentence, which the console shows.

import type { FastifyInstance, FastifyReply } from 'fastify'
import { type AppError, toAppError } from '../core/errors.ts'

/** Answers with the status, the code and Retry-After of an error. */
export function sendRefusal(
  reply: FastifyReply,
  { status, code, message, retryAfterSeconds = 1 }: AppError,
): FastifyReply {
  return reply.code(status).header('retry-after', String(retryAfterSeconds)).send({ code, error: message })
}

/** Redis that is away is 503 REDIS_UNAVAILABLE on every route, and no unexpected error. */
export function useRefusals(app: FastifyInstance): void {
  app.setErrorHandler((thrown, _request, reply) => {
    const error = toAppError(thrown)
    // What is unexpected, and errors of Fastify itself, go on to its own handler, which logs them.
    if (error.code === 'INTERNAL') throw thrown
    return sendRefusal(reply, error)
  })
}
