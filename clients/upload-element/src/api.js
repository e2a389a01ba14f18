// Client of the service's JSON API, with the session's token. Every response also gives the server's time, which is the one that counts.
// `@songngan/client` is for programs: it repeats calls where the page says what is wrong and asks again by itself, has no clock, needs
// newer browsers than the element does, and would make it larger by 2 kB.

/** Longer than the service itself waits for Redis and the store. */
const TIMEOUT_MS = 40_000

/** A response of 400 or more, with its text in both languages; `status` 0: no response. */
export class Refusal extends Error {
  /**
   * @param {number} status
   * @param {{code?: string, message?: {th: string, en: string}, [extra: string]: unknown}} problem
   */
  constructor(status, problem) {
    super(`${status} ${problem.code ?? ''}`)
    this.name = 'Refusal'
    this.status = status
    this.code = problem.code ?? (status === 0 ? 'NO_ANSWER' : `HTTP_${status}`)
    this.problem = problem
  }

  /** Whether a later try may succeed. */
  get passing() {
    return this.status === 0 || this.status === 423 || this.status === 429 || this.status >= 500
  }
}

export class Api {
  #service
  /** Server time minus local time, milliseconds. */
  #clockOffsetMs = 0

  /** @param {URL} service its address, which ends with `/` @param {string} token of a session */
  constructor(service, token) {
    this.#service = service
    this.token = token
  }

  /** @param {string} path relative to the service, e.g. `v1/profiles` */
  address(path) {
    return new URL(path, this.#service)
  }

  /** The server's time. Clocks of phones are often wrong by minutes. */
  now() {
    return Date.now() + this.#clockOffsetMs
  }

  /** @param {string} path relative to the service, e.g. `v1/uploads/…` */
  get(path) {
    return this.#json('GET', path)
  }

  /** @param {string} path @param {object} body */
  post(path, body) {
    return this.#json('POST', path, body)
  }

  /** @param {string} path @param {object} body */
  patch(path, body) {
    return this.#json('PATCH', path, body)
  }

  /** @param {string} path */
  delete(path) {
    return this.#json('DELETE', path)
  }

  /** The bytes of the response, for saving. @param {string} path */
  async blob(path) {
    return await (await this.#call('GET', path)).blob()
  }

  /** An address for EventSource, which cannot send headers. @param {string} path */
  streamUrl(path) {
    const url = this.address(path)
    url.searchParams.set('access_token', this.token)
    return url.href
  }

  /** @param {string} method @param {string} path @param {object} [body] */
  async #json(method, path, body) {
    return await (await this.#call(method, path, body)).json()
  }

  /** @param {string} method @param {string} path @param {object} [body] */
  async #call(method, path, body) {
    const response = await fetch(this.address(path), {
      method,
      headers: {
        authorization: `Bearer ${this.token}`,
        ...(body === undefined ? {} : { 'content-type': 'application/json' }),
      },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
      // Browsers before 2022 do not have it: calls have no time-out there.
      signal: AbortSignal.timeout?.(TIMEOUT_MS) ?? null,
    }).catch((/** @type {unknown} */ cause) => {
      throw new Refusal(0, { cause })
    })
    const date = Date.parse(response.headers.get('date') ?? '')
    if (!Number.isNaN(date)) this.#clockOffsetMs = date - Date.now()
    if (response.ok) return response
    throw new Refusal(response.status, problemIn(await response.text().catch(() => '')))
  }
}

/**
 * The problem document of a response; empty if a proxy answered with something else.
 * @param {string} text
 */
export function problemIn(text) {
  try {
    const problem = JSON.parse(text)
    return typeof problem === 'object' && problem !== null ? problem : {}
  } catch {
    return {} // a proxy's HTML page, or nothing
  }
}
