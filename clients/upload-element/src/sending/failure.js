// What a failed upload request means: wait and retry, get a new ticket, start again, or show the refusal.

import { problemIn } from '../api.js'

/**
 * @typedef {{kind: 'wait', retryAfterMs: number | null, code: string} | {kind: 'ticket'} | {kind: 'anew'} | {kind: 'cancelled'} | {kind: 'taken'}
 *   | {kind: 'refused', message: {th: string, en: string} | null, code: string}} Failure
 */

/** tus-js-client treats 429 as final; it is not. Only a proxy would send it. */
const PASSING = [409, 423, 429]

/**
 * @param {any} error a DetailedError of tus-js-client, or whatever a browser throws
 * @returns {Failure}
 */
export function failureOf(error) {
  const response = error.originalResponse
  const status = response?.getStatus() ?? 0
  const problem = problemIn(response?.getBody() ?? '')
  const code = problem.code ?? (status === 0 ? 'NO_ANSWER' : `HTTP_${status}`)
  if (status === 0 || status >= 500 || PASSING.includes(status)) {
    const seconds = Number(response?.getHeader('Retry-After') ?? Number.NaN)
    return { kind: 'wait', retryAfterMs: Number.isFinite(seconds) ? seconds * 1000 : null, code }
  }
  if (code === 'UPLOAD_TAKEN_OVER') return { kind: 'taken' }
  // Responses to HEAD have no body: the request for a new ticket gets the reason.
  if (status === 401 || (status === 403 && problem.message === undefined)) return { kind: 'ticket' }
  if (code === 'UPLOAD_CANCELLED') return { kind: 'cancelled' }
  if (status === 404 || status === 410) return { kind: 'anew' }
  return { kind: 'refused', message: problem.message ?? null, code }
}

/**
 * For `onAfterResponse`. After any response to HEAD but 2xx and 423, tus-js-client 4.3.1 forgets the upload and starts again
 * from byte 0, even if only a proxy was restarted. It treats an error thrown here as a lost connection.
 * @param {any} request @param {any} response
 */
export function keepUrl(request, response) {
  const status = response.getStatus()
  if (request.getMethod() === 'HEAD' && (status >= 500 || status === 429))
    throw new Error(`HEAD was answered with ${status}; it is retried`)
}

const DELAYS_MS = [1000, 2000, 3000, 5000, 8000, 13_000, 20_000, 30_000]

/** Delay before the next try, with jitter, so that the pages of a school do not all return at once. */
export function delayMs(/** @type {number} */ attempt, /** @type {number | null} */ askedMs) {
  const base = DELAYS_MS[Math.min(attempt, DELAYS_MS.length - 1)] ?? 0
  return Math.max(base * (0.75 + Math.random() / 2), askedMs ?? 0)
}
