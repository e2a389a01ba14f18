// One request to the tus endpoint for @tus/server's handlers: a web Request with only the members they use.
// A real Request would wrap the body in a web stream, copy every chunk and cost more than the rest of a small request.

import type { IncomingHttpHeaders, IncomingMessage, ServerResponse } from 'node:http'
import type { Ticket } from '../auth/tokens.ts'
import { AppError } from '../core/errors.ts'
import { slotKey } from '../records/upload-session.ts'
import type { DraftRequest } from './draft-request.ts'
import { OFFSET_TYPE, type TusMethod } from './tus-words.ts'

/** Headers that the library reads. Others (X-Forwarded-*, …) are not passed. */
const PASSED = [
  'content-length',
  'content-type',
  'tus-resumable',
  'upload-concat',
  'upload-defer-length',
  'upload-length',
  'upload-offset',
] as const

class HeaderView {
  readonly #raw: IncomingHttpHeaders

  constructor(raw: IncomingHttpHeaders) {
    this.#raw = raw
  }

  get(name: string): string | null {
    const lower = name.toLowerCase()
    const value = this.#raw[lower]
    if (typeof value !== 'string' || lower === 'upload-metadata') return null
    // Media types are compared without case (RFC 9110, 8.3.1); the library compares them as they are.
    return lower === 'content-type' ? value.toLowerCase() : value
  }

  /** Hidden from the library, whose parser refuses metadata of real clients. */
  get metadata(): string | null {
    const value = this.#raw['upload-metadata']
    return typeof value === 'string' ? value : null
  }

  has(name: string): boolean {
    return this.get(name) !== null
  }

  *entries(): IterableIterator<[string, string]> {
    for (const name of PASSED) {
      const value = this.get(name)
      if (value !== null) yield [name, value]
    }
  }
}

export class TusRequest {
  readonly raw: IncomingMessage
  readonly res: ServerResponse
  readonly method: TusMethod
  /** Path only, without a query: the library takes the id from its end. */
  readonly url: string
  readonly headers: HeaderView
  /** The body never passes through the library. */
  readonly body = null
  readonly baseUrl: string
  readonly id: string | null
  /** Set if it came as a request of the IETF draft. */
  readonly draft: DraftRequest | undefined
  ticket: Ticket | null = null
  /** W3C traceparent of its span, once that has begun. */
  trace: string | undefined
  /** The reason, if the request is refused. */
  error: AppError | undefined
  /** Received body bytes. */
  receivedBytes = 0
  /** Additional response headers. */
  readonly answer: Record<string, string> = {}

  constructor(
    raw: IncomingMessage,
    res: ServerResponse,
    options: {
      method: TusMethod
      id: string | null
      baseUrl: string
      /** In the place of its own. */
      headers?: IncomingHttpHeaders
      draft?: DraftRequest | undefined
    },
  ) {
    this.raw = raw
    this.res = res
    this.method = options.method
    this.id = options.id
    this.baseUrl = options.baseUrl
    this.url = options.id === null ? '/files' : `/files/${options.id}`
    this.draft = options.draft
    this.headers = new HeaderView(options.headers ?? raw.headers)
  }

  /** True if the request has a body. */
  get hasBody(): boolean {
    const { headers } = this.raw
    return headers['transfer-encoding'] !== undefined || Number(headers['content-length'] ?? 0) > 0
  }

  /** True if the body is part of the file. */
  get bringsBytes(): boolean {
    return this.hasBody && this.headers.get('content-type') === OFFSET_TYPE
  }

  /** Slot key of the ticket; undefined with AUTH=none: any. */
  get ticketSlot(): string | undefined {
    const { ticket } = this
    if (ticket === null) return undefined
    return slotKey({ owner: ticket.owner, submissionId: ticket.submission, slot: ticket.slot })
  }

  /** "the Server MUST include the Upload-Expires header in the response" of every PATCH while it is unfinished. */
  noteExpiry(expiresAtMs: number, finished: boolean): void {
    if (finished) delete this.answer['Upload-Expires']
    else this.answer['Upload-Expires'] = new Date(expiresAtMs).toUTCString()
  }

  /** Unread bytes of the body; infinite for a chunked body that has not ended. */
  get unreadBytes(): number {
    const { headers, complete } = this.raw
    if (complete) return 0
    const length = headers['content-length']
    if (length !== undefined) return Math.max(0, Number(length) - this.receivedBytes)
    return headers['transfer-encoding'] === undefined ? 0 : Number.POSITIVE_INFINITY
  }
}

const INTEGER = /^(0|[1-9]\d{0,15})$/

/**
 * The protocol's checks of headers, before anything else. The library refuses malformed values too, but
 * with 400 in some cases for which tus defines another status.
 */
export function checkHeaders(request: TusRequest): void {
  const { method, headers } = request
  if (method === 'OPTIONS' || method === 'GET') return
  // "If the version specified by the Client is not supported by the Server, it MUST respond with the 412 Precondition
  // Failed status and MUST include the Tus-Version header into the response."
  if (headers.get('tus-resumable') !== '1.0.0')
    throw new AppError('TUS_VERSION_UNSUPPORTED', { headers: { 'Tus-Version': '1.0.0' } })
  for (const name of ['upload-offset', 'upload-length'] as const) {
    const value = headers.get(name)
    if (value !== null && (!INTEGER.test(value) || !Number.isSafeInteger(Number(value))))
      throw new AppError('TUS_HEADER_INVALID', { details: { header: name, actual: value.slice(0, 100) } })
  }
  const { metadata } = headers
  if (metadata !== null && metadata.length > MAX_METADATA_BYTES)
    throw new AppError('METADATA_TOO_LARGE', {
      details: { limit: MAX_METADATA_BYTES, actual: metadata.length },
    })
  checkCodings(request)
  if (method === 'POST') checkCreation(request)
  if (method === 'PATCH') {
    // "All PATCH requests MUST use Content-Type: application/offset+octet-stream, otherwise the server SHOULD return
    // a 415 Unsupported Media Type status."
    if (headers.get('content-type') !== OFFSET_TYPE)
      throw new AppError('MEDIA_TYPE_UNSUPPORTED', { details: { expected: OFFSET_TYPE } })
    if (!headers.has('upload-offset'))
      throw new AppError('TUS_HEADER_INVALID', { details: { header: 'upload-offset', actual: null } })
  }
}

/** Encoded bodies are refused: bytes are stored unchanged. */
function checkCodings({ raw }: TusRequest): void {
  const { 'transfer-encoding': transfer = 'chunked', 'content-encoding': content = 'identity' } = raw.headers
  if (transfer.trim().toLowerCase() !== 'chunked')
    throw new AppError('TRANSFER_CODING_UNSUPPORTED', { details: { actual: transfer.slice(0, 100) } })
  if (content.trim().toLowerCase() !== 'identity')
    throw new AppError('MEDIA_TYPE_UNSUPPORTED', {
      details: { header: 'content-encoding', actual: content.slice(0, 100) },
    })
}

function checkCreation({ headers }: TusRequest): void {
  const refuse = (header: string) =>
    new AppError('TUS_HEADER_INVALID', {
      details: { header, actual: headers.get(header)?.slice(0, 100) ?? null },
    })
  const concat = headers.get('upload-concat')
  if (concat !== null && concat !== 'partial' && !concat.startsWith('final;')) throw refuse('upload-concat')
  if (concat?.startsWith('final;') === true) return
  // "Upload-Defer-Length … Its value MUST be 1. If the length of an upload is not deferred, this header MUST be omitted."
  const deferred = headers.get('upload-defer-length')
  if (deferred !== null && deferred !== '1') throw refuse('upload-defer-length')
  if ((deferred === null) === !headers.has('upload-length')) throw refuse('upload-length')
}

/** @internal */
export const MAX_METADATA_BYTES = 8 * 1024

/** True if the body ends without a byte; false if there is one, or nothing for `timeoutMs`. */
export async function waitForEmptyBody({ raw }: TusRequest, timeoutMs: number): Promise<boolean> {
  if (raw.readableEnded || raw.headers['content-length'] === '0') return true
  if (raw.headers['content-length'] === undefined && raw.headers['transfer-encoding'] === undefined) return true
  return await new Promise((resolve) => {
    const settle = (empty: boolean) => () => {
      clearTimeout(timer)
      raw.off('data', onData).off('end', onEnd).off('close', onClose)
      raw.pause()
      resolve(empty)
    }
    const onData = settle(false)
    const onEnd = settle(true)
    const onClose = settle(false)
    const timer = setTimeout(onClose, timeoutMs)
    raw.on('data', onData).on('end', onEnd).on('close', onClose)
  })
}
