// The service's JSON API, called with the session. Every answer also tells the server's time, which is the one that counts.

/**
 * An address of the service: the page's own without its last part, whatever prefix a proxy has put before it.
 * @param {string} path e.g. `v1/profiles`
 */
export function addressOf(path) {
  return new URL(path, new URL('.', location.href))
}

/** A call must not outlast a service that holds requests while it waits for its own parts. */
const TIMEOUT_MS = 40_000

/** An answer of 400 or more, with the service's words in both languages; `status` 0: nobody answered. */
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

  /** Trying again later may help. */
  get passing() {
    return this.status === 0 || this.status === 423 || this.status === 429 || this.status >= 500
  }
}

export class Api {
  #token
  /** Server time minus this machine's, milliseconds. */
  #clockOffsetMs = 0

  /** @param {import('./session.js').Session} session */
  constructor(session) {
    this.#token = session.token
  }

  /** The server's time, as far as it is known. Phones are often minutes off. */
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

  /** The answer's bytes, for the browser to save. @param {string} path */
  async blob(path) {
    return await (await this.#call('GET', path)).blob()
  }

  /** An address for EventSource, which cannot send headers. @param {string} path */
  streamUrl(path) {
    const url = addressOf(path)
    url.searchParams.set('access_token', this.#token)
    return url.href
  }

  /** @param {string} method @param {string} path @param {object} [body] */
  async #json(method, path, body) {
    return await (await this.#call(method, path, body)).json()
  }

  /** @param {string} method @param {string} path @param {object} [body] */
  async #call(method, path, body) {
    const response = await fetch(addressOf(path), {
      method,
      headers: {
        authorization: `Bearer ${this.#token}`,
        ...(body === undefined ? {} : { 'content-type': 'application/json' }),
      },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
      // Unknown to phones of before 2022: there a call lasts as long as it lasts.
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
 * The problem document of a refusal; empty where a proxy answered in words of its own.
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
