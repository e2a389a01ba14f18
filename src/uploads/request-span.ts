// The span of one POST or PATCH. Other methods have none: clients ask HEAD over and over, and nothing follows from it.

import type { AppError } from '../core/errors.ts'
import type { Span, Tracing } from '../core/span.ts'
import { endServerSpan, startServerSpan } from '../http/server-span.ts'
import type { TusRequest } from './tus-request.ts'

export class RequestSpan {
  readonly #tracing: Tracing
  readonly #request: TusRequest
  readonly #startMs = Date.now()
  #span: Span | undefined

  constructor(tracing: Tracing, request: TusRequest) {
    this.#tracing = tracing
    this.#request = request
  }

  /**
   * Begins it, when the ticket is known to be good and the upload known; it counts from the beginning of the request.
   *
   * @param known W3C traceparent of the upload's creation, or of its ticket
   * @returns that of this span, for what the request commits; undefined: no traces
   */
  begin(known: string | undefined): string | undefined {
    const { method, url, id, raw, baseUrl } = this.#request
    if (!this.#tracing.on || (method !== 'POST' && method !== 'PATCH')) return undefined
    this.#span ??= startServerSpan(
      this.#tracing,
      {
        method,
        route: id === null ? '/files' : '/files/*',
        path: url,
        scheme: baseUrl.startsWith('https:') ? 'https' : 'http',
        headers: raw.headers,
        startMs: this.#startMs,
      },
      known,
    )
    return this.#span.traceparent
  }

  /** @param status undefined: there is nobody any more to answer to */
  end(status: number | undefined, uploadId: string | null, error?: AppError): void {
    const span = this.#span
    if (span === undefined) return
    const attributes = {
      'songngan.upload.id': uploadId ?? undefined,
      'http.request.body.size': this.#request.receivedBytes,
    }
    span.set(attributes)
    if (status === undefined) span.end()
    else endServerSpan(span, status, error?.code)
  }
}
