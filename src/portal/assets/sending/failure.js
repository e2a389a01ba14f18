// What a failed request of the upload means: wait and try again, get a new ticket, begin anew, or tell the person.

import { problemIn } from '../api.js'

/**
 * @typedef {{kind: 'wait', retryAfterMs: number | null} | {kind: 'ticket'} | {kind: 'anew'} | {kind: 'cancelled'} | {kind: 'taken'}
 *   | {kind: 'refused', message: {th: string, en: string} | null, code: string}} Failure
 */

/** tus-js-client takes 429, which only a proxy would send, for final; it is not. */
const PASSING = [409, 423, 429]

/**
 * @param {any} error a DetailedError of tus-js-client, or whatever a browser throws
 * @returns {Failure}
 */
export function failureOf(error) {
  const response = error.originalResponse
  const status = response?.getStatus() ?? 0
  const problem = problemIn(response?.getBody() ?? '')
  const code = problem.code ?? `HTTP_${status}`
  if (status === 0 || status >= 500 || PASSING.includes(status)) {
    const seconds = Number(response?.getHeader('Retry-After') ?? Number.NaN)
    return { kind: 'wait', retryAfterMs: Number.isFinite(seconds) ? seconds * 1000 : null }
  }
  if (code === 'UPLOAD_TAKEN_OVER') return { kind: 'taken' }
  // Answers to HEAD have no words: who asks for a ticket is told why there is none.
  if (status === 401 || (status === 403 && problem.message === undefined)) return { kind: 'ticket' }
  if (code === 'UPLOAD_CANCELLED') return { kind: 'cancelled' }
  if (status === 404 || status === 410) return { kind: 'anew' }
  return { kind: 'refused', message: problem.message ?? null, code }
}

/**
 * For `onAfterResponse`. After any answer but 2xx and 423 to HEAD, tus-js-client 4.3.1 forgets the upload and begins again
 * from byte 0, also when a proxy has merely been restarted. An error thrown here is, to it, a line that was cut.
 * @param {any} request @param {any} response
 */
export function keepUrl(request, response) {
  const status = response.getStatus()
  if (request.getMethod() === 'HEAD' && (status >= 500 || status === 429))
    throw new Error(`HEAD answered ${status}: to be asked again`)
}

const DELAYS_MS = [1000, 2000, 3000, 5000, 8000, 13_000, 20_000, 30_000]

/** How long to wait before the next try; spread out, so that the pages of a school do not all come back in one instant. */
export function delayMs(/** @type {number} */ attempt, /** @type {number | null} */ askedMs) {
  const base = DELAYS_MS[Math.min(attempt, DELAYS_MS.length - 1)] ?? 0
  return Math.max(base * (0.75 + Math.random() / 2), askedMs ?? 0)
}
