// Error responses: errors of routes and of Fastify become problem documents (RFC 9457) with a code of
// ERRORS, in both languages. Unexpected errors are logged with their stack and answered as INTERNAL.

import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import { AppError, type ErrorCode, type ErrorOptions, problem, toAppError } from '../core/errors.ts'

export const PROBLEM_TYPE = 'application/problem+json; charset=utf-8'

/** Errors that Fastify throws before a route. Its other 4xx errors are BAD_REQUEST. */
const FASTIFY_CODES: Record<string, ErrorCode> = {
  FST_ERR_CTP_INVALID_JSON_BODY: 'BODY_NOT_JSON',
  FST_ERR_CTP_EMPTY_JSON_BODY: 'BODY_NOT_JSON',
  FST_ERR_CTP_BODY_TOO_LARGE: 'BODY_TOO_LARGE',
  FST_ERR_CTP_INVALID_MEDIA_TYPE: 'MEDIA_TYPE_UNSUPPORTED',
  FST_ERR_NOT_FOUND: 'NOT_FOUND',
  // Valid ids are shorter than the router's limit.
  FST_ERR_MAX_PARAM_LENGTH: 'ID_INVALID',
}

/** One error of a request. `path` is a JSON pointer into the named part. */
export type RequestError = { in: 'body' | 'query' | 'path' | 'header'; path: string; message: string }

/** BAD_REQUEST with its errors. */
export function badRequest(...errors: RequestError[]): AppError {
  return new AppError('BAD_REQUEST', { details: { errors } })
}

/** Any thrown value as an AppError. */
export function httpError(thrown: unknown): AppError {
  if (thrown instanceof AppError || !(thrown instanceof Error)) return toAppError(thrown)
  const { code, statusCode, validation, validationContext } = thrown as Error & {
    code?: string
    statusCode?: number
    validation?: { instancePath: string; message?: string }[]
    validationContext?: string
  }
  const from = (to: ErrorCode, options: ErrorOptions = {}) => new AppError(to, { ...options, cause: thrown })
  if (validation !== undefined) {
    const errors = validation.map(({ instancePath, message }) => ({
      in: partOf(validationContext),
      path: instancePath,
      message: message ?? 'is not valid',
    }))
    return from('BAD_REQUEST', { details: { errors } })
  }
  const known = FASTIFY_CODES[code ?? '']
  if (known !== undefined) return from(known)
  if (statusCode !== undefined && statusCode >= 400 && statusCode < 500)
    return from('BAD_REQUEST', { details: { detail: thrown.message } })
  return toAppError(thrown)
}

/** The part of the request, by Fastify's name. */
export function partOf(context: string | undefined): RequestError['in'] {
  if (context === 'querystring') return 'query'
  if (context === 'params') return 'path'
  return context === 'headers' ? 'header' : 'body'
}

/** For `setErrorHandler`, and as `frameworkErrors` for errors before routing. */
export function errorHandler(thrown: unknown, request: FastifyRequest, reply: FastifyReply): FastifyReply {
  const error = httpError(thrown)
  if (error.code === 'INTERNAL') request.log.error({ err: thrown }, 'unexpected error')
  else if (error.status >= 500) request.log.warn({ err: error, code: error.code }, 'refused with an error')
  return sendProblem(error, request, reply)
}

/** The response to a refused request: status, headers and problem document. */
function sendProblem(error: AppError, request: FastifyRequest, reply: FastifyReply): FastifyReply {
  const { status, headers, retryAfterSeconds } = error
  void reply.code(status).headers(headers).header('x-request-id', request.id).header('cache-control', 'no-store')
  if (retryAfterSeconds !== undefined) void reply.header('retry-after', String(retryAfterSeconds))
  // Serialized here, because the schemas of routes do not describe problem documents.
  return reply.type(PROBLEM_TYPE).send(JSON.stringify(problem(error)))
}

/** For `setNotFoundHandler` without knowledge of the routes. */
function notFoundHandler(request: FastifyRequest, reply: FastifyReply): FastifyReply {
  return sendProblem(new AppError('NOT_FOUND'), request, reply)
}

/**
 * Error handling of an application. Call it before the routes are registered: a path that exists with another
 * method is 405 with `Allow` (RFC 9110 section 15.5.6), not 404.
 */
export function useHttpErrors(app: FastifyInstance): void {
  const routes: { pattern: RegExp; methods: string[] }[] = []
  app.addHook('onRoute', ({ url, method }) => {
    routes.push({ pattern: patternOf(url), methods: [method].flat() })
  })
  app.setErrorHandler(errorHandler)
  app.setNotFoundHandler((request, reply) => {
    const path = request.url.split('?')[0] ?? ''
    const methods = routes.filter(({ pattern }) => pattern.test(path)).flatMap((route) => route.methods)
    if (methods.length === 0 || methods.includes(request.method)) return notFoundHandler(request, reply)
    const allow = [...new Set(methods)].join(', ')
    return sendProblem(new AppError('METHOD_NOT_ALLOWED', { headers: { allow } }), request, reply)
  })
}

/** `/v1/uploads/:id` and `/files/*` as expressions. */
function patternOf(url: string): RegExp {
  const literal = (text: string) => text.replace(/[.*+?^${}()|[\]\\]/g, '\\$&')
  const parts = url.split('/').map((part) => {
    if (part === '*') return '.*'
    return part.startsWith(':') ? '[^/]+' : literal(part)
  })
  return new RegExp(`^${parts.join('/')}$`)
}
