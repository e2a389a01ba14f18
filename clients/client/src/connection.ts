// One call: address, credentials, time limit, and the repeats that are safe.
// No library for this: what there is to do beside `fetch` is what is special here.

import { errorIn, noAnswer, SongnganError } from './error.ts'
import type { Answer, Body, InPath, Method, MethodOf, Path, Query } from './types.ts'
import { limited, pause } from './waiting.ts'

export type ConnectOptions = {
  /** Base address of the service, with the prefix of a proxy if there is one. */
  url: string | URL
  /** The API key of the portal, or the token of a session; a function where it changes. Absent: for what needs none. */
  token?: string | (() => string | Promise<string>)
  /** How often a call is repeated that may be repeated [4]. */
  retries?: number
  /** A try is given up after so long [40 s: longer than the service itself waits for Redis and the store]. */
  timeoutMs?: number
  /** In the place of the global one. */
  fetch?: typeof fetch
}

export type CallOptions = { signal?: AbortSignal }

type Given<P extends Path, M extends Method> = InPath<P, M> &
  CallOptions & {
    query?: Query<P, M>
    body?: Body<P, M>
    headers?: Record<string, string | undefined>
    /** Whether doing it twice does no harm [true]. */
    isRepeatable?: boolean
  }

/** Of all answers of the service: for longer waits the caller decides. */
const LONGEST_WAIT_MS = 60_000
const FIRST_WAIT_MS = 500

export class Connection {
  readonly #base: URL
  readonly #token: ConnectOptions['token']
  readonly #retries: number
  readonly #timeoutMs: number
  readonly #fetch: typeof fetch

  constructor({ url, token, retries = 4, timeoutMs = 40_000, fetch: given }: ConnectOptions) {
    this.#base = new URL(url)
    if (!this.#base.pathname.endsWith('/')) this.#base.pathname += '/'
    this.#token = token
    this.#retries = retries
    this.#timeoutMs = timeoutMs
    // Looked up at each call, and called as a function of its own: browsers refuse another `this`.
    this.#fetch = given ?? ((...args) => fetch(...args))
  }

  /** A call of the API. Throws SongnganError, or the reason of an aborted signal. */
  async call<P extends Path, M extends MethodOf<P>>(method: M, path: P, given: Given<P, M>): Promise<Answer<P, M>> {
    return (await this.exchange(method, path, given)).body as Answer<P, M>
  }

  /** The same with the ETag; `body` is undefined where nothing is to be told: 204, 304. */
  async exchange<P extends Path, M extends MethodOf<P>>(
    method: M,
    path: P,
    given: Given<P, M>,
  ): Promise<{ body: Answer<P, M> | undefined; etag: string | null }> {
    const { query = {}, body, signal, isRepeatable = true } = given
    const address = this.#addressOf(path, given.path ?? {}, query)
    const headers = { ...given.headers, ...(body === undefined ? {} : { 'content-type': 'application/json' }) }
    const init = {
      method: method.toUpperCase(),
      headers,
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    }
    for (let tries = 0; ; tries++) {
      try {
        const { text, etag } = await this.#once(address, init, signal)
        return { body: text === '' ? undefined : JSON.parse(text), etag }
      } catch (error) {
        if (!(error instanceof SongnganError) || !isRepeatable || !error.isPassing || tries >= this.#retries)
          throw error
        const waitMs = error.retryAfterMs ?? FIRST_WAIT_MS * 2 ** tries
        if (waitMs > LONGEST_WAIT_MS) throw error
        // Not all at the same moment: many wait for the same.
        await pause(waitMs + Math.random() * FIRST_WAIT_MS, signal)
      }
    }
  }

  /** One try, whose answer is read by the caller. The signal is the only limit of time. Throws as `call`. */
  async open(path: Path, names: Record<string, string>, headers: Record<string, string>, signal: AbortSignal) {
    return await this.#send(this.#addressOf(path, names, {}), { headers }, signal)
  }

  async #once(address: URL, init: RequestInit, outer: AbortSignal | undefined) {
    const limit = limited(outer, this.#timeoutMs)
    try {
      const response = await this.#send(address, init, limit.signal)
      const text = await response.text()
      if (text !== '' && !isJson(response)) throw await errorIn(new Response('', response))
      return { text, etag: response.headers.get('etag') }
    } catch (error) {
      outer?.throwIfAborted()
      throw error instanceof SongnganError ? error : noAnswer(error)
    } finally {
      limit.end()
    }
  }

  async #send(address: URL, init: RequestInit, signal: AbortSignal): Promise<Response> {
    const token = typeof this.#token === 'function' ? await this.#token() : this.#token
    const headers = new Headers(init.headers)
    if (token !== undefined) headers.set('authorization', `Bearer ${token}`)
    const response = await this.#fetch(address, { ...init, headers, signal }).catch((error: unknown) => {
      throw signal.aborted ? signal.reason : noAnswer(error)
    })
    if (response.ok || response.status === 304) return response
    throw await errorIn(response)
  }

  #addressOf(path: string, names: Record<string, string>, query: object): URL {
    const filled = path.slice(1).replace(/\{(\w+)\}/g, (_, name: string) => segment(names[name] ?? ''))
    const address = new URL(filled, this.#base)
    for (const [name, value] of Object.entries(query)) {
      if (value !== undefined) address.searchParams.set(name, String(value))
    }
    return address
  }
}

/** A name as one part of a path. What an address would leave out, or go up by, would make it another call. */
function segment(name: string): string {
  if (/^\.{0,2}$/.test(name)) throw new TypeError(`not an id: "${name}"`)
  return encodeURIComponent(name)
}

function isJson(response: Response): boolean {
  return /\bjson\b/.test(response.headers.get('content-type') ?? '')
}
