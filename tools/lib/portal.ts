// The portal API, as a portal's server calls it.

import type { EventBody } from '../../src/records/event-body.ts'
import type { SubmissionDocument, UploadDocument } from '../../src/submissions/document/schemas.ts'
import { problemCode, problemInWords } from './problem.ts'
import { isOwnMachine } from './settings.ts'
import { UsageError } from './usage.ts'

export type Ticket = { ticket: string; tusEndpoint: string; expiresAt: string }
export type Link = { name: string; url: string; contentType: string; bytes: number }
export type Listed = UploadDocument & { url?: string }

/** A response of 400 or more. `code` is that of the problem document, or `HTTP_<status>` if there is none. */
export class PortalError extends Error {
  readonly status: number
  readonly code: string
  readonly body: string
  readonly retryAfterMs: number | undefined
  constructor(what: string, response: Response, body: string) {
    const code = problemCode(body) ?? `HTTP_${response.status}`
    super(`${what} answered ${response.status} ${problemInWords(body)}`)
    this.name = 'PortalError'
    this.status = response.status
    this.code = code
    this.body = body
    const seconds = Number(response.headers.get('retry-after') ?? Number.NaN)
    this.retryAfterMs = Number.isFinite(seconds) ? seconds * 1000 : undefined
  }
}

/** Longer than the service holds requests while Redis is unavailable (20 s). */
const TIMEOUT_MS = 30_000

export type PortalOptions = {
  base: URL
  apiKey: string
  /** Called for every response, and for calls without one (`status` 0). */
  onCall?: (call: { name: string; status: number; milliseconds: number }) => void
  /** Pauses before retries after a 5xx or no response. */
  retryDelaysMs?: readonly number[]
}

export class Portal {
  readonly #options: PortalOptions

  constructor(options: PortalOptions) {
    this.#options = options
  }

  putSubmission(id: string, body: object): Promise<SubmissionDocument> {
    return this.#call('put submission', 'PUT', `/v1/submissions/${id}`, body)
  }

  submission(id: string): Promise<SubmissionDocument> {
    return this.#call('get submission', 'GET', `/v1/submissions/${id}`)
  }

  async uploads(submissionId: string): Promise<Listed[]> {
    const path = `/v1/submissions/${submissionId}/uploads`
    return (await this.#call<{ items: Listed[] }>('list uploads', 'GET', path)).items
  }

  upload(id: string): Promise<UploadDocument> {
    return this.#call('get upload', 'GET', `/v1/uploads/${id}`)
  }

  /** Throws UsageError if the uploads would go to another machine than this portal's calls. */
  async ticket(submissionId: string, slot: string): Promise<Ticket> {
    const ticket = await this.#call<Ticket>('ticket', 'POST', `/v1/submissions/${submissionId}/tickets`, { slot })
    const { base } = this.#options
    const endpoint = new URL(ticket.tusEndpoint)
    if (endpoint.origin !== base.origin && !(isOwnMachine(endpoint) && isOwnMachine(base)))
      throw new UsageError(`${base.origin} takes uploads at ${endpoint.origin}: use that --url, or correct PUBLIC_URL.`)
    return ticket
  }

  /** Deletes a submission with all its uploads; one that does not exist is no error. */
  async deleteSubmission(id: string): Promise<void> {
    try {
      await this.#call('delete submission', 'DELETE', `/v1/submissions/${id}`)
    } catch (error) {
      if (!(error instanceof PortalError && [404, 410].includes(error.status))) throw error
    }
  }

  /** The signed receipt of an upload, its claims, and of which kind it is. */
  receipt(uploadId: string): Promise<{ kind: string; receipt: string; claims: Record<string, unknown> }> {
    return this.#call('receipt', 'GET', `/v1/uploads/${uploadId}/receipt`)
  }

  /** Whether the service finds a receipt genuine. */
  async isGenuine(receipt: string): Promise<boolean> {
    return (await this.#call<{ valid: boolean }>('verify receipt', 'POST', '/v1/receipts/verify', { receipt })).valid
  }

  async links(uploadId: string): Promise<Link[]> {
    return (await this.#call<{ items: Link[] }>('links', 'POST', `/v1/uploads/${uploadId}/links`, {})).items
  }

  events(after?: string): Promise<{ items: EventBody[]; nextCursor: string }> {
    const query = after === undefined ? '' : `&after=${encodeURIComponent(after)}`
    return this.#call('events', 'GET', `/v1/events?limit=200${query}`)
  }

  /** The stream of server-sent events of a submission; it ends when `signal` aborts. */
  async eventStream(submissionId: string, signal: AbortSignal): Promise<Response> {
    const url = new URL(`/v1/submissions/${submissionId}/events`, this.#options.base)
    const response = await fetch(url, { headers: this.#headers(), redirect: 'error', signal })
    if (!response.ok) throw new PortalError('event stream', response, await response.text())
    return response
  }

  #headers(): Record<string, string> {
    return { authorization: `Bearer ${this.#options.apiKey}` }
  }

  async #call<Answer>(name: string, method: string, path: string, body?: object): Promise<Answer> {
    const delays = [...(this.#options.retryDelaysMs ?? [])]
    for (;;) {
      try {
        return await this.#once<Answer>(name, method, path, body)
      } catch (error) {
        const refused = error instanceof PortalError
        const delayMs = delays.shift()
        if (delayMs === undefined || (refused && error.status < 500)) throw error
        const askedMs = refused ? (error.retryAfterMs ?? 0) : 0
        await new Promise((resolve) => setTimeout(resolve, Math.max(delayMs, askedMs)))
      }
    }
  }

  async #once<Answer>(name: string, method: string, path: string, body?: object): Promise<Answer> {
    const { base, onCall } = this.#options
    const startedMs = performance.now()
    const tell = (status: number) => onCall?.({ name, status, milliseconds: performance.now() - startedMs })
    const json = body === undefined ? {} : { 'content-type': 'application/json' }
    const response = await fetch(new URL(path, base), {
      method,
      // A redirect would lead to a service that nobody asked for consent.
      redirect: 'error',
      headers: { ...this.#headers(), ...json },
      signal: AbortSignal.timeout(TIMEOUT_MS),
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    }).catch((error: unknown) => {
      tell(0)
      throw error
    })
    const text = await response.text()
    tell(response.status)
    if (!response.ok) throw new PortalError(`${method} ${path}`, response, text)
    return (text === '' ? undefined : JSON.parse(text)) as Answer
  }
}
