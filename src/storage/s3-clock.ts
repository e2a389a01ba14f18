// The clock of the store: S3 refuses signatures that are more than 15 minutes off. The SDK corrects its clock
// itself; for our own signatures it is corrected here after a refusal.

import type http from 'node:http'

/** Error codes for a wrong time of the signature. */
const REFUSALS = new Set(['RequestTimeTooSkewed', 'RequestExpired', 'RequestInTheFuture'])
/** Differences below this are ignored: responses take time, and dates are whole seconds. */
const TOLERANCE_MS = 4 * 60_000
const ASK_MS = 3000

export class StoreClock {
  #offsetMs = 0

  now(): number {
    return Date.now() + this.#offsetMs
  }

  /**
   * Whether a failed call should be signed again; the time is corrected then.
   *
   * @param error of S3 with the `date` of its response; without a response the store is asked for the time, since
   *   it may close the connection before its refusal can be read
   * @param ask returns the Date header of any response of the store
   */
  async wasWrong(
    error: { Code?: string; date?: string | undefined; $metadata?: object },
    ask: () => Promise<string | undefined>,
  ): Promise<boolean> {
    const refused = REFUSALS.has(error.Code ?? '')
    if (!refused && error.$metadata !== undefined) return false
    const storeMs = Date.parse((refused ? error.date : await ask()) ?? '')
    if (Number.isNaN(storeMs)) return false
    const moved = Math.abs(storeMs - this.now()) > TOLERANCE_MS
    if (moved) this.#offsetMs = storeMs - Date.now()
    // If it was not changed here, another call has corrected it since.
    return refused || moved
  }
}

/** The Date header of a response to an unsigned request; undefined if there is none in time. */
export async function dateOf(send: typeof http.request, url: URL): Promise<string | undefined> {
  return await new Promise((resolve) => {
    // On a new connection: those of the agent may be busy with bodies.
    const request = send(url, { method: 'HEAD', agent: false, timeout: ASK_MS })
    request.on('timeout', () => request.destroy())
    // The error does not matter here: the failed call reports it.
    request.on('error', () => resolve(undefined))
    request.on('response', (response) => {
      response.on('error', () => undefined).resume()
      resolve(response.headers.date)
    })
    request.end()
  })
}
