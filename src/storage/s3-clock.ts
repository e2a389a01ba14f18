// What time it is by the store: S3 refuses what was signed more than a quarter of an hour off. The SDK learns of it with
// each of its calls; what is signed by hand learns here, once it is refused.

import type http from 'node:http'

/** What S3 says to a signature of another hour. */
const REFUSALS = new Set(['RequestTimeTooSkewed', 'RequestExpired', 'RequestInTheFuture'])
/** Nothing to speak of: an answer is on its way for a while, and its date is in whole seconds. */
const TOLERANCE_MS = 4 * 60_000
const ASK_MS = 3000

export class StoreClock {
  #offsetMs = 0

  now(): number {
    return Date.now() + this.#offsetMs
  }

  /**
   * Whether a failed call is worth another signature at once; the time is set right then.
   *
   * @param error as S3 told it, with the `date` of its answer; without any answer the store is asked for the time, since
   *   one that refuses a large body may close the line before its refusal can be read
   * @param ask the Date header of any answer of the store
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
    // Where it was not moved, another call has set it since this one was signed.
    return refused || moved
  }
}

/** The Date header of an answer to a question without credentials; undefined where there is none in time. */
export async function dateOf(send: typeof http.request, url: URL): Promise<string | undefined> {
  return await new Promise((resolve) => {
    // On a line of its own: those of the agent may all be full of bytes.
    const request = send(url, { method: 'HEAD', agent: false, timeout: ASK_MS })
    request.on('timeout', () => request.destroy())
    // What is the matter is not asked here: the call that failed tells it.
    request.on('error', () => resolve(undefined))
    request.on('response', (response) => {
      response.on('error', () => undefined).resume()
      resolve(response.headers.date)
    })
    request.end()
  })
}
