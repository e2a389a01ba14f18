// Errors with a code of error-codes.ts.
// `problem()` makes the problem document (RFC 9457), which is also the body of a refused tus request.

import { type Bilingual, ERRORS, type ErrorCode } from './error-codes.ts'
import { isRedisTrouble } from './redis-errors.ts'

export { type Bilingual, ERRORS, type ErrorCode } from './error-codes.ts'

export type ErrorOptions = {
  /** Further members of the problem document: limit, actual, existingId, … Never secrets. */
  details?: Record<string, unknown>
  /** Another status for the same code, where the protocol needs one (HEAD: 423 instead of 503). */
  status?: number
  retryAfterSeconds?: number
  headers?: Record<string, string>
  cause?: unknown
}

/** An error with a code of ERRORS. Anything else that is thrown becomes INTERNAL. */
export class AppError extends Error {
  readonly code: ErrorCode
  readonly status: number
  readonly details: Record<string, unknown>
  readonly retryAfterSeconds: number | undefined
  readonly headers: Record<string, string>

  constructor(code: ErrorCode, options: ErrorOptions = {}) {
    super(ERRORS[code].en, options.cause === undefined ? undefined : { cause: options.cause })
    this.name = 'AppError'
    this.code = code
    this.status = options.status ?? ERRORS[code].status
    this.details = options.details ?? {}
    this.retryAfterSeconds = options.retryAfterSeconds
    this.headers = options.headers ?? {}
  }
}

export function hasCode(error: unknown, code: ErrorCode): error is AppError {
  return error instanceof AppError && error.code === code
}

export type Problem = {
  type: string
  title: string
  status: number
  code: string
  message: Bilingual
  [extra: string]: unknown
}

/** RFC 9457 problem document; `details` are extension members and never override the fixed ones. */
export function problem(error: AppError): Problem {
  const { th, en } = ERRORS[error.code]
  return {
    ...error.details,
    type: `urn:songngan:problem:${error.code}`,
    title: en,
    status: error.status,
    code: error.code,
    message: { th, en },
  }
}

/** Any thrown value as an AppError; the original is its `cause`. */
export function toAppError(thrown: unknown): AppError {
  if (thrown instanceof AppError) return thrown
  if (isRedisTrouble(thrown)) return new AppError('REDIS_UNAVAILABLE', { cause: thrown, retryAfterSeconds: 5 })
  return new AppError('INTERNAL', { cause: thrown })
}
